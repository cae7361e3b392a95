"""What is found out about installed models, off the main thread, for those that are shown."""

from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from app.errors import problem_from
from catalog.library import InstalledModel
from ui.background import Background

T = TypeVar("T")


class Known(QObject, Generic[T]):
    """Remembers what was found out. Whoever paints a row asks for it, and is told when it is there.

    `find_out` may take a while; what it can't find out, with an error in words, is not known.

    Signals:
        changed: more is known now.
    """

    changed = Signal()

    def __init__(
        self,
        background: Background,
        find_out: Callable[[InstalledModel], T],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background = background
        self._find_out = find_out
        self._known: dict[str, T | None] = {}
        self._fresh: set[str] = set()
        self._wanted: dict[str, InstalledModel] = {}
        self._working = False
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._begin)

    def of(self, model: InstalledModel) -> T | None:
        """What is known; None while it is being found out, and where it can't be."""
        key = _key(model)
        if key not in self._fresh and key not in self._wanted:
            self._wanted[key] = model
            if not self._working:
                self._soon.start()
        return self._known.get(key)

    def forget(self) -> None:
        """It may be otherwise now: find out again what is asked for. Until then the old is shown."""
        self._fresh.clear()

    def _begin(self) -> None:
        wanted, self._working = dict(self._wanted), True
        self._background.run(self, partial(_all, self._find_out, wanted), self._take)

    def _take(self, found: dict[str, T | None]) -> None:
        self._working = False
        self._known |= found
        self._fresh |= found.keys()
        for key in found:
            self._wanted.pop(key, None)
        if self._wanted:
            self._soon.start()
        self.changed.emit()


def _all(
    find_out: Callable[[InstalledModel], T], wanted: dict[str, InstalledModel]
) -> dict[str, T | None]:
    return {key: _one(find_out, model) for key, model in wanted.items()}


def _one(find_out: Callable[[InstalledModel], T], model: InstalledModel) -> T | None:
    try:
        return find_out(model)
    except Exception as error:
        if problem_from(error) is None:
            raise
        return None  # the file is gone or damaged; the library says so


def _key(model: InstalledModel) -> str:
    return f"{model.path} {model.size_bytes}"
