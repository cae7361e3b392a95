"""Models that clients ask for: fetched by the download queue, as a person would have them fetched."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import aclosing, asynccontextmanager, suppress

from app.lookup import Lookup
from app.references import UrlRef, parse_ref
from app.server.failures import Failure, failure_of
from catalog.downloads.queue import DownloadQueue
from catalog.downloads.wanted import DownloadRequest, DownloadState

_MOST_AT_ONCE = 4
_HUB_NAMES = ("hf.co/", "huggingface.co/", "https://hf.co/", "https://huggingface.co/")
"""How clients of Ollama name a repository of the Hub."""


class Pulling:
    """Fetches what a client names. In the server's loop, each download followed on a thread."""

    def __init__(self, lookup: Lookup, downloads: DownloadQueue, threads: Executor) -> None:
        self._lookup = lookup
        self._downloads = downloads
        self._threads = threads
        self._cancels: set[threading.Event] = set()

    @asynccontextmanager
    async def pull(self, name: str) -> AsyncIterator[AsyncIterator[DownloadState]]:
        """How the download goes, down to "done". Leaving it pauses the download, unless somebody else
        wants it too; asked for again, it goes on from there. Entering and iterating raise `Failure`.
        """
        if len(self._cancels) >= _MOST_AT_ONCE:
            raise Failure(
                "busy",
                f"{_MOST_AT_ONCE} models are being fetched for programs. Wait for one of them.",
                code="rate_limit_exceeded",
                retry_after=30,
            )
        loop = asyncio.get_running_loop()
        cancelled = threading.Event()
        self._cancels.add(cancelled)
        come: asyncio.Queue[DownloadState | Failure | None] = asyncio.Queue()

        def call(function: Callable[..., object], *given: object) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                loop.call_soon_threadsafe(function, *given)

        def tell(news: DownloadState | Failure | None) -> None:
            call(come.put_nowait, news)

        def fetch(request: DownloadRequest) -> None:
            try:
                last = self._downloads.run_one(request, tell, cancelled)
                tell(_problem_of(last))
            except Exception as error:
                tell(failure_of(error))
            finally:
                call(self._cancels.discard, cancelled)

        try:
            request = await loop.run_in_executor(self._threads, self._find, name)
        except BaseException:
            self._cancels.discard(cancelled)
            raise
        loop.run_in_executor(self._threads, fetch, request)
        try:
            async with aclosing(_read(come)) as states:
                yield states
        finally:
            cancelled.set()

    def cancel_all(self) -> None:
        for cancelled in tuple(self._cancels):
            cancelled.set()

    def _find(self, name: str) -> DownloadRequest:
        """Raises `Failure`. On a thread: it may ask the Hub."""
        try:
            ref = _as_reference(name)
            if isinstance(parse_ref(ref), UrlRef):
                raise Failure(
                    "invalid",
                    "Programs can fetch models of the catalogue and of the Hub alone. “causeway pull” takes"
                    " any address.",
                    param="model",
                )
            found = self._lookup.find(ref)
        except Exception as error:
            raise failure_of(error) from None
        if found.to_accept is not None:
            raise Failure(
                "forbidden",
                f"{found.request.title} has a licence that a person must agree to. Get it in Causeway, or"
                f" with “causeway pull {ref} --accept-licence”.",
                code="licence",
                param="model",
            )
        return found.request


async def _read(
    come: "asyncio.Queue[DownloadState | Failure | None]",
) -> AsyncGenerator[DownloadState, None]:
    while (news := await come.get()) is not None:
        if isinstance(news, Failure):
            raise news
        yield news


def _problem_of(state: DownloadState) -> Failure | None:
    """None for a download that is done."""
    if state.phase == "done":
        return None
    problem = state.problem
    if problem is None:
        return Failure(
            "unavailable", f"{state.request.title} is not fetched to its end.", code="paused"
        )
    words = " ".join(part for part in (problem.what, problem.why, problem.fix) if part)
    return Failure("unavailable", words, code="download_failed")


def _as_reference(name: str) -> str:
    """“hf.co/OWNER/NAME:QUANT” as the command line writes it. “:latest” says nothing, and is left out."""
    given = name.strip().removesuffix(":latest")
    for beginning in _HUB_NAMES:
        if given.lower().startswith(beginning):
            return f"hub:{given[len(beginning) :]}"
    return given
