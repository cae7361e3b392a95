"""The download queue: what a person asked for, fetched some at a time, across restarts."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from catalog.downloads import wishes
from catalog.downloads.bound_fetch import FetchFile, Resolve, bound
from catalog.downloads.claims import Claims
from catalog.downloads.fetch import fetch_file
from catalog.downloads.listing import whole_size
from catalog.downloads.queue_file import QueuedDownload, QueueFile
from catalog.downloads.run import Run
from catalog.downloads.runs import OnDone, Runs
from catalog.downloads.wanted import DownloadProblem, DownloadRequest, DownloadState
from catalog.errors import CatalogError
from catalog.network import Network
from catalog.safe_names import is_safe_path

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
"""How often the file is looked at for what other processes changed."""

_TELL_SECONDS = 0.1
_HISTORY_SECONDS = 60

Listener = Callable[[tuple[DownloadState, ...]], None]


@dataclass
class _Callers:
    """The calls of `run_one` for one download. `are_alone`: without them, nobody would fetch it."""

    are_alone: bool
    count: int = 0


class DownloadQueue:
    """Thread-safe. Several processes may share `queue_file`: none fetches what another one does.

    What changes is on the disk when a method returns; whatever ends the program, the next one goes
    on. Methods raise `CatalogError` where the file can't be used. They read or write a file,
    so the window calls them in the background. An id that is not there (any more) is no error.
    """

    def __init__(
        self,
        models_folder: Path,
        queue_file: Path,
        *,
        network: Callable[[], Network],
        resolve: Resolve,
        at_once: Callable[[], int] = lambda: 2,
        fetch: FetchFile = fetch_file,
        on_done: OnDone | None = None,
    ) -> None:
        self._folder = models_folder
        self._file = QueueFile(queue_file)
        self.queue_file = self._file.file
        self._claims = Claims(queue_file)
        self._at_once = at_once
        self._runs = Runs(
            self._file,
            self._claims,
            models_folder,
            bound(fetch, models_folder, network, resolve),
            is_offline=lambda: network().offline,
            on_done=on_done,
            on_news=self._wake,
        )
        self._changed = threading.Condition()
        self._news = False
        self._closed = False
        self._keeper: threading.Thread | None = None
        self._listeners: list[Listener] = []
        self._callers: dict[str, _Callers] = {}
        self._told: tuple[DownloadState, ...] = ()
        self._looked = 0.0
        self._history: deque[float] = deque(maxlen=_HISTORY_SECONDS)

    def start(self) -> None:
        """Begin to fetch, and go on with what an earlier process left."""
        self._file.read()
        with self._changed:
            if self._keeper is None and not self._closed:
                self._keeper = threading.Thread(target=self._keep, name="download queue")
                self._keeper.start()

    def close(self) -> None:
        """End every thread within a second or so. What runs stays wanted: the next start goes on."""
        with self._changed:
            self._closed = True
            keeper, self._keeper = self._keeper, None
            self._changed.notify_all()
        if keeper is not None:
            keeper.join()
        self._runs.close()
        with suppress(CatalogError):  # an unreadable list is no reason to stay
            self._tell()

    def add(self, request: DownloadRequest, *, paused: bool = False) -> str:
        """Ask for something; its id. What was asked for before goes on, unless it is done."""
        if not request.files or not all(is_safe_path(file.target) for file in request.files):
            raise CatalogError(
                f"“{request.title}” can't be downloaded.",
                "Whoever describes it names a file that would leave the models folder."
                if request.files
                else "Whoever describes it names no file.",
            )
        self._change(wishes.ask_for(request, paused=paused, is_still_there=self._is_there_in_full))
        return request.id

    def pause(self, download_id: str) -> None:
        """Stop it within a second; what was fetched stays."""
        self._change(wishes.turn("paused", of=("waiting",), only=download_id))

    def resume(self, download_id: str) -> None:
        """Let a paused one go on."""
        self._change(wishes.turn("waiting", of=("paused",), only=download_id))

    def retry(self, download_id: str) -> None:
        """Let a failed one go on from the bytes that are there."""
        self._change(wishes.turn("waiting", of=("failed",), only=download_id))

    def pause_all(self) -> None:
        self._change(wishes.turn("paused", of=("waiting",)))

    def resume_all(self) -> None:
        """Let go on whatever is paused or has failed."""
        self._change(wishes.turn("waiting", of=("paused", "failed")))

    def move(self, download_id: str, position: int) -> None:
        """Put it at a position of `states`; what runs already goes on running."""
        self._change(wishes.move(download_id, position))

    def cancel(self, download_id: str) -> None:
        """Give it up, and delete what it brought here; never what was complete before it began.

        One that is done is only forgotten.
        """
        self._change(wishes.cancel(download_id), at_all_costs=True)  # it may be what fills the disk
        self._file.change(lambda downloads: None)  # raises where it still can't be stored

    def remove(self, download_id: str) -> None:
        """Take it off the list, and delete nothing: asked for again, it goes on."""
        self._change(wishes.forget(lambda each: each.id == download_id))

    def clear_finished(self) -> None:
        """Take what is done off the list."""
        self._change(wishes.forget(lambda each: each.wish == "done"))

    def states(self) -> tuple[DownloadState, ...]:
        """Every download, in order."""
        return self._runs.states()

    def total_speed(self) -> float:
        """Bytes a second of everything that this process fetches."""
        return self._runs.total_speed()

    def speed_history(self) -> tuple[float, ...]:
        """`total_speed` once a second over the last minute, the newest last."""
        with self._changed:
            return tuple(self._history)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` the states when they change, at most ten times a second, on any thread.

        Returns what ends that.
        """
        with self._changed:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._changed, suppress(ValueError):
                self._listeners.remove(listener)

        return unsubscribe

    def run_one(
        self,
        request: DownloadRequest,
        on_state: Callable[[DownloadState], None],
        cancelled: threading.Event,
    ) -> DownloadState:
        """Fetch this now, whether or not the queue was started; the state in which it ended.

        Blocks, and calls `on_state` on this thread about ten times a second. When `cancelled` is
        set, or an exception such as `KeyboardInterrupt` comes, it is left paused, unless somebody
        else in this process wants it too: the started queue, or another call. Where another process
        fetches it, its progress is followed; then a cancel only ends the following.
        """
        with self._call_for(request.id) as is_last:
            # Before it is on the list, lest a started queue take it at once.
            claim = self._claims.take(request.id)
            run: Run | None = None
            try:
                self.add(request)
                while True:
                    if run is None or not run.is_alive:
                        run, claim = self._runs.begin(request.id, claim), None
                    state = self._state_of(request)
                    if cancelled.is_set() and not state.elsewhere and is_last():
                        self.pause(request.id)
                    if cancelled.is_set() or state.phase not in ("waiting", "running"):
                        break
                    on_state(state)
                    cancelled.wait(_TELL_SECONDS)
                    self._runs.obey()
            except BaseException:
                if run is not None and is_last():
                    with suppress(CatalogError):
                        self.pause(request.id)
                raise
            finally:
                if claim is not None:
                    claim.close()
                if run is not None:
                    run.stop()
                    run.join()
        state = self._state_of(request)
        on_state(state)
        return state

    @contextmanager
    def _call_for(self, download_id: str) -> Iterator[Callable[[], bool]]:
        """One more call of `run_one` for it. What it gives ends that, and says whether nobody else wants it."""
        known = wishes.find(self._file.read(), download_id)
        with self._changed:
            is_queued = self._keeper is not None and known is not None and known.wish == "waiting"
            callers = self._callers.setdefault(download_id, _Callers(are_alone=not is_queued))
            callers.count += 1
        ended = False

        def is_last() -> bool:
            nonlocal ended
            with self._changed:
                if ended:
                    return False
                ended = True
                callers.count -= 1
                if not callers.count:
                    del self._callers[download_id]
                return not callers.count and callers.are_alone

        try:
            yield is_last
        finally:
            is_last()

    def _change(self, change: wishes.Change, *, at_all_costs: bool = False) -> None:
        self._file.change(change, at_all_costs=at_all_costs)
        self._runs.obey()
        self._wake()
        if self._keeper is None:
            self._tell()

    def _is_there_in_full(self, download: QueuedDownload) -> bool:
        return all(whole_size(file, self._folder) is not None for file in download.request.files)

    def _state_of(self, request: DownloadRequest) -> DownloadState:
        for state in self.states():
            if state.request.id == request.id:
                return state
        return DownloadState(
            request=request,
            phase="failed",
            added_at=time.time(),
            problem=DownloadProblem(
                "The download was taken off the list.",
                "Another window of Causeway did that.",
                "Ask for it again.",
            ),
        )

    def _wake(self) -> None:
        with self._changed:
            self._news = True
            self._changed.notify_all()

    def _keep(self) -> None:
        """The queue's own thread: begins, stops and tells, at most ten times a second."""
        while not self._closed:
            with self._changed:
                self._news = False
            try:
                self._look()
            except CatalogError as error:
                _log.warning("the downloads wait: %s", error)
            except Exception:
                _log.exception("the download queue stumbled")
            with self._changed:
                self._changed.wait_for(lambda: self._closed, timeout=_TELL_SECONDS)
                self._changed.wait_for(lambda: self._news or self._closed, timeout=_LOOK_SECONDS)

    def _look(self) -> None:
        self._runs.obey()
        now = time.monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            self._runs.stop_where_offline()
            with self._changed:
                self._history.append(self._runs.total_speed())
        for download in self._file.read():
            if len(self._runs) >= self._at_once():
                break
            if download.wish == "waiting":
                self._runs.begin(download.id)
        self._tell()

    def _tell(self) -> None:
        states = self.states()
        with self._changed:
            if states == self._told:
                return
            self._told = states
            listeners = tuple(self._listeners)
        for listener in listeners:
            try:
                listener(states)
            except Exception:
                _log.exception("a listener of the download queue broke down")
