"""Telling a person that files with their choices were damaged, and offering the last good copies."""

import time
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.errors import problem_from
from app.kept_files import Damaged, Kept
from app.services import Services
from ui.background import Background
from ui.kit import Button, Notice
from ui.kit.fitted_dialog import FittedDialog
from ui.theme import Theme


class DamagedFiles(QObject):
    """Looks for them, and shows each of them once."""

    def __init__(
        self, theme: Theme, background: Background, services: Services, window: QWidget
    ) -> None:
        super().__init__(window)
        self._theme = theme
        self._background = background
        self._services = services
        self._window = window
        self._shown: set[str] = set()

    def look(self) -> None:
        """At a start, and whenever a file has changed."""
        self._background.run(self, partial(_damaged, self._services), self._show)

    def _show(self, found: Sequence[Damaged]) -> None:
        new = [each for each in found if each.words not in self._shown]
        if not new:
            return
        self._shown |= {each.words for each in new}
        dialog = DamageDialog(self._theme, new, self._choose, self._window.window())
        dialog.open()

    def _choose(self, kept: Kept, restore: bool, show: Callable[[str], None]) -> None:
        files = self._services.kept_files
        op = files.restore if restore else files.decline
        words = (
            self.tr("The last good copy is in use again.")
            if restore
            else self.tr("The copy is kept beside it, under another name.")
        )

        def failed(error: Exception) -> None:
            problem = problem_from(error)
            if problem is None:
                raise error
            show(problem.sentence())

        self._background.run_in_order(self, partial(op, kept), lambda _: show(words), failed)


class DamageDialog(FittedDialog):
    """What happened to each file. `choose` is told what a person wants of one, and says how that went."""

    def __init__(
        self,
        theme: Theme,
        damaged: Sequence[Damaged],
        choose: Callable[[Kept, bool, Callable[[str], None]], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, self.tr("A file was damaged"), parent)
        now = time.time()
        for each in damaged:
            actions: list[Button] = []
            if each.copy_time is not None:
                actions = [
                    Button(theme, self.tr("Put the good copy back"), "primary"),
                    Button(theme, self.tr("Go on without it")),
                ]
            notice = Notice(theme, "warn", self.tr(each.words), each.offer(now), actions)
            for button, restore in zip(actions, (True, False), strict=False):
                show = partial(self._show_outcome, notice, each, actions)
                button.clicked.connect(partial(choose, each.kept, restore, show))
            self.column.addWidget(notice)
        close = Button(theme, self.tr("Close"))
        close.clicked.connect(self.accept)
        self.buttons.addWidget(close)

    def _show_outcome(
        self, notice: Notice, damaged: Damaged, actions: Sequence[Button], words: str
    ) -> None:
        if not isValid(self):  # closed meanwhile
            return
        notice.set_words(damaged.words, words)
        for action in actions:
            action.hide()


def _damaged(services: Services) -> tuple[Damaged, ...]:
    services.profiles.of("")  # nobody may have asked for them so far
    return services.kept_files.damaged()
