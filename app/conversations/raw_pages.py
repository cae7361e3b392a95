"""The rows in a damaged SQLite file, read from its pages without SQLite.

SQLite gives up a table where one page on the way to its rows is damaged, and a whole file where the
first page is. The rows themselves lie in leaf pages, each of which can be read alone. What is read here
is described in “Database File Format” of SQLite's documentation: table leaf pages, overflow chains, and
the frames of a write-ahead log.
"""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

Value = int | float | str | bytes | None

_PAGE_SIZES = (4096, 8192, 16384, 32768, 65536, 2048, 1024, 512)
_USUAL_PAGE = _PAGE_SIZES[0]
_TABLE_LEAF = 0x0D
_LARGEST_ROW = 1 << 30
_LOG_HEADER, _FRAME_HEADER = 32, 24
_LOG_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}


class RawRow(NamedTuple):
    """`is_whole`: nothing of it is missing. What is missing are the last columns, or the end of a text."""

    rowid: int
    values: tuple[Value, ...]
    is_whole: bool


class RawPages:
    """The pages of a database file, with those of its write-ahead log over them."""

    def __init__(self, file: BinaryIO, log: bytes) -> None:
        self._file = file
        self._log = log
        self._size = file.seek(0, 2)
        start = self._at(0, 100)
        self._page = _page_size(start, log)
        reserved = start[20] if start.startswith(b"SQLite format 3\0") else 0
        self._usable = self._page - (reserved if reserved <= 32 else 0)
        self._frames = _newest_frames(log, self._page)

    @property
    def count(self) -> int:
        return max(-(-self._size // self._page), *self._frames, 0)

    def rows(self, on_progress: Callable[[int, int], None]) -> Iterator[RawRow]:
        """The rows of all tables, as far as they can be read. `on_progress`: pages done, of all."""
        count = self.count
        for number in range(2, count + 1):  # the first holds the schema
            on_progress(number, count)
            page = self._read(number)
            if page[:1] == bytes((_TABLE_LEAF,)):
                yield from self._rows_of(page)

    def _at(self, offset: int, length: int) -> bytes:
        try:
            self._file.seek(offset)
            return self._file.read(length)
        except OSError:
            return b""  # a bad sector costs its page

    def _read(self, number: int) -> bytes:
        offset = self._frames.get(number)
        if offset is not None:
            return self._log[offset : offset + self._page]
        return self._at((number - 1) * self._page, self._page)

    def _rows_of(self, page: bytes) -> Iterator[RawRow]:
        n_cells = int.from_bytes(page[3:5], "big")
        if not 0 < n_cells <= self._page // 4:
            return
        for index in range(n_cells):
            pointer = int.from_bytes(page[8 + 2 * index : 10 + 2 * index], "big")
            row = self._row_at(page, pointer) if 8 + 2 * n_cells <= pointer < len(page) else None
            if row is not None:
                yield row

    def _row_at(self, page: bytes, at: int) -> RawRow | None:
        try:
            size, at = _varint(page, at)
            rowid, at = _varint(page, at)
            if not 0 < size <= _LARGEST_ROW:
                return None
            rowid -= (rowid >> 63) << 64
            payload = self._payload(page, at, size)
            values, is_whole = _record(payload, size)
        except (IndexError, ValueError, struct.error):
            return None
        return RawRow(rowid, values, is_whole)

    def _payload(self, page: bytes, at: int, size: int) -> bytes:
        """What can be read of it: a chain of further pages may break off."""
        usable = self._usable
        largest = usable - 35
        if size <= largest:
            return page[at : min(at + size, usable)]
        smallest = (usable - 12) * 32 // 255 - 23
        fitting = smallest + (size - smallest) % (usable - 4)
        here = fitting if fitting <= largest else smallest
        pieces, left = [page[at : at + here]], size - here
        number = int.from_bytes(page[at + here : at + here + 4], "big")
        seen: set[int] = set()
        count = self.count
        while left > 0 and 1 < number <= count and number not in seen:
            seen.add(number)
            further = self._read(number)
            pieces.append(further[4 : min(usable, 4 + left)])
            left -= len(pieces[-1])
            number = int.from_bytes(further[:4], "big")
        return b"".join(pieces)


def rows_of(path: Path, on_progress: Callable[[int, int], None]) -> Iterator[RawRow]:
    """The rows of the database at `path` and its write-ahead log. Raises `OSError`."""
    log = path.with_name(f"{path.name}-wal")
    frames = log.read_bytes() if log.exists() else b""
    with path.open("rb") as file:
        yield from RawPages(file, frames).rows(on_progress)


def _page_size(start: bytes, log: bytes) -> int:
    size = int.from_bytes(start[16:18], "big")
    size = 65536 if size == 1 else size
    if start.startswith(b"SQLite format 3\0") and size in _PAGE_SIZES:
        return size
    noted = int.from_bytes(log[8:12], "big")  # the log knows it too
    if int.from_bytes(log[:4], "big") in _LOG_MAGIC and noted in _PAGE_SIZES:
        return noted
    return _USUAL_PAGE


def _newest_frames(log: bytes, page: int) -> dict[int, int]:
    """Where the newest version of each page lies in the log, up to the last commit.

    SQLite stops at the first frame whose checksum is wrong. Each checksum goes on from the one before,
    as it is written there; so the frames after a damaged one can be checked all the same.
    """
    order = _LOG_MAGIC.get(int.from_bytes(log[:4], "big"))
    salt, before = log[16:24], log[24:32]
    if order is None:  # its own header is damaged: the first frame can't be checked, the others can
        order, salt, before = "<", log[_LOG_HEADER + 8 : _LOG_HEADER + 16], b""
    committed: dict[int, int] = {}
    waiting: dict[int, int] = {}
    for start in range(_LOG_HEADER, len(log) - _FRAME_HEADER - page + 1, _FRAME_HEADER + page):
        head = log[start : start + _FRAME_HEADER]
        number, pages_after_commit = struct.unpack(">2I", head[:8])
        if head[8:16] != salt:
            break  # left over from before the log began anew
        data = start + _FRAME_HEADER
        checked = head[:8] + log[data : data + page]
        if before and _checksum(before, checked, order) == head[16:24]:
            waiting[number] = data
            if pages_after_commit:
                committed |= waiting
                waiting = {}
        before = head[16:24]
    return committed


def _checksum(before: bytes, data: bytes, order: str) -> bytes:
    first, second = struct.unpack(">2I", before)
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return struct.pack(">2I", first, second)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        byte = data[at + index]
        value = (value << 7) | (byte & 0x7F)
        if byte < 0x80:
            return value, at + index + 1
    return (value << 8) | data[at + 8], at + 9


def _record(payload: bytes, size: int) -> tuple[tuple[Value, ...], bool]:
    """The values of a record of `size` bytes. Raises `ValueError` where it is none."""
    header, at = _varint(payload, 0)
    if not at <= header <= len(payload):
        raise ValueError("a record's header is cut off")
    types = []
    while at < header:
        kind, at = _varint(payload, at)
        types.append(kind)
    if at != header or header + sum(map(_length, types)) != size:
        raise ValueError("a record's header does not fit its size")
    values: list[Value] = []
    is_whole = len(payload) == size
    for kind in types:
        end = at + _length(kind)
        if end > len(payload):
            if kind >= 13 and kind % 2:
                values.append(payload[at:].decode(errors="ignore"))
            return tuple(values), False
        value, is_sound = _value(kind, payload[at:end])
        values.append(value)
        is_whole = is_whole and is_sound
        at = end
    return tuple(values), is_whole


def _length(kind: int) -> int:
    if kind >= 12:
        return (kind - 12) // 2
    if kind in (10, 11):
        raise ValueError("no such kind of value")
    return (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)[kind]


def _value(kind: int, data: bytes) -> tuple[Value, bool]:
    """The value, and whether all of it could be read: in a text, a mark stands for what could not."""
    if kind == 0:
        return None, True
    if kind in (8, 9):
        return kind - 8, True
    if kind == 7:
        return float(struct.unpack(">d", data)[0]), True
    if 0 < kind < 7:
        return int.from_bytes(data, "big", signed=True), True
    if kind % 2 == 0:
        return data, True
    try:
        return data.decode(), True
    except UnicodeDecodeError:
        return data.decode(errors="replace"), False
