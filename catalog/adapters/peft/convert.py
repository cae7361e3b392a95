"""A PEFT adapter made into a GGUF adapter for a model.

The outcome is that of llama.cpp's own converter, byte by byte, with what the adapter was trained on
noted besides. 16-bit floats stay as they are where all are such; everything else becomes 32-bit
floats, so that nothing is rounded.
"""

import math
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from catalog.adapters.fit import adapter_fit
from catalog.adapters.pairs import SUFFIX_A, SUFFIX_B
from catalog.adapters.peft.config import PeftConfig, read_config
from catalog.adapters.peft.mapping import Change, changes_of
from catalog.adapters.peft.weights import StoredTensor, open_weights, read_values, stored_tensors
from catalog.errors import CatalogError, DownloadCancelled
from catalog.gguf.header import GgufHeader, TensorInfo
from catalog.whole_file import replace

if TYPE_CHECKING:
    import gguf
    import numpy as np

_F32, _F16 = 0, 1
_QUANTIZATION_VERSION = 2
_SPARE_BYTES = 64 << 20  # what a disk needs besides


class _Part(msgspec.Struct, frozen=True):
    """A tensor that will be written, from what it is made and how."""

    info: TensorInfo
    source: StoredTensor
    turned: bool = False
    n_heads: int = 0


class _Plan(msgspec.Struct, frozen=True):
    """All that will be written. `trained_on` is "OWNER/NAME", a name, or empty."""

    architecture: str
    name: str
    trained_on: str
    alpha: float
    parts: tuple[_Part, ...]

    @property
    def n_bytes(self) -> int:
        return sum(part.info.n_bytes for part in self.parts)


def convert_peft(
    folder: Path,
    base: Sequence[GgufHeader],
    out: Path,
    *,
    name: str,
    on_progress: Callable[[float], None],
    cancelled: threading.Event,
) -> None:
    """Write the adapter in `folder` to `out`, for the model whose parts have the headers `base`.

    `out` is there whole or not at all; `on_progress` is told the part that is done, from 0 to 1.
    Blocks, from any thread. Raises `DownloadCancelled`, and `CatalogError` where the adapter is
    damaged, does not fit the model, or says what GGUF can't, before anything is written.
    """
    config = read_config(folder)
    with open_weights(folder) as file:
        changes = changes_of(stored_tensors(file), base[0])
        plan = _Plan(
            base[0].architecture,
            name or folder.name,
            config.base,
            _alpha(config, changes),
            _parts(changes),
        )
        _check_fit(plan, base)
        _check_room(plan, out.parent)
        writing = _beside(out)
        try:
            _write(plan, file, writing, on_progress, cancelled)
            replace(writing, out)
        except OSError as error:
            raise _unwritable(out, error) from error
        finally:
            with suppress(OSError):
                writing.unlink(missing_ok=True)


def _alpha(config: PeftConfig, changes: Sequence[Change]) -> float:
    """What llama.cpp divides by the rank of each change."""
    ranks = {change.rank for change in changes}
    if not ranks:
        raise CatalogError("The adapter holds no weights.", fix="Download or copy it again.")
    if not config.ranks_differ and ranks != {config.rank}:
        raise CatalogError(
            "The adapter's settings and weights do not belong together.",
            f"The settings name the rank {config.rank:,}, the weights have {max(ranks):,}.",
            "Download or copy it again.",
        )
    if not config.by_root:
        return config.alpha
    if len(ranks) > 1:
        raise CatalogError(
            "The adapter can't be converted.",
            "Its layers differ in rank and are scaled by the root of it (use_rslora), and a GGUF "
            "adapter has one strength for all.",
            "Look for a plain LoRA, or one in the GGUF format.",
        )
    return config.alpha * math.sqrt(ranks.pop())


def _parts(changes: Sequence[Change]) -> tuple[_Part, ...]:
    half = all(each.stored == "F16" for change in changes for each in (change.a, change.b))
    ggml_type = _F16 if half else _F32
    parts: list[_Part] = []
    offset = 0
    for change in changes:
        rank, n_in = change.a.shape
        n_out = change.b.shape[0]
        shape_a = (rank, n_in) if change.turned else (n_in, rank)
        for suffix, shape, source, turned, n_heads in (
            (SUFFIX_A, shape_a, change.a, change.turned, 0),
            (SUFFIX_B, (rank, n_out), change.b, False, change.n_heads),
        ):
            info = TensorInfo(change.name + suffix, shape, ggml_type, offset)
            parts.append(_Part(info, source, turned, n_heads))
            offset += info.n_bytes
    return tuple(parts)


def _check_fit(plan: _Plan, base: Sequence[GgufHeader]) -> None:
    header = GgufHeader(
        3,
        {
            "general.architecture": plan.architecture,
            "general.type": "adapter",
            "adapter.type": "lora",
            "adapter.lora.alpha": plan.alpha,
        },
        tuple(part.info for part in plan.parts),
        0,
    )
    fit = adapter_fit(header, base)
    if not fit.fits:
        named = f"“{base[0].name}”" if base[0].name else "the model"
        raise CatalogError(
            f"The adapter does not fit {named}.",
            fit.reason,
            "Choose the model that it was trained on.",
        )


def _check_room(plan: _Plan, folder: Path) -> None:
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return  # writing will tell
    if free < plan.n_bytes + _SPARE_BYTES:
        raise CatalogError(
            "There is not enough room on the disk.",
            f"The adapter takes {plan.n_bytes / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free.",
            "Make some room and try again.",
        )


def _write(
    plan: _Plan,
    source: BinaryIO,
    path: Path,
    on_progress: Callable[[float], None],
    cancelled: threading.Event,
) -> None:
    import gguf
    import numpy as np

    writer = gguf.GGUFWriter(path, plan.architecture)
    try:
        _describe(writer, plan)
        for part in plan.parts:
            dtype = np.dtype(np.float16 if part.info.ggml_type == _F16 else np.float32)
            shape = tuple(reversed(part.info.shape))
            writer.add_tensor_info(part.info.name, shape, dtype, part.info.n_bytes)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        done = 0
        for part in plan.parts:
            if cancelled.is_set():
                raise DownloadCancelled("The conversion was cancelled.")
            writer.write_tensor_data(_values(source, part))
            done += part.info.n_bytes
            on_progress(done / plan.n_bytes)
    finally:
        writer.close()


def _describe(writer: "gguf.GGUFWriter", plan: _Plan) -> None:
    """The keys in the order in which llama.cpp's converter writes them."""
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_name(plan.name)
    if plan.trained_on:
        owner, _, name = plan.trained_on.rpartition("/")
        writer.add_base_model_count(1)
        writer.add_base_model_name(0, name)
        if owner:
            writer.add_base_model_organization(0, owner)
            writer.add_base_model_repo_url(0, f"https://huggingface.co/{plan.trained_on}")
    writer.add_float32("adapter.lora.alpha", plan.alpha)
    writer.add_quantization_version(_QUANTIZATION_VERSION)


def _values(source: BinaryIO, part: _Part) -> "np.ndarray[Any, Any]":
    import numpy as np

    values = read_values(source, part.source)
    if part.turned:
        values = values.T
    if part.n_heads:
        rows, columns = values.shape
        halves = values.reshape(part.n_heads, 2, rows // part.n_heads // 2, columns)
        values = halves.swapaxes(1, 2).reshape(rows, columns)
    dtype = np.float16 if part.info.ggml_type == _F16 else np.float32
    return np.ascontiguousarray(values, dtype=dtype)


def _beside(out: Path) -> Path:
    try:
        with tempfile.NamedTemporaryFile(
            prefix=f"{out.stem}.", suffix=".new", dir=out.parent, delete=False
        ) as file:
            return Path(file.name)
    except OSError as error:
        raise _unwritable(out, error) from error


def _unwritable(out: Path, error: OSError) -> CatalogError:
    return CatalogError(
        f"“{out.name}” can't be written.",
        f"{error.strerror}.",
        "Check whether there is room on the disk, and whether the folder can be written to.",
    )
