"""Reading a GGUF header from a file that nobody vouches for.

Every count and length is checked against the file's size before anything is allocated, and large
arrays (vocabularies) are walked over, not kept. So a hostile file costs neither memory nor time.
"""

import math
import re
import struct
from functools import cache
from typing import BinaryIO

from catalog.errors import BadModelFile
from catalog.gguf.header import ArraySummary, GgufHeader, MetadataValue, Scalar, TensorInfo
from catalog.gguf.known_texts import KnownTexts
from catalog.gguf.tensor_types import TENSOR_TYPES

_VERSIONS = (2, 3)
_MAX_KEYS = 65_536
_MAX_TENSORS = 65_536
_MAX_HEADER = 64 << 20  # the largest vocabularies take 20 MB
_MAX_KEPT = 16 << 20
_KEPT_OVERHEAD = 32  # what any value costs in memory, roughly
_MAX_NAME = 65_535
_MAX_WALKED_TEXTS = 2_000_000  # half a second; the largest vocabularies have 800,000 with merges
_KEPT_ITEMS = 1024
_TOO_LARGE = "Its header is larger than that of any model"
_CHUNK = 1 << 18

_FLOAT32, _STRING, _ARRAY = 6, 8, 9
_DEMANDED = {"adapter.lora.alpha": _FLOAT32}
"""llama.cpp ends the process over another type than this, instead of refusing the file."""

_SCALARS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_U32 = _SCALARS[4]
_U64 = _SCALARS[10]

_RUN = 128

_LOOKALIKES: tuple[tuple[bytes, str], ...] = (
    (b"lmgg", "It is in the GGML format, which came before GGUF."),
    (b"fmgg", "It is in the GGML format, which came before GGUF."),
    (b"tjgg", "It is in the GGML format, which came before GGUF."),
    (b"PK\x03\x04", "It is a ZIP archive."),
    (b"version https://git-lfs", "It only points to a file that was never downloaded (Git LFS)."),
    (b"<", "It is a web page, perhaps saved in place of the download."),
)


class HeaderReader:
    """Reads one header from the start of an open file of `size` bytes."""

    def __init__(
        self, file: BinaryIO, name: str, size: int, known_texts: KnownTexts | None = None
    ) -> None:
        self._file = file
        self._known_texts = known_texts
        self._name = name
        self._size = size
        self._at = 0
        self._kept = 0
        self._texts_walked = 0

    def read(self) -> GgufHeader:
        version = self._version()
        n_tensors = self._count("tensors", at_least=24, at_most=_MAX_TENSORS)
        n_keys = self._count("properties", at_least=13, at_most=_MAX_KEYS)
        metadata = self._metadata(n_keys)
        alignment = metadata.get("general.alignment", 32)
        if type(alignment) is not int or alignment <= 0 or alignment & (alignment - 1):
            raise self._damaged(f"Its alignment is {alignment!r}, which is no power of two")
        tensors = self._tensors(n_tensors, alignment)
        return GgufHeader(version, metadata, tensors, _padded(self._at, alignment))

    def _version(self) -> int:
        magic = self._file.read(24)
        if magic[:4] != b"GGUF":
            why = next((why for start, why in _LOOKALIKES if magic.startswith(start)), "")
            raise BadModelFile(
                f"“{self._name}” is not a GGUF file.",
                why,
                "Choose a model file that ends in .gguf.",
            )
        self._file.seek(4)
        self._at = 4
        version = self._integer(_U32)
        if version in _VERSIONS:
            return version
        if version and not version & 0xFFFF:
            raise BadModelFile(
                f"“{self._name}” is made for big-endian computers.", fix="Get the usual version."
            )
        raise BadModelFile(
            f"“{self._name}” is in version {version} of the GGUF format.",
            f"Versions {_VERSIONS[0]} and {_VERSIONS[1]} can be read.",
            "Look for a newer version of the file." if version == 1 else "",
        )

    def _metadata(self, n_keys: int) -> dict[str, MetadataValue]:
        metadata: dict[str, MetadataValue] = {}
        for _ in range(n_keys):
            key = self._text(_MAX_NAME, "The name of a property")
            if key in metadata:
                raise self._damaged(f"It sets {_shown(key)} twice")
            value_type = self._integer(_U32)
            if _DEMANDED.get(key, value_type) != value_type:
                raise self._damaged(f"{_shown(key)} is of the wrong type")
            metadata[key] = self._value(value_type, key)
        return metadata

    def _value(self, value_type: int, key: str) -> MetadataValue:
        if value_type == _ARRAY:
            return self._array(key)
        return self._scalar(value_type, key)

    def _scalar(self, value_type: int, key: str) -> Scalar:
        if value_type == _STRING:
            return self._text(_MAX_KEPT, _shown(key))
        if value_type not in _SCALARS:
            raise self._damaged(f"{_shown(key)} is of an unknown type ({value_type})")
        form = _SCALARS[value_type]
        value: Scalar = form.unpack(self._bytes(form.size))[0]
        return value

    def _array(self, key: str) -> tuple[Scalar, ...] | ArraySummary:
        item_type = self._integer(_U32)
        length = self._integer(_U64)
        if item_type != _STRING and item_type not in _SCALARS:
            raise self._damaged(f"{_shown(key)} is a list of an unknown type ({item_type})")
        item_size = 8 if item_type == _STRING else _SCALARS[item_type].size
        if length > (self._size - self._at) // item_size:
            if length * item_size <= _MAX_HEADER:
                raise self._cut_short()
            raise self._damaged(f"{_shown(key)} claims {length:,} items, more than fit in the file")
        if length <= _KEPT_ITEMS:
            return tuple(self._scalar(item_type, key) for _ in range(length))
        if item_type == _STRING:
            self._pass_texts(length)
        else:
            self._move_to(self._at + length * item_size)
        return ArraySummary(item_type, length)

    def _pass_texts(self, count: int) -> None:
        """Pass over texts without keeping them."""
        self._texts_walked += count
        if self._texts_walked > _MAX_WALKED_TEXTS:
            raise self._damaged("Its vocabulary is larger than that of any model")
        start = self._at
        if self._known_texts is None:
            self._walk_texts(count)
        elif size := self._known_texts.size_at(self._file, count):
            self._move_to(start + size)
        else:
            self._move_to(start)
            self._walk_texts(count)
            self._known_texts.note(self._file, start, count, self._at - start)
            self._move_to(self._at)

    def _walk_texts(self, count: int) -> None:
        unpack_length, match_run = _U64.unpack_from, _short_texts().match
        while count:
            chunk = self._file.read(_CHUNK)
            last = len(chunk) - 8
            at = 0
            while count and at <= last:
                if count >= _RUN and (run := match_run(chunk, at)):
                    at = run.end()
                    count -= _RUN
                    continue
                for _ in range(min(count, _RUN)):
                    if at > last:
                        break
                    at += 8 + unpack_length(chunk, at)[0]
                    count -= 1
            if not at:
                raise self._cut_short()
            self._move_to(self._at + at)

    def _tensors(self, n_tensors: int, alignment: int) -> tuple[TensorInfo, ...]:
        tensors: list[TensorInfo] = []
        names: set[str] = set()
        expected_offset = 0
        for _ in range(n_tensors):
            tensor = self._tensor()
            if tensor.name in names:
                raise self._damaged(f"It holds the tensor {_shown(tensor.name)} twice")
            if tensor.offset != expected_offset:
                raise self._damaged(f"The tensor {_shown(tensor.name)} is not where it should be")
            names.add(tensor.name)
            tensors.append(tensor)
            expected_offset = _padded(tensor.offset + tensor.n_bytes, alignment)
        return tuple(tensors)

    def _tensor(self) -> TensorInfo:
        name = self._text(_MAX_NAME, "The name of a tensor")
        n_dims = self._integer(_U32)
        if n_dims > 4:
            raise self._damaged(f"The tensor {_shown(name)} has {n_dims:,} dimensions")
        shape = tuple(self._integer(_U64) for _ in range(n_dims))
        if math.prod(shape) >= 1 << 63:
            raise self._damaged(f"The tensor {_shown(name)} is larger than any computer's memory")
        ggml_type = self._integer(_U32)
        offset = self._integer(_U64)
        if ggml_type not in TENSOR_TYPES:
            raise BadModelFile(
                f"“{self._name}” stores weights in a way that this version can't read.",
                f"The tensor {_shown(name)} is of the unknown type {ggml_type}.",
                "Choose another quant of the model, such as Q4_K_M, or update Causeway.",
            )
        block = TENSOR_TYPES[ggml_type].block
        if (shape[0] if shape else 1) % block:
            raise self._damaged(f"The rows of the tensor {_shown(name)} are not whole blocks")
        return TensorInfo(name, shape, ggml_type, offset)

    def _count(self, what: str, *, at_least: int, at_most: int) -> int:
        """A number of things that take `at_least` bytes each."""
        count = self._integer(_U64)
        if count > at_most:
            raise self._damaged(f"Its header claims {count:,} {what}, more than fit in the file")
        if count * at_least > self._size:
            raise self._cut_short()
        return count

    def _text(self, limit: int, what: str) -> str:
        length = self._integer(_U64)
        if length > limit:
            raise self._damaged(f"{what} claims to be {length:,} bytes long")
        return self._bytes(length).decode("utf-8", errors="replace")

    def _integer(self, form: struct.Struct) -> int:
        value: int = form.unpack(self._bytes(form.size))[0]
        return value

    def _bytes(self, count: int) -> bytes:
        self._kept += count + _KEPT_OVERHEAD
        if self._kept > _MAX_KEPT:
            raise self._damaged(_TOO_LARGE)
        data = self._file.read(count)
        if len(data) != count:
            raise self._cut_short()
        self._at += count
        return data

    def _move_to(self, position: int) -> None:
        if position > self._size:
            raise self._cut_short()
        if position > _MAX_HEADER:
            raise self._damaged(_TOO_LARGE)
        self._file.seek(position)
        self._at = position

    def _cut_short(self) -> BadModelFile:
        unit = "byte" if self._size == 1 else "bytes"
        return BadModelFile(
            f"“{self._name}” is cut short.",
            f"It ends within its header, after {self._size:,} {unit}.",
            "Download or copy it again.",
        )

    def _damaged(self, why: str) -> BadModelFile:
        return BadModelFile(f"“{self._name}” is damaged.", f"{why}.", "Download or copy it again.")


@cache
def _short_texts() -> re.Pattern[bytes]:
    """Matches a run of texts of fewer than 64 bytes, the usual lengths tried first.

    Vocabularies have hundreds of thousands of them, and this passes over so many at once several
    times faster than a loop.
    """
    lengths = sorted(range(64), key=lambda length: abs(length - 6))
    texts = (re.escape(bytes([length])) + b"\\0" * 7 + b".{%d}" % length for length in lengths)
    return re.compile(b"(?s:%b){%d}+" % (b"|".join(texts), _RUN))


def _shown(name: str) -> str:
    """A name out of the file, fit for a sentence."""
    printable = "".join(char if char.isprintable() else "�" for char in name[:80])
    return f"“{printable}”"


def _padded(position: int, alignment: int) -> int:
    return (position + alignment - 1) // alignment * alignment
