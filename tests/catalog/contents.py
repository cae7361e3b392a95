"""What a server of files serves: bytes, a file, or content that is made when it is asked for."""

import hashlib
import random
import struct
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 1 << 20


class Generated:
    """The content of a big file, made when it is asked for: the same for the same seed."""

    def __init__(self, size: int, seed: int = 0) -> None:
        self.size = size
        self._block = random.Random(seed).randbytes(_BLOCK - 8)

    def read(self, start: int, length: int) -> bytes:
        end = min(self.size, start + length)
        first = start // _BLOCK
        blocks = b"".join(self._blocks(first, -(-end // _BLOCK)))
        return blocks[start - first * _BLOCK : end - first * _BLOCK]

    @property
    def sha256(self) -> str:
        digest = hashlib.sha256()
        for start in range(0, self.size, _BLOCK):
            digest.update(self.read(start, _BLOCK))
        return digest.hexdigest()

    def _blocks(self, first: int, end: int) -> Iterator[bytes]:
        for number in range(first, end):
            yield struct.pack("<Q", number) + self._block  # no block is like another


Content = bytes | Path | Generated


def size_of(content: Content) -> int:
    if isinstance(content, Path):
        return content.stat().st_size
    return len(content) if isinstance(content, bytes) else content.size


def read_content(content: Content, start: int, length: int) -> bytes:
    if isinstance(content, Path):
        with content.open("rb") as file:
            file.seek(start)
            return file.read(length)
    if isinstance(content, bytes):
        return content[start : start + length]
    return content.read(start, length)
