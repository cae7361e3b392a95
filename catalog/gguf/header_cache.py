"""Headers that were read from servers, kept so that a model need not be asked about twice."""

import contextlib
from pathlib import Path

import msgspec

from catalog.gguf.header import GgufHeader
from catalog.whole_file import write_whole

_MOST_HEADERS = 500
_MOST_BYTES = 2 << 20  # of one; without its vocabulary a header takes a tenth of that
_SUFFIX = ".header-1"  # counts up when the form changes


class HeaderCache:
    """One small file a header. It only spares work: whatever goes wrong with it, goes on without."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> GgufHeader | None:
        """The header under that key, which is a hexadecimal checksum."""
        path = self._path(key)
        try:
            header = msgspec.msgpack.decode(path.read_bytes(), type=GgufHeader)
        except (OSError, ValueError, RecursionError):
            return None
        with contextlib.suppress(OSError):
            path.touch()
        return header

    def keep(self, key: str, header: GgufHeader) -> None:
        data = msgspec.msgpack.encode(header)
        if len(data) > _MOST_BYTES:
            return
        with contextlib.suppress(OSError):
            self._forget_oldest()
            write_whole(self._path(key), data)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"

    def _forget_oldest(self) -> None:
        kept = sorted(self._folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
        for path in kept[: max(0, len(kept) - _MOST_HEADERS + 1)]:
            path.unlink(missing_ok=True)
