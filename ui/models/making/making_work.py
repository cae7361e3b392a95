"""What merging, quantizing and converting ask of the program's parts."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.adapters import AdapterChoice
from app.errors import AppError, Problem, problem_from
from app.making import QuantChoice, Work
from app.options.adapter_stack import AdapterStack
from catalog.adapters.peft.config import read_config
from catalog.fit.fit import Fit
from catalog.hub.peft_files import peft_files
from catalog.library import InstalledModel
from ui.background import Background, Cancelled
from ui.installed_models import InstalledModels
from ui.kit import Toast
from ui.models.making.convert_dialog import ConvertDialog
from ui.models.making.maker import Maker
from ui.models.making.merge_dialog import MergeDialog
from ui.models.making.quantize_dialog import QuantizeDialog
from ui.models.making.repository_dialog import RepositoryDialog
from ui.models.making.work_strip import WorkStrip
from ui.theme import Theme

if TYPE_CHECKING:
    from app.machine import Machine
    from app.services import Services


class MakingWork(QObject):
    """Opens the dialogs over `page`, and has done what they ask for.

    Signals:
        made: the `InstalledModel` that came of it, which the person wants to use.
    """

    made = Signal(object)

    def __init__(
        self,
        theme: Theme,
        background: Background,
        services: "Services",
        installed: InstalledModels,
        strip: WorkStrip,
        toast: Toast,
        page: QWidget,
    ) -> None:
        super().__init__(page)
        self._theme = theme
        self._background = background
        self._services = services
        self._installed = installed
        self._toast = toast
        self._page = page
        self._maker = Maker(background, self)
        self._maker.changed.connect(strip.show_state)
        self._maker.failed.connect(self._tell_failure)
        self._strip = strip
        self._maker.made.connect(self._tell_made)
        strip.cancel_requested.connect(self._maker.cancel)

    def stop(self) -> None:
        """The program ends."""
        self._maker.stop()

    def quantize(self, model: InstalledModel) -> None:
        """Ask how, and do it."""
        services = self._services

        def reckon() -> tuple[Fit, list[tuple[QuantChoice, Fit]], int]:
            choices = services.making.quants_for(model)
            fits = [services.fitting.of_size(model, each.size_bytes) for each in choices]
            before = services.fitting.of_model(model)
            return before, list(zip(choices, fits, strict=True)), services.machine().disk_free

        def ask(reckoned: tuple[Fit, list[tuple[QuantChoice, Fit]], int]) -> None:
            dialog = QuantizeDialog(self._theme, model, *reckoned, self._page.window())
            dialog.chosen.connect(begin)
            dialog.open()

        def begin(quant: str, name: str) -> None:
            title = self.tr("Quantizing {name} to {quant}").format(name=model.name, quant=quant)
            self._maker.begin(
                Work(title, partial(services.making.quantize, model, quant, name=name))
            )

        self._background.run(self, reckon, ask, self._refuse)

    def merge(self, model: InstalledModel) -> None:
        """Ask which adapters, and do it."""
        services = self._services

        def look() -> tuple[tuple[AdapterChoice, ...], int]:
            return services.adapters.for_model(model), services.machine().disk_free

        def ask(seen: tuple[tuple[AdapterChoice, ...], int]) -> None:
            choices, disk_free = seen
            fitting = [choice.adapter for choice in choices if choice.fit.fits]
            if not fitting:
                self._toast.show_message(self.tr("No adapter on this computer fits this model."))
                return
            self._ask_to_merge([model], fitting, disk_free)

        self._background.run(self, look, ask, self._refuse)

    def merge_adapter(self, adapter: InstalledModel, models: Sequence[InstalledModel]) -> None:
        """Ask into which of these models, which it fits, and do it."""

        def ask(machine: "Machine") -> None:
            self._ask_to_merge(models, [adapter], machine.disk_free, adapter.id)

        self._background.run(self, self._services.machine, ask, self._refuse)

    def choose_folder(self) -> None:
        """Ask for the folder of a PEFT adapter, and convert it."""
        dialog = QFileDialog(self._page, self.tr("The folder of a PEFT adapter"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self.convert_folder)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def convert_folder(self, path: str) -> None:
        """Ask for which model, and convert the adapter in that folder."""
        folder = Path(path)
        making = self._services.making

        def look() -> str:
            return read_config(folder).base

        def ask(base: str) -> None:
            self._ask_for_base(folder.name, base, partial(making.convert, folder))

        self._background.run(self, look, ask, self._refuse)

    def choose_repository(self) -> None:
        """Ask for the repository of a PEFT adapter on the Hub, and convert it."""
        dialog = RepositoryDialog(self._theme, self._page.window())
        dialog.asked.connect(partial(self._look_at_repository, dialog))
        dialog.open()

    def _look_at_repository(self, dialog: RepositoryDialog, repo: str) -> None:
        hub = self._services.hub

        def look(cancelled: Cancelled) -> str:
            repository = hub.repository(repo, cancelled=cancelled)
            if peft_files(repository) is None:
                raise AppError(
                    f"“{repo}” is no PEFT adapter.",
                    "It lacks an adapter_config.json with weights beside it.",
                )
            return repository.base

        def ask(base: str) -> None:
            dialog.accept()
            self.convert_repository(repo, base)

        def refuse(error: Exception) -> None:
            problem = problem_from(error)
            if problem is None:
                raise error
            dialog.show_problem(problem.sentence())

        self._background.look_up(dialog, look, ask, refuse)

    def convert_repository(self, repo: str, base: str = "") -> None:
        """Ask for which model, fetch the adapter from the Hub and convert it."""
        convert = partial(self._services.making.fetch_and_convert, repo)
        self._ask_for_base(repo.rpartition("/")[2], base, convert)

    def _ask_to_merge(
        self,
        models: Sequence[InstalledModel],
        adapters: Sequence[InstalledModel],
        disk_free: int,
        picked: str = "",
    ) -> None:
        merge = self._services.making.merge

        def begin(model: InstalledModel, stack: AdapterStack, name: str) -> None:
            title = self.tr("Merging into {name}").format(name=model.name)
            self._maker.begin(Work(title, partial(merge, model, stack, name=name)))

        parent = self._page.window()
        dialog = MergeDialog(self._theme, models, adapters, disk_free, picked=picked, parent=parent)
        dialog.chosen.connect(begin)
        dialog.open()

    def _ask_for_base(self, source: str, base: str, convert: partial[InstalledModel]) -> None:
        models = self._installed.now.writers
        if not models:
            self._toast.show_message(
                self.tr("An adapter is converted for a model, and none is on this computer.")
            )
            return

        def begin(model: InstalledModel, name: str) -> None:
            title = self.tr("Converting {name}").format(name=source)
            self._maker.begin(Work(title, partial(convert, model, name=name)))

        dialog = ConvertDialog(self._theme, source, models, base, self._page.window())
        dialog.chosen.connect(begin)
        dialog.open()

    def _tell_made(self, made: InstalledModel) -> None:
        self._installed.refresh()
        words = self.tr("Use in chat") if made.kind == "adapter" else self.tr("Chat")
        name = made.name if made.kind == "adapter" else f"{made.name} {made.quant}".strip()
        ready = self.tr("{name} is ready").format(name=name)
        self._toast.show_offer(ready, words, partial(self.made.emit, made))

    def _tell_failure(self, title: str, problem: Problem) -> None:
        """It stays below the models; who is elsewhere is told there, too."""
        self._strip.show_problem(title, problem)
        if not self._page.isVisible():
            self._toast.show_message(problem.sentence())

    def _refuse(self, error: Exception) -> None:
        problem = problem_from(error)
        if problem is None:
            raise error
        self._toast.show_message(problem.sentence())
