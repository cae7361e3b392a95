"""Reading the weights of a PEFT adapter from a safetensors file that nobody vouches for.

Everything is checked against the size of the file before it is believed. A pickle (`.bin`, `.pt`)
is never opened: reading one can run code.
"""

import itertools
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import msgspec

from catalog.adapters.peft_names import PICKLES, WEIGHTS_FILE
from catalog.errors import CatalogError

if TYPE_CHECKING:
    import numpy as np

Stored = Literal["F32", "F16", "BF16"]

_SIZES: dict[Stored, int] = {"F32": 4, "F16": 2, "BF16": 2}
_MOST_HEADER = 16 << 20
_MOST_TENSORS = 65_536
_MOST_DIMENSIONS = 4


class StoredTensor(msgspec.Struct, frozen=True):
    """`shape` has the fastest-varying dimension last; `offset` is that of its bytes in the file."""

    name: str
    stored: Stored
    shape: tuple[int, ...]
    offset: int

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * _SIZES[self.stored]


class _Described(msgspec.Struct):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


def open_weights(folder: Path) -> BinaryIO:
    """Raises `CatalogError` where there are none, or none that may be read."""
    path = folder / WEIGHTS_FILE
    try:
        if path.is_file():
            return path.open("rb")
        pickle = next((name for name in PICKLES if (folder / name).exists()), "")
    except OSError as error:
        raise _unreadable(error) from error
    if pickle:
        raise CatalogError(
            f"The adapter's weights are in “{pickle}”, which is not opened.",
            "It is a pickle: a program that runs when it is read, and that may do anything.",
            f"Look for the adapter with “{WEIGHTS_FILE}”, or ask its makers for it.",
        )
    raise CatalogError(
        f"The adapter's weights are missing: “{WEIGHTS_FILE}”.", fix="Download or copy it again."
    )


def stored_tensors(file: BinaryIO) -> tuple[StoredTensor, ...]:
    """What the file holds, in the order in which it lies there. Raises `CatalogError`."""
    try:
        size = os.fstat(file.fileno()).st_size
        n_header = int.from_bytes(file.read(8), "little")
        if size < 8 or n_header > size - 8:
            raise _damaged("It is cut short.")
        if n_header > _MOST_HEADER:
            raise _damaged("Its header is larger than that of any adapter.")
        data = file.read(n_header)
        described = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        described.pop("__metadata__", None)
        if len(described) > _MOST_TENSORS:
            raise _damaged(f"It claims {len(described):,} tensors.")
        tensors = sorted(
            (
                _tensor(name, msgspec.json.decode(raw, type=_Described), 8 + n_header, size)
                for name, raw in described.items()
            ),
            key=lambda tensor: (tensor.offset, tensor.n_bytes),
        )
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged("Its header can't be understood.") from error
    except OSError as error:
        raise _unreadable(error) from error
    for before, after in itertools.pairwise(tensors):
        if before.offset + before.n_bytes > after.offset:
            raise _damaged(f"“{_shown(before.name)}” and “{_shown(after.name)}” overlap.")
    return tuple(tensors)


def read_values(file: BinaryIO, tensor: StoredTensor) -> "np.ndarray[Any, Any]":
    """The values as float16 where they are stored so, else as float32: nothing is lost.

    Raises `CatalogError` where they can't be read, or are not all numbers.
    """
    import numpy as np

    try:
        file.seek(tensor.offset)
        data = file.read(tensor.n_bytes)
    except OSError as error:
        raise _unreadable(error) from error
    if len(data) != tensor.n_bytes:
        raise _damaged("It is cut short.")
    values: np.ndarray[Any, Any]
    if tensor.stored == "BF16":
        values = (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    else:
        values = np.frombuffer(data, "<f2" if tensor.stored == "F16" else "<f4")
    if not np.isfinite(values).all():
        raise _damaged(
            f"“{_shown(tensor.name)}” holds values that are no numbers, as after a failed training."
        )
    return values.reshape(tensor.shape)


def _tensor(name: str, described: _Described, start: int, size: int) -> StoredTensor:
    stored: Stored
    match described.dtype:
        case "F32" | "F16" | "BF16" as dtype:
            stored = dtype
        case dtype:
            raise CatalogError(
                "The adapter can't be converted.",
                f"“{_shown(name)}” is stored as {_shown(dtype)}; F32, F16 and BF16 can be read.",
                "Look for another version of it.",
            )
    if len(described.shape) > _MOST_DIMENSIONS or any(n < 1 for n in described.shape):
        raise _damaged(f"“{_shown(name)}” has no usable shape.")
    begin, end = described.data_offsets
    tensor = StoredTensor(name, stored, described.shape, start + begin)
    if begin < 0 or end - begin != tensor.n_bytes or start + end > size:
        raise _damaged(f"“{_shown(name)}” does not lie where it should, or the file is cut short.")
    return tensor


def _damaged(why: str) -> CatalogError:
    return CatalogError(f"“{WEIGHTS_FILE}” is damaged.", why, "Download or copy it again.")


def _unreadable(error: OSError) -> CatalogError:
    return CatalogError(
        f"“{WEIGHTS_FILE}” can't be read.",
        f"{error.strerror}.",
        "Check whether the disk is connected.",
    )


def _shown(name: str) -> str:
    return "".join(char if char.isprintable() else "�" for char in name[:120])
