"""A file that holds the state of one sequence: what it belongs to, its tokens, and the bytes.

    magic · length and CRC of the header · header (msgpack) · payload

Header and payload are each checked by CRC-32: a state is read while somebody waits for an answer,
and 70 MB of it take 17 ms, with SHA-256 39 ms and with BLAKE2b 74 ms (three times as many where the
processor has no instructions for them). It guards against damage; nobody but their owner can write
the files. Nothing is synced to the disk: what a power cut leaves is damaged, and found to be.
"""

import hashlib
import re
import struct
import zlib
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from backends.llama_cpp.own_files import open_regular

Adapters = tuple[tuple[str, float], ...]
"""The hash of each adapter's file, and its scale."""

Answer = tuple[str, tuple[int, ...]]
"""The text of an answer, and the tokens that it was generated as."""

Payload = bytes | bytearray

_MAGIC = b"CWSTATE2"
_START = struct.Struct("<8sII")
_MAX_HEADER_BYTES = 64 * 2**20
_PIECE_BYTES = 8 * 2**20
_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{16}){3}\.state")
_UNFINISHED = re.compile(_NAME.pattern + r"\.[0-9a-f]{8}\.part")


class ModelKey(msgspec.Struct, frozen=True, kw_only=True):
    """What a state depends on, beside the adapters and the tokens.

    `model` is `fingerprint.model_fingerprint`; `cache_type` names all that shapes the bytes (types of
    keys and values, flash attention); `engine` names version and build.
    """

    model: str
    template: str
    cache_type: str
    engine: str


class SavedState(NamedTuple):
    """A saved sequence without its payload, which has `n_bytes`.

    `notes` say of each token how it was computed, as in `reading_plan`.
    """

    name: str
    tokens: "array[int]"
    answers: tuple[Answer, ...]
    n_bytes: int
    notes: bytes = b""


class DamagedState(ValueError):
    """A file is none of this format, or not as it was written."""


class _Header(msgspec.Struct, frozen=True, array_like=True):
    model: ModelKey
    adapters: Adapters
    tokens: bytes
    answers: tuple[Answer, ...]
    n_bytes: int
    crc: int
    notes: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Header).decode


def is_state_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def is_unfinished_name(name: str) -> bool:
    """Whether a file of that name is one that was being written."""
    return _UNFINISHED.fullmatch(name) is not None


def engine_prefix(model: ModelKey) -> str:
    """How the names of all files begin that this engine can read."""
    return _hash(_MAGIC + model.engine.encode(), 8)


def model_prefix(model: ModelKey) -> str:
    """How the names of all files of this model begin, whatever the adapters."""
    return f"{engine_prefix(model)}-{_hash(_encode(model), 16)}-"


def stack_prefix(model: ModelKey, adapters: Adapters) -> str:
    """How the names of all files begin that one sequence can go on from."""
    return f"{model_prefix(model)}{_hash(_encode(adapters), 16)}-"


def state_name(model: ModelKey, adapters: Adapters, tokens: Sequence[int]) -> str:
    return f"{stack_prefix(model, adapters)}{_hash(as_array(tokens).tobytes(), 16)}.state"


def as_array(tokens: Sequence[int]) -> "array[int]":
    return tokens if isinstance(tokens, array) else array("i", tokens)


def contents(
    model: ModelKey,
    adapters: Adapters,
    tokens: Sequence[int],
    answers: tuple[Answer, ...],
    payload: Payload,
    notes: bytes = b"",
) -> Iterator[bytes | memoryview]:
    """The file in pieces of a few megabytes at most."""
    crc = zlib.crc32(payload)
    header = _encode(
        _Header(model, adapters, as_array(tokens).tobytes(), answers, len(payload), crc, notes)
    )
    yield _START.pack(_MAGIC, len(header), zlib.crc32(header)) + header
    view = memoryview(payload)
    for start in range(0, len(view), _PIECE_BYTES):
        yield view[start : start + _PIECE_BYTES]


def read_state(path: Path, model: ModelKey) -> SavedState:
    """What a file holds, without its payload. Raises DamagedState and OSError."""
    with open_regular(path) as file:
        return _saved(path.name, _read_header(file), model)


def read_payload(path: Path, model: ModelKey) -> bytes:
    """The checked payload. Raises DamagedState and OSError."""
    with open_regular(path) as file:
        header = _read_header(file)
        _saved(path.name, header, model)
        payload = file.read(header.n_bytes)
    if len(payload) != header.n_bytes or zlib.crc32(payload) != header.crc:
        raise DamagedState(path.name)
    return payload


def _read_header(file: BinaryIO) -> _Header:
    size = file.seek(0, 2)
    file.seek(0)
    start = file.read(_START.size)
    if len(start) < _START.size:
        raise DamagedState("too short")
    magic, length, crc = _START.unpack(start)
    if magic != _MAGIC or length > min(_MAX_HEADER_BYTES, size):
        raise DamagedState("another format")
    encoded = file.read(length)
    if zlib.crc32(encoded) != crc:
        raise DamagedState("the header")
    try:
        header = _decode(encoded)
    except (ValueError, RecursionError) as error:
        raise DamagedState("the header") from error
    if size != _START.size + length + header.n_bytes:
        raise DamagedState("the length")
    return header


def _saved(name: str, header: _Header, model: ModelKey) -> SavedState:
    tokens = array("i")
    if len(header.tokens) % tokens.itemsize:
        raise DamagedState("the tokens")
    tokens.frombytes(header.tokens)
    if header.model != model or name != state_name(model, header.adapters, tokens):
        raise DamagedState("another state than its name says")
    return SavedState(name, tokens, header.answers, header.n_bytes, header.notes)


def _hash(data: bytes, digits: int) -> str:
    return hashlib.sha256(data).hexdigest()[:digits]
