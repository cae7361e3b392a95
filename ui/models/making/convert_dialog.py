"""For which model an adapter is converted."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.making import is_named
from catalog.library import InstalledModel
from ui.kit import ComboBox, Label
from ui.models.making.making_dialog import MakingDialog
from ui.theme import Theme


class ConvertDialog(MakingDialog):
    """`source` is what a person calls the adapter; `trained_on` the model it names, which is picked.

    Signals:
        chosen: the `InstalledModel`, and the name.
    """

    chosen = Signal(object, str)

    def __init__(
        self,
        theme: Theme,
        source: str,
        models: Sequence[InstalledModel],
        trained_on: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme,
            self.tr("Convert {name}").format(name=source),
            self.tr(
                "An adapter as it was trained (PEFT) becomes a GGUF file that fits one kind of "
                "model. Every shape is checked before anything is written."
            ),
            self.tr("Convert"),
            parent,
        )
        self._models = models
        items = [(f"{model.name} {model.quant}".strip(), model.id) for model in models]
        self._base = ComboBox(theme, self.tr("For the model"), items)
        self._base.select(next((m.id for m in models if is_named(m, trained_on)), models[0].id))
        self.content.addWidget(Label(theme, self.tr("For the model"), "label"))
        self.content.addWidget(self._base)
        if trained_on:
            self.show_result(self.tr("It was trained on {model}.").format(model=trained_on))
        self.suggest_name(source)
        self.begin_with(self._base)
        self.accepted.connect(self._emit)

    def _emit(self) -> None:
        chosen = next(each for each in self._models if each.id == self._base.currentData())
        self.chosen.emit(chosen, self.name)
