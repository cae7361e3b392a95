"""How a model's weights shall be stored."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.formatting import bytes_text
from app.making import QuantChoice
from catalog.fit.fit import Fit
from catalog.library import InstalledModel
from ui.kit import ComboBox
from ui.models.fit_words import verdict_words
from ui.models.making.making_dialog import MakingDialog
from ui.theme import Theme

_USUAL = "Q4_K_M"


class QuantizeDialog(MakingDialog):
    """Size and fit before and after.

    Signals:
        chosen: the quant, and the name.
    """

    chosen = Signal(str, str)

    def __init__(
        self,
        theme: Theme,
        model: InstalledModel,
        before: Fit,
        choices: Sequence[tuple[QuantChoice, Fit]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme,
            self.tr("Quantize {name}").format(name=model.name),
            self.tr(
                "The weights of {name} are stored in fewer bits, in a new file. "
                "It takes less memory and answers quicker; the model stays as it is."
            ).format(name=model.name),
            self.tr("Quantize"),
            parent,
        )
        self._model = model
        self._before = before
        self._choices = choices
        items = [(self._line(choice, fit), choice.name) for choice, fit in choices]
        self._quant = ComboBox(theme, self.tr("Quant"), items)
        self._quant.select(_USUAL)
        self._quant.currentIndexChanged.connect(self._show)
        self.content.addWidget(self._quant)
        self.accepted.connect(self._emit)
        self._show()

    def _line(self, choice: QuantChoice, fit: Fit) -> str:
        size = bytes_text(choice.size_bytes)
        return self.tr("{quant}: about {size}, {fits}").format(
            quant=choice.name, size=size, fits=verdict_words(fit).lower()
        )

    def _show(self) -> None:
        choice, fit = self._choices[self._quant.currentIndex()]
        words = self.tr(
            "{before} become about {after}. Now: {now}. Then: {then}, with {bits} bits a weight."
        ).format(
            before=bytes_text(self._model.size_bytes),
            after=bytes_text(choice.size_bytes),
            now=verdict_words(self._before).lower(),
            then=verdict_words(fit).lower(),
            bits=f"{choice.bits:.1f}",
        )
        self.show_result(f"{self.tr(choice.help)} {words}".strip())
        self.suggest_name(f"{self._model.name} {choice.name}")

    def _emit(self) -> None:
        self.chosen.emit(self._quant.currentData(), self.name)
