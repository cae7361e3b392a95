"""What goes on beside the connections: the part is hashed in order, and brought to the disk."""

import hashlib
import threading
import time
from abc import ABC, abstractmethod
from types import TracebackType

from catalog.downloads.part_file import PartFile

_READ_BYTES = 1 << 20
_IDLE_SECONDS = 0.1
_LOOK_SECONDS = 0.02
_MOST_UNSAVED_SECONDS = 0.5
_LEAST_UNSAVED_BYTES = 4 << 20
_MOST_UNSAVED_BYTES = 32 << 20
_UNSAVED_SHARE = 256  # so that a kill costs less than one hundredth


class _Follower(ABC):
    """A thread for as long as a `with` block lasts. What it can't do is raised by `check`."""

    def __init__(self, part: PartFile, name: str) -> None:
        self._part = part
        self._ending = threading.Event()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._part.wake()
        self._thread.join()

    def check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._follow()
        except OSError as error:
            self._failure = error

    @abstractmethod
    def _follow(self) -> None:
        """Work until the block ends. An `OSError` is kept for `check`."""


class Hasher(_Follower):
    """Hashes the part from its beginning on, as far as it is there without a gap.

    It reads what was just written, which the system still has in memory: so the order in which the
    connections bring the pieces does not matter.

    Attributes:
        done: Bytes that are hashed.
    """

    def __init__(self, part: PartFile) -> None:
        super().__init__(part, "download-hash")
        self._digest = hashlib.sha256()
        self.done = 0

    @property
    def sha256(self) -> str:
        """Of the first `done` bytes."""
        return self._digest.hexdigest()

    def _follow(self) -> None:
        buffer = memoryview(bytearray(_READ_BYTES))
        with self._part.path.open("rb", buffering=0) as file:
            while not self._ending.is_set():
                frontier = self._part.wait_beyond(self.done, _READ_BYTES, _IDLE_SECONDS)
                while self.done < frontier and not self._ending.is_set():
                    count = file.readinto(buffer[: min(_READ_BYTES, frontier - self.done)])
                    if not count:
                        raise OSError("the part is shorter than what was written to it")
                    self._digest.update(buffer[:count])
                    self.done += count


class Keeper(_Follower):
    """Saves the part again and again, so that a kill or a power cut costs little."""

    def __init__(self, part: PartFile) -> None:
        super().__init__(part, "download-save")

    def _follow(self) -> None:
        saved, saved_at = 0, time.monotonic()
        while not self._ending.wait(_LOOK_SECONDS):
            unsaved = self._part.written().covered - saved
            size = self._part.size or 0
            bound = min(max(size // _UNSAVED_SHARE, _LEAST_UNSAVED_BYTES), _MOST_UNSAVED_BYTES)
            waited = time.monotonic() - saved_at
            if unsaved >= bound or (unsaved and waited >= _MOST_UNSAVED_SECONDS):
                saved, saved_at = self._part.save(), time.monotonic()
