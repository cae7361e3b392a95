"""What the tests of the download queue share: requests, and a fetch that does what it is told."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from catalog.catalogues.entries import HubFile, Url
from catalog.downloads.fetch import FetchedFile
from catalog.downloads.queue import DownloadQueue
from catalog.downloads.wanted import DownloadRequest, DownloadState, Role, WantedFile
from catalog.errors import DownloadCancelled
from catalog.network import Network
from catalog.progress import DownloadProgress
from catalog.remote_file import RemoteFile

SIZE = 1000
PATIENCE_SECONDS = 60.0


def file_of(
    target: str, *, url: str = "", role: Role = "weights", size: int | None = SIZE
) -> WantedFile:
    return WantedFile(
        sources=(Url(url or f"https://example.org/{target}"),),
        target=target,
        role=role,
        size_bytes=size,
    )


def request_of(name: str, *files: WantedFile) -> DownloadRequest:
    return DownloadRequest(
        id=f"{name}:Q4_K_M",
        ref=f"{name}:Q4_K_M",
        title=name.capitalize(),
        quant="Q4_K_M",
        files=files or (file_of(f"{name}.gguf"),),
        entry_id=name,
    )


def no_hub(file: HubFile) -> RemoteFile:
    raise AssertionError(f"nobody wanted {file}")


def until(holds: Callable[[], object]) -> None:
    """Wait for something that another thread brings about."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.005)


class ScriptedFetch:
    """Stands in for `fetch_file`: each file takes until it is let go, and fails where it is to fail.

    Each takes `seconds` at least, unless it is cancelled.

    Attributes:
        most: how many were being fetched at once, at most.
        twice: targets that were fetched twice at the same time.
        begun: every target, each time that it was begun.
        failures: what befalls a target the next time.
    """

    def __init__(self, *, held: bool = True, seconds: float = 0.0) -> None:
        self.most = 0
        self.twice: list[str] = []
        self.begun: list[str] = []
        self.running: list[str] = []
        self.failures: dict[str, Exception] = {}
        self._held = held
        self._seconds = seconds
        self._lock = threading.Lock()
        self._gates: dict[str, threading.Event] = defaultdict(threading.Event)

    def let_go(self, *targets: str) -> None:
        for target in targets:
            self._gates[target].set()

    def let_all_go(self) -> None:
        self._held = False

    def __call__(
        self,
        wanted: WantedFile,
        folder: Path,
        *,
        on_progress: Callable[[DownloadProgress], None],
        cancelled: threading.Event,
        **others: Any,
    ) -> FetchedFile:
        target = wanted.target
        with self._lock:
            self.begun.append(target)
            if target in self.running:
                self.twice.append(target)
            self.running.append(target)
            self.most = max(self.most, len(self.running))
        try:
            on_progress(DownloadProgress("downloading", SIZE // 2, SIZE, 100.0, 5.0))
            while self._held and not self._gates[target].is_set():
                if cancelled.wait(0.002):
                    raise DownloadCancelled("The download was cancelled.")
            if cancelled.wait(self._seconds):
                raise DownloadCancelled("The download was cancelled.")
            if target in self.failures:
                raise self.failures.pop(target)
            path = folder / target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(SIZE))
            on_progress(DownloadProgress("downloading", SIZE, SIZE, 100.0, 0.0))
            return FetchedFile(path, "0" * 64, SIZE)
        finally:
            with self._lock:
                self.running.remove(target)


class Opened:
    """A queue in a folder of its own. Closes it at the end of its `with` block."""

    def __init__(
        self,
        folder: Path,
        fetch: Any,
        *,
        at_once: Callable[[], int] = lambda: 2,
        network: Callable[[], Network] = Network,
        on_done: Callable[[DownloadState, Sequence[FetchedFile]], None] | None = None,
        resolve: Callable[[HubFile], RemoteFile] = no_hub,
        started: bool = True,
    ) -> None:
        self.queue = DownloadQueue(
            folder / "models",
            folder / "downloads.json",
            network=network,
            resolve=resolve,
            at_once=at_once,
            fetch=fetch,
            on_done=on_done,
        )
        if started:
            self.queue.start()

    def __enter__(self) -> DownloadQueue:
        return self.queue

    def __exit__(self, *_: object) -> None:
        self.queue.close()


def phases(queue: DownloadQueue) -> dict[str, str]:
    """The phase of each download by its entry, in order."""
    return {state.request.entry_id: state.phase for state in queue.states()}


def state_of(queue: DownloadQueue, name: str) -> DownloadState:
    return next(state for state in queue.states() if state.request.entry_id == name)
