"""Models that come: files that a person hands over, and downloads that are done."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.errors import Problem, problem_from
from app.services import Services
from catalog.downloads.wanted import DownloadState
from catalog.library import InstalledModel
from ui.background import Background
from ui.downloads import Downloads
from ui.installed_models import InstalledModels
from ui.kit import Toast

OnProblem = Callable[[Problem], None]


class Arrivals(QObject):
    """Adopts files where they lie, finds what a download has brought, and offers it for a chat.

    Signals:
        chat_requested, show_requested: with the `InstalledModel`.
        downloads_requested: the person wants to see what went wrong.
    """

    chat_requested = Signal(object)
    show_requested = Signal(object)
    downloads_requested = Signal()

    def __init__(
        self,
        background: Background,
        services: Services,
        downloads: Downloads,
        installed: InstalledModels,
        toast: Toast,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background = background
        self._library = services.library
        self._installed = installed
        self._toast = toast
        downloads.refused.connect(self._tell)

    def adopt(self, paths: Sequence[Path]) -> None:
        """Add model files where they lie, and offer the last one for a chat."""
        for path in paths:
            self.add(path, self._offer_added, self._tell)

    def add(
        self, path: Path, on_added: Callable[[InstalledModel], None], on_problem: OnProblem
    ) -> None:
        """Add one file; which can't be used, and why, goes to `on_problem`."""
        add = partial(self._library.add_file, path)
        self._background.run_in_order(
            self, add, partial(self._arrive, on_added), partial(_refuse, on_problem)
        )

    def find(
        self,
        state: DownloadState,
        on_found: Callable[[InstalledModel], None],
        on_problem: OnProblem | None = None,
    ) -> None:
        """What a download that is done has brought."""
        find = partial(self._library.find, state.path)
        refuse = partial(_refuse, on_problem or self._tell)
        self._background.run(self, find, partial(self._arrive, on_found), refuse)

    def offer(self, state: DownloadState, model: InstalledModel) -> None:
        """Say that what was fetched is ready, under the name that it was asked for by."""
        name = f"{state.request.title} {state.request.quant}".strip()
        self._offer(model, self.tr("{name} is ready.").format(name=name))

    def tell_failure(self, state: DownloadState) -> None:
        """Say that a download needs attention."""
        words = self.tr("{name} couldn't be fetched.").format(name=state.request.title)
        if state.problem is not None:
            words = f"{words} {state.problem.what}"
        self._toast.show_offer(words, self.tr("Show"), self.downloads_requested.emit)

    def _arrive(self, then: Callable[[InstalledModel], None], model: InstalledModel) -> None:
        self._installed.refresh()
        then(model)

    def _offer_added(self, model: InstalledModel) -> None:
        words = self.tr("{name} is added. Its file stays where it is.").format(name=model.name)
        self._offer(model, words)

    def _offer(self, model: InstalledModel, words: str) -> None:
        if model.writes:
            chat = partial(self.chat_requested.emit, model)
            self._toast.show_offer(words, self.tr("Chat"), chat)
        else:
            show = partial(self.show_requested.emit, model)
            self._toast.show_offer(words, self.tr("Show"), show)

    def _tell(self, problem: Problem) -> None:
        self._toast.show_message(problem.sentence())


def _refuse(on_problem: OnProblem, error: Exception) -> None:
    problem = problem_from(error)
    if problem is None:
        raise error
    on_problem(problem)
