"""The header of a GGUF file on a server, read without downloading the file."""

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import unquote, urlsplit

import msgspec

from catalog.errors import BadModelFile, DownloadError
from catalog.gguf.header import GgufHeader
from catalog.gguf.header_cache import HeaderCache
from catalog.gguf.reader import HeaderReader
from catalog.network import Network
from catalog.remote_file import RemoteFile
from catalog.retries import Interrupted, Patience, Retries

if TYPE_CHECKING:
    from catalog.http import HttpClient

_PIECE = 2 << 20
_MOST = 32 << 20
"""Some vocabularies need 20 MB."""

_UNKNOWN_SIZE = 1 << 62
_AGAIN = "Check the connection and try again."


def read_remote_header(
    remote: RemoteFile,
    cache_folder: Path,
    *,
    network: Network,
    cancelled: threading.Event,
    patience: Patience | None = None,
) -> GgufHeader:
    """What a file on a server says of itself before its weights begin. Blocks.

    At most 32 MB are fetched, in pieces, and only those that the reader wants to see. What was
    read is kept in `cache_folder` and found there again, also offline. Raises `BadModelFile` for
    what is no sound header, `DownloadError`, and `DownloadCancelled`.
    """
    from catalog.http import HttpClient, host_of

    cache = HeaderCache(cache_folder)
    key = _key(remote)
    if key and (known := cache.find(key)):
        return known
    patience = patience or Patience()
    name = _name(remote.url) or f"The file from {host_of(remote.url)}"
    with HttpClient(cancelled, patience, network) as client:
        pieces = _Pieces(client, remote, name, Retries(cancelled, patience))
        with contextlib.closing(pieces):
            header = HeaderReader(cast(BinaryIO, pieces), name, pieces.size).read()
    if key:
        cache.keep(key, header)
    return header


def known_header(sha256: str, cache_folder: Path) -> GgufHeader | None:
    """The header of the file with that checksum, where it has been read before."""
    return HeaderCache(cache_folder).find(sha256.lower()) if sha256.isalnum() else None


class _Pieces:
    """A file on a server, as something to read and seek in; pieces are fetched when they are read."""

    def __init__(
        self, client: "HttpClient", remote: RemoteFile, name: str, retries: Retries
    ) -> None:
        self._client = client
        self._remote = remote
        self._name = name
        self._retries = retries
        self._pieces: dict[int, bytes] = {}
        self._size = remote.size
        self._at = 0
        # Set where the server knows no ranges: what is left of the one answer, and what ends it.
        self._stream: Iterator[bytes] | None = None
        self._answer = contextlib.ExitStack()

    @property
    def size(self) -> int:
        """Bytes of the whole file, more than there can be where the server does not say."""
        self._piece(0)
        return _UNKNOWN_SIZE if self._size is None else self._size

    def read(self, size: int) -> bytes:
        end = self._at + size
        parts: list[bytes] = []
        while self._at < end:
            number, start = divmod(self._at, _PIECE)
            part = self._piece(number)[start : start + end - self._at]
            if not part:
                break
            parts.append(part)
            self._at += len(part)
        return b"".join(parts)

    def seek(self, offset: int) -> None:
        self._at = offset

    def close(self) -> None:
        self._answer.close()

    def _piece(self, number: int) -> bytes:
        if (number + 1) * _PIECE > _MOST:
            raise BadModelFile(
                f"“{self._name}” is damaged.",
                f"Its header is larger than {_MOST >> 20} MB, which no model needs.",
                "Choose another file.",
            )
        while number not in self._pieces:
            if self._stream is not None:
                self._pieces[len(self._pieces)] = self._next_of_stream(self._stream)
                continue
            try:
                self._fetch(number)
            except Interrupted as failure:
                self._retries.wait_after(failure, _AGAIN)
            else:
                self._retries.reset()
        return self._pieces[number]

    def _fetch(self, number: int) -> None:
        start = number * _PIECE
        if self._size is not None and start >= self._size:
            self._pieces[number] = b""
            return
        headers = {"Range": f"bytes={start}-{start + _PIECE - 1}", "Accept-Encoding": "identity"}
        if self._remote.authorization:
            headers["Authorization"] = self._remote.authorization
        with contextlib.ExitStack() as opened:
            answer = opened.enter_context(self._client.get(self._remote.url, headers))
            if answer.status_code == 206:
                self._note_size(_total(answer.headers.get("Content-Range", ""), start))
                self._pieces[number] = self._checked(b"".join(_bounded(answer.iter_bytes())), start)
            elif answer.status_code == 200:
                length = answer.headers.get("Content-Length", "")
                self._note_size(int(length) if length.isdecimal() else None)
                self._pieces.clear()
                self._stream = _cut(answer.iter_bytes())
                self._answer = opened.pop_all()
            elif answer.status_code == 416:
                self._pieces[number] = b""
            else:
                raise DownloadError(
                    f"“{self._name}” is not there any more.",
                    f"The server answers with status {answer.status_code}.",
                    "Look for the model anew.",
                )

    def _next_of_stream(self, stream: Iterator[bytes]) -> bytes:
        try:
            try:
                return next(stream, b"")
            except Exception as error:
                # The client puts it in words, if it learns of it.
                self._answer.pop_all().__exit__(type(error), error, error.__traceback__)
                raise
        except Interrupted as failure:
            raise DownloadError(failure.what, failure.why, _AGAIN) from failure

    def _note_size(self, size: int | None) -> None:
        if size is None:
            return
        if self._size is not None and size != self._size:
            raise DownloadError(
                f"“{self._name}” is not the file that it should be.",
                f"It has {size:,} bytes instead of {self._size:,}.",
                "Its makers may have put another in its place. Look for the model anew.",
            )
        self._size = size

    def _checked(self, piece: bytes, start: int) -> bytes:
        whole = _PIECE if self._size is None else min(_PIECE, self._size - start)
        if len(piece) > _PIECE or (self._size is not None and len(piece) != whole):
            raise Interrupted("The server sent another part of the file than it was asked for.")
        return piece


def _total(content_range: str, start: int) -> int | None:
    """The size of the whole, from “bytes 0-99/1234”; None for “*”."""
    unit, _, rest = content_range.partition(" ")
    stretch, _, total = rest.partition("/")
    first = stretch.partition("-")[0]
    if unit != "bytes" or not first.isdecimal() or int(first) != start:
        raise Interrupted("The server sent another part of the file than it was asked for.")
    return int(total) if total.isdecimal() else None


def _bounded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks of a piece, and hardly more, however many the server sends."""
    size = 0
    for chunk in chunks:
        yield chunk
        size += len(chunk)
        if size > _PIECE:
            return


def _cut(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of the usual size."""
    piece = bytearray()
    for chunk in chunks:
        piece += chunk
        while len(piece) >= _PIECE:
            yield bytes(piece[:_PIECE])
            del piece[:_PIECE]
    yield bytes(piece)


def _key(remote: RemoteFile) -> str:
    """What the content goes by; empty where nothing tells one version of it from the next."""
    if remote.sha256:
        return remote.sha256.lower() if remote.sha256.isalnum() else ""
    if not remote.etag:
        return ""
    address = remote.url.partition("?")[0]  # what is signed changes with every request
    told = msgspec.json.encode((address, remote.etag, remote.size))
    return hashlib.sha256(told).hexdigest()


def _name(url: str) -> str:
    return "".join(c for c in unquote(urlsplit(url).path).rpartition("/")[2] if c.isprintable())
