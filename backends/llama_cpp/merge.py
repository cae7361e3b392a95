"""Adapters added to a model's weights for good, as one new file. In a process of its own.

Each weight that an adapter touches is read as floats, the adapters' changes are added, and it is
stored again in the way it was. Everything else is copied byte by byte.
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gguf
import numpy as np
from gguf.quants import dequantize
from gguf.quants import quantize as quantize_with_gguf
from llama_cpp._ctypes_extensions import load_shared_library
from llama_cpp._ggml import libggml_base_path
from numpy.typing import NDArray

from backends.errors import BackendError, BadAdapter, ModelLoadError
from backends.protocol import AppliedAdapter

_TOKEN_TABLE = "token_embd.weight"
_CHUNK_VALUES = 16 << 20
"""Weights in memory as floats at one time."""

_LARGEST_WEIGHT = 65_504.0
"""What most formats can hold at all, and far more than any model has."""

_NOT_COPIED = ("GGUF.", "split.", "general.architecture", "general.name")
_NEED_MATRIX = ("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS")

Floats = NDArray[np.float32]


class Change(NamedTuple):
    """What an adapter adds to a tensor: scale · B A, the token table's transposed."""

    a: Floats
    b: Floats
    scale: float

    def rows(self, start: int, stop: int, *, expert: int | None, table: bool) -> Floats:
        a, b = (self.a, self.b) if expert is None else (self.a[expert], self.b[expert])
        product = a[start:stop] @ b.T if table else b[start:stop] @ a
        return np.asarray(product * np.float32(self.scale), np.float32)


def merge(
    parts: Sequence[Path],
    adapters: Sequence[AppliedAdapter],
    target: Path,
    *,
    name: str,
    on_progress: Callable[[float], None],
) -> None:
    """Write `target` from the files of a model and the adapters, in that order.

    Raises BadAdapter for one that is damaged, far too strong or made for another model,
    ModelLoadError where the model's weights can't be stored again. Blocks.
    """
    readers = [_read(path, ModelLoadError) for path in parts]
    tensors = [tensor for reader in readers for tensor in reader.tensors]
    by_name = {tensor.name: tensor for tensor in tensors}
    changes: dict[str, list[Change]] = {}
    for adapter in adapters:
        for tensor_name, change in _changes(adapter, readers[0], by_name):
            changes.setdefault(tensor_name, []).append(change)
    for tensor_name in changes:
        _check_storable(by_name[tensor_name])
    writer = gguf.GGUFWriter(target, _text(readers[0], "general.architecture"))
    try:
        _write_head(writer, readers[0], tensors, name, adapters)
        total = sum(int(tensor.n_bytes) for tensor in tensors)
        done = 0
        for tensor in tensors:
            writer.write_tensor_data(_merged(tensor, changes.get(tensor.name, ())))
            done += int(tensor.n_bytes)
            on_progress(done / total)
    finally:
        writer.close()


def _read(path: Path, error: type[BackendError]) -> gguf.GGUFReader:
    try:
        return gguf.GGUFReader(path)
    except (OSError, ValueError, KeyError, IndexError, OverflowError, MemoryError) as problem:
        raise error(
            f"“{path.name}” can't be read.", "The file is damaged or incomplete.", "Get it again."
        ) from problem


def _text(reader: gguf.GGUFReader, key: str) -> str:
    field = reader.get_field(key)
    return str(field.contents()) if field else ""


def _changes(
    adapter: AppliedAdapter, model: gguf.GGUFReader, tensors: dict[str, gguf.ReaderTensor]
) -> Iterator[tuple[str, Change]]:
    path = Path(adapter.path)
    reader = _read(path, BadAdapter)
    if _text(reader, "adapter.type") != "lora":
        raise BadAdapter(f"“{path.name}” is no LoRA adapter.")
    if _text(reader, "general.architecture") != _text(model, "general.architecture"):
        raise BadAdapter(f"“{path.name}” is made for models of another kind.")
    alpha_field = reader.get_field("adapter.lora.alpha")
    alpha = float(alpha_field.contents()) if alpha_field else 0.0
    halves = {tensor.name: tensor for tensor in reader.tensors}
    for half in halves:
        if half.endswith(".lora_a"):
            name = half.removesuffix(".lora_a")
            other = halves.get(f"{name}.lora_b")
            if other is None or name not in tensors:
                raise BadAdapter(f"“{path.name}” changes “{name}”, which the model lacks.")
            a, b = _floats(halves[half], path), _floats(other, path)
            rank = b.shape[-1]
            change = Change(a, b, adapter.scale * (alpha / rank if alpha else 1.0))
            _check_shape(name, change, tensors[name], path)
            yield name, change


def _floats(tensor: gguf.ReaderTensor, path: Path) -> Floats:
    values = np.asarray(dequantize(tensor.data, tensor.tensor_type), np.float32)
    values = values.reshape([int(n) for n in reversed(tensor.shape)])
    if not np.isfinite(values).all():
        raise BadAdapter(f"“{path.name}” is damaged.", "It holds numbers that are none.")
    return values


def _check_shape(name: str, change: Change, tensor: gguf.ReaderTensor, path: Path) -> None:
    shape = tuple(int(n) for n in reversed(tensor.shape))
    a, b = change.a.shape, change.b.shape
    if name == _TOKEN_TABLE:
        fits = len(a) == 2 and len(b) == 2 and (a[0], b[0]) == shape and a[1] == b[1]
    else:
        fits = (*b[:-1], a[-1]) == shape and a[:-2] == b[:-2] and a[-2] == b[-1]
    if not fits:
        raise BadAdapter(
            f"“{path.name}” is made for a model of another size.",
            f"“{name}” of the model is {' × '.join(map(str, shape))}.",
        )


def _check_storable(tensor: gguf.ReaderTensor) -> None:
    kind = tensor.tensor_type.name
    if kind in _NEED_MATRIX:
        raise ModelLoadError(
            "The adapters can't be added to these weights.",
            f"They are stored as {kind}, which can't be made again without an importance matrix.",
            "Merge them into another quant of the model.",
        )


def _write_head(
    writer: gguf.GGUFWriter,
    reader: gguf.GGUFReader,
    tensors: Sequence[gguf.ReaderTensor],
    name: str,
    adapters: Sequence[AppliedAdapter],
) -> None:
    writer.add_name(name)
    for field in reader.fields.values():
        if not field.name.startswith(_NOT_COPIED):
            sub_type = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, field.contents(), field.types[0], sub_type)
    merged = [f"{Path(adapter.path).name} × {adapter.scale:g}" for adapter in adapters]
    writer.add_array("causeway.merged_adapters", merged)
    if alignment := reader.get_field("general.alignment"):
        writer.data_alignment = int(alignment.contents())
    for tensor in tensors:
        writer.add_tensor_info(
            tensor.name,
            tensor.data.shape,
            tensor.data.dtype,
            tensor.data.nbytes,
            tensor.tensor_type,
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()


def _merged(tensor: gguf.ReaderTensor, changes: Sequence[Change]) -> NDArray[Any]:
    """The tensor's bytes with the changes in them."""
    if not changes:
        return np.asarray(tensor.data)
    out = np.array(tensor.data)  # a copy, in the form in which it is stored
    table = tensor.name == _TOKEN_TABLE
    if out.ndim == 2:
        _change_rows(out, tensor.tensor_type, changes, expert=None, table=table)
    else:
        for expert in range(out.shape[0]):
            _change_rows(out[expert], tensor.tensor_type, changes, expert=expert, table=False)
    return out


def _change_rows(
    stored: NDArray[Any],
    kind: gguf.GGMLQuantizationType,
    changes: Sequence[Change],
    *,
    expert: int | None,
    table: bool,
) -> None:
    values_in_row = dequantize(stored[:1], kind).shape[-1]
    step = max(1, _CHUNK_VALUES // values_in_row)
    for start in range(0, stored.shape[0], step):
        stop = min(start + step, stored.shape[0])
        values = np.asarray(dequantize(stored[start:stop], kind), np.float32).copy()
        for change in changes:
            values += change.rows(start, stop, expert=expert, table=table)
        if not (np.abs(values) <= _LARGEST_WEIGHT).all():
            raise BadAdapter(
                "The adapters can't be merged.",
                "What they add is too large for the model's weights.",
                "Lower their strength, or leave one out.",
            )
        stored[start:stop] = _stored(values, kind)


def _stored(values: Floats, kind: gguf.GGMLQuantizationType) -> NDArray[Any]:
    try:
        return np.asarray(quantize_with_gguf(values, kind))
    except NotImplementedError:
        return _stored_by_ggml(values, kind)


def _stored_by_ggml(values: Floats, kind: gguf.GGMLQuantizationType) -> NDArray[np.uint8]:
    """By ggml's own function, for what gguf can only read."""
    block, size = gguf.GGML_QUANT_SIZES[kind]
    n_rows, n_values = values.shape
    out = np.empty((n_rows, n_values // block * size), np.uint8)
    values = np.ascontiguousarray(values)
    _ggml_quantize_chunk()(
        int(kind), values.ctypes.data, out.ctypes.data, 0, n_rows, n_values, None
    )
    return out


def _ggml_quantize_chunk() -> Any:
    """The bindings leave this function out."""
    function = load_shared_library("ggml-base", libggml_base_path).ggml_quantize_chunk
    function.argtypes = [
        *(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p),
        *(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p),
    ]
    function.restype = ctypes.c_size_t
    return function
