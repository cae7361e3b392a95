"""What merging, quantizing and converting ask of the program's parts."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.adapters import AdapterChoice
from app.errors import problem_from
from app.making import QuantChoice, Work
from app.options.adapter_stack import AdapterStack
from catalog.adapters.peft.config import read_config
from catalog.fit.fit import Fit
from catalog.library import InstalledModel
from ui.background import Background
from ui.installed_models import InstalledModels
from ui.kit import Toast
from ui.models.making.convert_dialog import ConvertDialog
from ui.models.making.maker import Maker
from ui.models.making.merge_dialog import MergeDialog
from ui.models.making.quantize_dialog import QuantizeDialog
from ui.models.making.work_strip import WorkStrip
from ui.theme import Theme

if TYPE_CHECKING:
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
        self._maker.failed.connect(strip.show_problem)
        self._maker.made.connect(self._tell_made)
        strip.cancel_requested.connect(self._maker.cancel)

    def stop(self) -> None:
        """The program ends."""
        self._maker.stop()

    def quantize(self, model: InstalledModel) -> None:
        """Ask how, and do it."""
        services = self._services

        def reckon() -> tuple[Fit, list[tuple[QuantChoice, Fit]]]:
            choices = services.making.quants_for(model)
            fits = [services.fitting.of_size(model, each.size_bytes) for each in choices]
            return services.fitting.of_model(model), list(zip(choices, fits, strict=True))

        def ask(reckoned: tuple[Fit, list[tuple[QuantChoice, Fit]]]) -> None:
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

        def ask(choices: tuple[AdapterChoice, ...]) -> None:
            fitting = [choice.adapter for choice in choices if choice.fit.fits]
            if not fitting:
                self._toast.show_message(self.tr("No adapter on this computer fits this model."))
                return
            dialog = MergeDialog(self._theme, model, fitting, parent=self._page.window())
            dialog.chosen.connect(begin)
            dialog.open()

        def begin(stack: AdapterStack, name: str) -> None:
            title = self.tr("Merging into {name}").format(name=model.name)
            self._maker.begin(Work(title, partial(services.making.merge, model, stack, name=name)))

        self._background.run(self, partial(services.adapters.for_model, model), ask, self._refuse)

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

    def convert_repository(self, repo: str, base: str = "") -> None:
        """Ask for which model, fetch the adapter from the Hub and convert it."""
        convert = partial(self._services.making.fetch_and_convert, repo)
        self._ask_for_base(repo.rpartition("/")[2], base, convert)

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
        ready = self.tr("{name} is ready").format(name=made.name)
        self._toast.show_offer(ready, words, partial(self.made.emit, made))

    def _refuse(self, error: Exception) -> None:
        problem = problem_from(error)
        if problem is None:
            raise error
        self._toast.show_message(problem.sentence())
