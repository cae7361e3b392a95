"""The connections that bring one file together, for as long as the line holds."""

import threading
import time
from collections.abc import Callable

import httpx2

from catalog.downloads.answers import Gone, WrongContent, accept, is_partial, range_headers
from catalog.downloads.part_file import PartFile, Piece
from catalog.downloads.rate_limit import RateLimiter
from catalog.downloads.whereabouts import Whereabouts
from catalog.http import HttpClient, Refused, host_of
from catalog.retries import Interrupted, Patience

_TICK_SECONDS = 0.1
_LEAST_PIECE = 4 << 20
_MOST_PIECE = 32 << 20
_PIECES_EACH = 2  # of what is left, so that all connections end at about the same time
_LEAST_SPEED = 1024  # bytes a second, below which a server is as good as silent
_REST_SECONDS = 5.0


class Crew:
    """Some threads, each with a connection that fetches piece after piece.

    The first goes ahead; the others follow when its answer shows that the server sends stretches.
    One that fails ends, and the others go on with what it left. `limit`: bytes after which a file of
    unknown size is refused.
    """

    def __init__(
        self,
        client: HttpClient,
        part: PartFile,
        whereabouts: Whereabouts,
        *,
        connections: int,
        limit: int | None,
        limiter: RateLimiter,
        patience: Patience,
    ) -> None:
        self._client = client
        self._part = part
        self._whereabouts = whereabouts
        self._remote = whereabouts.remote()
        self._connections = connections
        self._limit = limit
        self._limiter = limiter
        self._patience = patience
        self._stopping = threading.Event()
        self._news = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._active = 0
        self._allowed = 1
        self._is_ranged = False
        self._rest_until = 0.0
        self._interruption: Interrupted | None = None
        self._failure: BaseException | None = None

    def run(self, tick: Callable[[], None]) -> None:
        """Bring what is missing, calling `tick` about ten times a second on this thread.

        Raises what went wrong: `Interrupted` where no connection is left and something is missing,
        and whatever can't be got over by trying again. What `tick` raises ends it too.
        """
        try:
            self._grow()
            while self._active:
                self._news.wait(_TICK_SECONDS)
                self._news.clear()
                tick()
                if self._failure is not None:
                    raise self._failure
                self._grow()
        finally:
            self._stop()
        if self._failure is not None:
            raise self._failure
        if not self._part.is_whole:
            host = host_of(self._remote.url)
            raise self._interruption or Interrupted(f"The connection to {host} broke off.")

    def _stop(self) -> None:
        self._stopping.set()
        if self._active:
            self._client.hang_up()
        for thread in self._threads:
            thread.join()

    def _grow(self) -> None:
        """Add connections, as many as may be and have something to do."""
        if time.monotonic() < self._rest_until:
            return
        if self._interruption is not None and self._active:
            # The server may bear no more connections than those that are left: one more, to see.
            self._allowed = self._active + 1
            self._interruption = None
        elif self._is_ranged and self._allowed < self._connections:
            self._allowed += 1
            self._rest_until = time.monotonic() + _REST_SECONDS
        while self._active < self._allowed and self._interruption is None:
            piece = self._part.claim(self._most())
            if piece is None:
                return
            thread = threading.Thread(
                target=self._work, args=(piece,), name="download-connection", daemon=True
            )
            with self._lock:
                self._active += 1
            self._threads.append(thread)
            thread.start()

    def _most(self) -> int | None:
        """How long the next piece may be."""
        if self._connections == 1:
            return None
        size = self._part.size
        if size is None:
            return _LEAST_PIECE
        left = size - self._part.written().covered
        return max(_LEAST_PIECE, min(_MOST_PIECE, left // (_PIECES_EACH * self._connections)))

    def _work(self, first: Piece) -> None:
        piece: Piece | None = first
        try:
            while piece is not None and not self._stopping.is_set():
                try:
                    self._fetch(piece)
                except Interrupted as interruption:
                    self._interrupt(interruption)  # before another connection can take the rest
                    return
                finally:
                    self._part.release(piece)
                self._rest()
                piece = self._part.claim(self._most())
            if piece is not None:
                self._part.release(piece)
        except BaseException as failure:
            self._failure = self._failure or failure
        finally:
            with self._lock:
                self._active -= 1
            self._news.set()

    def _interrupt(self, interruption: Interrupted) -> None:
        with self._lock:
            pause = max(interruption.pause_seconds, _REST_SECONDS)
            self._rest_until = time.monotonic() + pause
            self._interruption = interruption

    def _rest(self) -> None:
        """The server asked one connection to wait: that counts for all."""
        while (
            self._interruption is not None
            and self._interruption.pause_seconds
            and (left := self._rest_until - time.monotonic()) > 0
            and not self._stopping.wait(min(left, _TICK_SECONDS))
        ):
            pass

    def _fetch(self, piece: Piece) -> None:
        url, authorization = self._whereabouts.address()
        remote = self._whereabouts.remote()
        if (remote.sha256, remote.size) != (self._remote.sha256, self._remote.size):
            raise Interrupted(f"The file has changed on {host_of(remote.url)}.")
        try:
            self._fetch_from(url, authorization, piece)
        except (Refused, Gone):
            if not self._whereabouts.note_refusal(url):
                raise

    def _fetch_from(self, url: str, authorization: str, piece: Piece) -> None:
        headers = range_headers(self._part, piece, in_one=self._connections == 1)
        if authorization:
            headers["Authorization"] = authorization
        with self._client.get(url, headers) as answer:
            if not accept(answer, self._part, piece):
                return
            if is_partial(answer) and not self._is_ranged:
                self._is_ranged = True
                self._allowed = self._connections
                self._news.set()
            self._whereabouts.note_answer(str(answer.url))
            self._read(answer, piece)
        if piece.end is None:
            self._part.describe(piece.at, "")
        elif piece.at < piece.end:
            raise Interrupted(f"{answer.url.host} broke off early.")

    def _read(self, answer: httpx2.Response, piece: Piece) -> None:
        host = answer.url.host
        end = piece.end if piece.end is not None else self._limit
        came, waited = 0, 0.0
        asked = time.monotonic()
        for chunk in answer.iter_raw():
            waited += time.monotonic() - asked
            came += len(chunk)
            if waited > self._patience.read_seconds:
                if came < _LEAST_SPEED * waited:
                    raise Interrupted(f"{host} hardly sends anything any more.")
                came, waited = 0, 0.0
            if end is not None and piece.at + len(chunk) > end:
                raise WrongContent(f"{host} sends more than {end:,} bytes.")
            self._limiter.take(len(chunk), self._stopping)
            if self._stopping.is_set():
                raise Interrupted("The download is ending.")
            piece.write(chunk)
            asked = time.monotonic()
