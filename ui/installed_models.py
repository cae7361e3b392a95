"""The library as the window sees it: read off the main thread, and again whenever a file changes."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QObject, Qt, Signal

from catalog.library import InstalledModel, Library, LibraryProblem
from ui.background import Background


class Installed(NamedTuple):
    """What is on this computer. `problems` are files that can't be used."""

    models: tuple[InstalledModel, ...] = ()
    adapters: tuple[InstalledModel, ...] = ()
    problems: tuple[LibraryProblem, ...] = ()

    @classmethod
    def of(
        cls, everything: Sequence[InstalledModel], problems: tuple[LibraryProblem, ...] = ()
    ) -> "Installed":
        models = tuple(model for model in everything if model.kind != "adapter")
        adapters = tuple(model for model in everything if model.kind == "adapter")
        return cls(models, adapters, problems)

    @property
    def writers(self) -> tuple[InstalledModel, ...]:
        """The models that can write an answer."""
        return tuple(model for model in self.models if model.writes)


class InstalledModels(QObject):
    """Reads the library, and watches it.

    Attributes:
        now: as last read.

    Signals:
        changed: the `Installed`.
    """

    changed = Signal(object)
    _told = Signal()

    def __init__(
        self, background: Background, library: Library, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.now = Installed()
        self._background = background
        self._library = library
        self._reading = False
        self._again = False
        self._end: Callable[[], None] | None = None
        self._stopped = False
        self._told.connect(self.refresh, Qt.ConnectionType.QueuedConnection)

    def watch(self) -> None:
        """Begin to read again by itself whenever a file comes, goes or changes."""
        self._background.run(self, self._begin_watching)

    def stop(self) -> None:
        """Watch no longer. Waits for the threads that watch."""
        self._stopped = True
        end, self._end = self._end, None
        if end is not None:
            end()

    def refresh(self) -> None:
        """Read again; while that is being done, once more afterwards."""
        if self._reading:
            self._again = True
            return
        self._reading = True
        self._background.run(self, self._read, self._take, self._give_up)

    def _begin_watching(self) -> None:
        """On another thread; `stop` may come at any moment."""
        self._end = self._library.watch(self._told.emit)
        if self._stopped:
            self.stop()

    def _read(self) -> Installed:
        return Installed.of(self._library.everything(), self._library.problems)

    def _take(self, read: Installed) -> None:
        self._reading = False
        if read != self.now:
            self.now = read
            self.changed.emit(read)
        self._follow_up()

    def _give_up(self, error: Exception) -> None:
        self._reading = False
        self._follow_up()
        raise error

    def _follow_up(self) -> None:
        if self._again:
            self._again = False
            self.refresh()
