"""`fetch_file` as the runs of the queue call it: with everything given that they have in common."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Protocol

from catalog.catalogues.entries import HubFile
from catalog.downloads.fetch import FetchedFile
from catalog.downloads.rate_limit import RateLimiter
from catalog.downloads.run import FetchOne
from catalog.downloads.wanted import WantedFile
from catalog.errors import DownloadCancelled
from catalog.network import Network
from catalog.progress import DownloadProgress
from catalog.remote_file import RemoteFile

_POLL_SECONDS = 0.1
_KEPT_SECONDS = 0.5

Resolve = Callable[[HubFile], RemoteFile]


class FetchFile(Protocol):
    """The signature of `fetch_file`, as far as the queue uses it."""

    def __call__(
        self,
        wanted: WantedFile,
        folder: Path,
        *,
        network: Callable[[], Network],
        resolve: Resolve,
        limiter: RateLimiter,
        on_progress: Callable[[DownloadProgress], None],
        cancelled: threading.Event,
    ) -> FetchedFile: ...


def bound(
    fetch: FetchFile, folder: Path, network: Callable[[], Network], resolve: Resolve
) -> FetchOne:
    """`fetch` into `folder`, all of it under one rate limit."""
    limiter = RateLimiter(_kept_for_a_moment(lambda: network().bytes_per_second))

    def fetch_one(
        wanted: WantedFile,
        *,
        on_progress: Callable[[DownloadProgress], None],
        cancelled: threading.Event,
    ) -> FetchedFile:
        return fetch(
            wanted,
            folder,
            network=network,
            resolve=until_cancelled(resolve, cancelled),
            limiter=limiter,
            on_progress=on_progress,
            cancelled=cancelled,
        )

    return fetch_one


def until_cancelled(resolve: Resolve, cancelled: threading.Event) -> Resolve:
    """`resolve`, raising `DownloadCancelled` soon after `cancelled` is set.

    A silent server holds the question for as long as its time-out takes: it is left to a thread of
    its own, which ends with the question.
    """

    def resolve_unless_cancelled(file: HubFile) -> RemoteFile:
        answers: SimpleQueue[RemoteFile | Exception] = SimpleQueue()

        def ask() -> None:
            try:
                answers.put(resolve(file))
            except Exception as error:
                answers.put(error)

        threading.Thread(target=ask, name=f"resolve {file.name}", daemon=True).start()
        while not cancelled.is_set():
            try:
                answer = answers.get(timeout=_POLL_SECONDS)
            except Empty:
                continue
            if isinstance(answer, Exception):
                raise answer
            return answer
        raise DownloadCancelled("The download was cancelled.")

    return resolve_unless_cancelled


def _kept_for_a_moment(ask: Callable[[], int]) -> Callable[[], int]:
    """The answer of half a second ago will do: it is asked for with every chunk that arrives."""
    answered, answer = 0.0, 0

    def kept() -> int:
        nonlocal answered, answer
        now = time.monotonic()
        if now - answered >= _KEPT_SECONDS:
            answered, answer = now, ask()
        return answer

    return kept
