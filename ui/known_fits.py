"""Whether installed models fit this computer: computed off the main thread, for those that are shown."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from app.errors import problem_from
from catalog.fit.fit import Fit
from catalog.library import InstalledModel
from ui.background import Background

FitOf = Callable[[InstalledModel], Fit]


class KnownFits(QObject):
    """Remembers what has been computed. Whoever paints a row asks for it, and is told when it is there.

    Signals:
        changed: more is known now.
    """

    changed = Signal()

    def __init__(
        self, background: Background, fit_of: FitOf, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._background = background
        self._fit_of = fit_of
        self._known: dict[str, Fit | None] = {}
        self._fresh: set[str] = set()
        self._wanted: dict[str, InstalledModel] = {}
        self._computing = False
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._compute)

    def of(self, model: InstalledModel) -> Fit | None:
        """What is known; None while it is being found out, where it can't be, and of adapters."""
        if model.kind == "adapter":
            return None
        key = _key(model)
        if key not in self._fresh and key not in self._wanted:
            self._wanted[key] = model
            if not self._computing:
                self._soon.start()
        return self._known.get(key)

    def forget(self) -> None:
        """The free memory is another now: compute again what is asked for. Until then the old is shown."""
        self._fresh.clear()

    def _compute(self) -> None:
        wanted, self._computing = dict(self._wanted), True
        self._background.run(self, partial(_fits, self._fit_of, wanted), self._take)

    def _take(self, fits: dict[str, Fit | None]) -> None:
        self._computing = False
        self._known |= fits
        self._fresh |= fits.keys()
        for key in fits:
            self._wanted.pop(key, None)
        if self._wanted:
            self._soon.start()
        self.changed.emit()


def _fits(fit_of: FitOf, wanted: dict[str, InstalledModel]) -> dict[str, Fit | None]:
    return {key: _fit(fit_of, model) for key, model in wanted.items()}


def _fit(fit_of: FitOf, model: InstalledModel) -> Fit | None:
    try:
        return fit_of(model)
    except Exception as error:
        if problem_from(error) is None:
            raise
        return None  # the file is gone or damaged; the library says so


def _key(model: InstalledModel) -> str:
    return f"{model.path} {model.size_bytes}"
