"""What a server's answer means for the part: go on, begin anew, or refuse it."""

import re

import httpx2

from catalog.downloads.part_file import PartFile, Piece
from catalog.errors import DownloadError

_CONTENT_RANGE = re.compile(r"bytes (?P<start>\d{1,18})-(?P<end>\d{1,18})/(?P<size>\d{1,18}|\*)")
_NO_SUCH_RANGE = re.compile(r"bytes \*/(?P<size>\d{1,18})")


class Anew(Exception):
    """What is there can't be gone on with: the file is fetched from its beginning, in one stream."""


class WrongContent(Exception):
    """What comes is not the file that was asked for."""


class Gone(DownloadError):
    """The server does not have the file, or not at this address any more."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} does not have the file.",
            "It may have been moved or taken away.",
            "Look for it elsewhere, or try again later.",
        )


def range_headers(part: PartFile, piece: Piece, *, in_one: bool) -> dict[str, str]:
    """What to ask for a piece. `in_one`: nothing of parts where the whole is wanted anyway."""
    headers = {"Accept-Encoding": "identity"}
    if in_one and not piece.at:
        return headers
    headers["Range"] = f"bytes={piece.at}-{'' if piece.end is None else piece.end - 1}"
    if part.validator:
        headers["If-Range"] = part.validator
    return headers


def accept(answer: httpx2.Response, part: PartFile, piece: Piece) -> bool:
    """Make piece and part ready for the body of this answer; False where there is nothing to read.

    Raises `Anew`, `WrongContent` or `DownloadError`.
    """
    host = answer.url.host
    if answer.status_code in (404, 410):
        raise Gone(host)
    if answer.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise DownloadError(f"{host} sends the file packed, which was not asked for.")
    if answer.status_code == 416:
        return _accept_no_more(answer, part, piece)
    if answer.status_code == 206:
        _accept_range(answer, part, piece)
    else:
        _accept_whole(answer, part, piece)
    return True


def is_partial(answer: httpx2.Response) -> bool:
    return answer.status_code == 206


def _accept_no_more(answer: httpx2.Response, part: PartFile, piece: Piece) -> bool:
    """A 416: right where the part turns out to be whole already, or the file is empty."""
    match = _NO_SUCH_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if match is None or int(match["size"]) != piece.at or part.size not in (None, piece.at):
        raise Anew(f"{answer.url.host} does not have the rest of the file.")
    piece.end = piece.at
    part.describe(piece.at, _validator(answer))
    return False


def _accept_range(answer: httpx2.Response, part: PartFile, piece: Piece) -> None:
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if match is None or int(match["start"]) != piece.at:
        raise Anew(f"{answer.url.host} sends another stretch of the file than was asked for.")
    end = int(match["end"]) + 1
    size = None if match["size"] == "*" else int(match["size"])
    if end <= piece.at or end > (piece.end or end) or (size is not None and end > size):
        raise Anew(f"{answer.url.host} sends another stretch of the file than was asked for.")
    _check_same(answer, part, size)
    part.describe(size, _validator(answer))
    piece.end = end


def _accept_whole(answer: httpx2.Response, part: PartFile, piece: Piece) -> None:
    length = answer.headers.get("Content-Length", "")
    size = int(length) if re.fullmatch(r"\d{1,18}", length) else None
    if piece.at or part.written().covered:
        _check_same(answer, part, size)
        raise Anew(f"{answer.url.host} can't go on where it stopped.")
    _check_size(answer, part, size)
    part.describe(size, _validator(answer))
    piece.end = part.size


def _check_same(answer: httpx2.Response, part: PartFile, size: int | None) -> None:
    """That it is still the file that the part belongs to."""
    _check_size(answer, part, size)
    validator = _validator(answer)
    has_other_size = size is not None and part.size not in (None, size)
    if has_other_size or (validator and part.validator not in ("", validator)):
        raise Anew(f"The file has changed on {answer.url.host}.")


def _check_size(answer: httpx2.Response, part: PartFile, size: int | None) -> None:
    expected = part.expected_size
    if size is not None and expected is not None and size != expected:
        raise WrongContent(
            f"{answer.url.host} sends {size:,} bytes where {expected:,} were expected."
        )


def _validator(answer: httpx2.Response) -> str:
    """What `If-Range` may name: a strong tag, else the time of the last change."""
    etag = answer.headers.get("ETag", "").strip()
    if etag.startswith('"'):
        return str(etag)
    return str(answer.headers.get("Last-Modified", "")).strip()
