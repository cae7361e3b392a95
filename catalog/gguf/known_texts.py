"""Vocabularies that were walked over before, so that the next file with the same one is read at once."""

import hashlib
import threading
from typing import BinaryIO

_START = 4096
_PIECE = 1 << 20


class KnownTexts:
    """Remembers how long lists of texts are, by their content. May be used from several threads.

    Models of a family share their vocabulary, which is most of a header. Hashing it is far quicker
    than walking from text to text, and as safe: the same bytes end in the same place.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, bytes], dict[bytes, int]] = {}
        self._lock = threading.Lock()

    def size_at(self, file: BinaryIO, count: int) -> int:
        """The bytes that a list of `count` texts takes from here on; 0 where it is not known.

        The file is left anywhere.
        """
        start = file.tell()
        with self._lock:
            sizes = dict(self._known.get((count, file.read(_START)), ()))
        for digest, size in sizes.items():
            file.seek(start)
            if _digest(file, size) == digest:
                return size
        return 0

    def note(self, file: BinaryIO, start: int, count: int, size: int) -> None:
        """Remember the list of `count` texts that takes `size` bytes. The file is left anywhere."""
        file.seek(start)
        key = (count, file.read(_START))
        file.seek(start)
        digest = _digest(file, size)
        with self._lock:
            self._known.setdefault(key, {})[digest] = size


def _digest(file: BinaryIO, size: int) -> bytes:
    digest = hashlib.sha256()
    while size and (piece := file.read(min(size, _PIECE))):
        digest.update(piece)
        size -= len(piece)
    return digest.digest()
