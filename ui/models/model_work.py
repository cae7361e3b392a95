"""What the panel of an installed model asks of the program's parts."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication

from app.checking import Check
from app.errors import problem_from
from app.formatting import bytes_text
from app.removal import remove_model
from catalog.adapters.fit import AdapterFit
from catalog.errors import DownloadCancelled
from catalog.fit.fit import Fit
from catalog.library import InstalledModel, LibraryProblem
from catalog.library.content import Verification
from catalog.library.details import ModelDetails
from catalog.library.removal import TrashUnavailable
from ui.background import Background, Report
from ui.installed_models import InstalledModels
from ui.kit import Toast
from ui.known_fits import KnownFits
from ui.models.installed_list import Row
from ui.models.model_details import ModelDetailsPanel
from ui.models.profile_work import ProfileWork

if TYPE_CHECKING:
    from app.services import Services


class ModelWork(QObject):
    """Joins the panel to library, profiles and engines.

    Signals:
        gone: what the panel shows is no longer on this computer.
        adapter_requested: use the adapter of that id in the chat, with one of these
            `InstalledModel`s.
        merge_requested, quantize_requested: make something of this `InstalledModel`.
        adapters_requested: the person looks for adapters that are not here yet.
        adapter_merge_requested: make this `InstalledModel`, an adapter, part of one of those.
    """

    gone = Signal()
    adapter_requested = Signal(str, object)
    merge_requested = Signal(object)
    quantize_requested = Signal(object)
    adapters_requested = Signal()
    adapter_merge_requested = Signal(object, object)

    def __init__(
        self,
        background: Background,
        services: "Services",
        installed: InstalledModels,
        fits: KnownFits,
        panel: ModelDetailsPanel,
        toast: Toast,
    ) -> None:
        super().__init__(panel)
        self._background = background
        self._services = services
        self._installed = installed
        self._fits = fits
        self._panel = panel
        self._toast = toast
        self._check: Check | None = None
        self._context = 0
        panel.remove_requested.connect(self._remove)
        panel.folder_requested.connect(self._open_folder)
        panel.copy_requested.connect(self._copy)
        panel.memory.context_chosen.connect(self._reckon_for)
        panel.checksum.check_requested.connect(self._begin_check)
        panel.checksum.cancel_requested.connect(self.cancel_check)
        self.profiles = ProfileWork(background, services, panel.profiles)
        self.profiles.adapters_requested.connect(self.adapters_requested)
        panel.adapter.use_requested.connect(self._use_adapter)
        panel.adapter.merge_requested.connect(self._merge_adapter)
        panel.make.merge_requested.connect(self._merge)
        panel.make.quantize_requested.connect(self._quantize)
        installed.changed.connect(self._follow_library)
        fits.changed.connect(self._show_fit)

    def show(self, row: InstalledModel | LibraryProblem) -> None:
        """Fill the panel; what must be read comes a moment later."""
        panel = self._panel
        self.profiles.show(_with_profiles(row))
        if isinstance(row, LibraryProblem):
            self.cancel_check()
            panel.show_problem_file(row)
            return
        before = panel.row
        if not isinstance(before, InstalledModel) or before.path != row.path:
            self.cancel_check()
            self._context = 0
        panel.show_model(row, self._fits.of(row))
        details = partial(self._services.library.details, row)
        self._background.run(self, details, partial(self._show_details, row), self._unreadable)
        if row.kind == "adapter":
            self._compare(row)

    def _compare(self, adapter: InstalledModel) -> None:
        """Find out which installed models the adapter fits, and show it."""

        def show(fits: tuple[tuple[InstalledModel, AdapterFit], ...]) -> None:
            if self._model is not None and self._model.path == adapter.path:
                self._panel.adapter.show_fits(fits)

        compare = partial(self._services.adapters.models_for, adapter)
        self._background.run(self, compare, show, self._unreadable)

    def cancel_check(self) -> None:
        """End the reading of a file, if one is read."""
        if self._check is not None:
            self._check.cancel()
            self._check = None

    @property
    def _model(self) -> InstalledModel | None:
        row = self._panel.row
        return row if isinstance(row, InstalledModel) else None

    def _show_details(self, model: InstalledModel, details: ModelDetails) -> None:
        if model is self._model and self._check is None:
            self._panel.show_details(details)

    def _unreadable(self, error: Exception) -> None:
        if problem_from(error) is None:
            raise error  # else the file is gone or damaged, as the list will say

    def _show_fit(self) -> None:
        if (model := self._model) is not None and not self._context:
            self._panel.show_fit(self._fits.of(model))

    def _reckon_for(self, n_ctx: int) -> None:
        """What the model takes with another context than the usual one."""
        self._context = n_ctx
        model = self._model
        if model is None or not n_ctx:
            self._show_fit()
            return

        def show(fit: Fit) -> None:
            if model is self._model and n_ctx == self._context:
                self._panel.show_fit(fit)

        reckon = partial(self._services.fitting.of_model, model, n_ctx)
        self._background.run(self, reckon, show, self._unreadable)

    def _follow_library(self) -> None:
        row = self._panel.row
        if row is None:
            return
        now = self._installed.now
        rows: tuple[Row, ...] = (*now.models, *now.adapters, *now.problems)
        for other in rows:
            if other.path == row.path:
                if other != row:
                    self.show(other)
                elif isinstance(row, InstalledModel) and row.kind == "adapter":
                    self._compare(row)
                return
        self.cancel_check()
        self.gone.emit()

    def _use_adapter(self, fitting: tuple[InstalledModel, ...]) -> None:
        if (model := self._model) is not None:
            self.adapter_requested.emit(model.id, fitting)

    def _merge_adapter(self, fitting: tuple[InstalledModel, ...]) -> None:
        self.adapter_merge_requested.emit(self._model, fitting)

    def _merge(self) -> None:
        self.merge_requested.emit(self._model)

    def _quantize(self) -> None:
        self.quantize_requested.emit(self._model)

    # The file

    def _begin_check(self) -> None:
        model = self._model
        if model is None:
            return
        self.cancel_check()
        check = self._check = Check(self._services.library, model)
        self._panel.checksum.show_progress(0.0)

        def run(report: Report) -> Verification:
            return check.run(report)

        def show_progress(fraction: float) -> None:
            if check is self._check:
                self._panel.checksum.show_progress(fraction)

        def show(outcome: Verification) -> None:
            if check is self._check:
                self._check = None
                self._panel.checksum.show_verification(outcome)

        def give_up(error: Exception) -> None:
            problem = problem_from(error)
            if problem is None:
                raise error
            if check is self._check or self._check is None:
                self._check = None
                cancelled = isinstance(error, DownloadCancelled)
                self._panel.checksum.show_problem(None if cancelled else problem)

        self._background.run_reporting(self, run, show_progress, show, give_up)

    def _remove(self, model: InstalledModel, for_good: bool) -> None:
        services = self._services

        def remove() -> int:
            return remove_model(services.library, services.engines, model, for_good=for_good)

        def tell(freed: int) -> None:
            if model is self._model:
                self.gone.emit()
            self._installed.refresh()
            if not model.managed:
                words = self.tr("{name} is no longer listed. The file is where it was.")
            elif for_good:
                words = self.tr("{name} is deleted. {size} are free again.")
            else:
                words = self.tr("{name} is in the trash. Emptying it frees {size}.")
            size = bytes_text(freed, digits=2)
            self._toast.show_message(words.format(name=model.name, size=size))

        def refuse(error: Exception) -> None:
            problem = problem_from(error)
            if problem is None:
                raise error
            if model is not self._model:
                self._toast.show_message(problem.sentence())
            elif isinstance(error, TrashUnavailable):
                self._panel.show_no_trash(problem)
            else:
                self._panel.show_problem(problem)

        self._background.run(self, remove, tell, refuse)

    def _open_folder(self, folder: object) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _copy(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self._toast.show_message(self.tr("Copied"))


def _with_profiles(row: Row) -> InstalledModel | None:
    return row if isinstance(row, InstalledModel) and row.kind != "adapter" else None
