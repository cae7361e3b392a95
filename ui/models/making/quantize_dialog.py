"""How a model's weights shall be stored."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.formatting import bytes_text
from app.making import QuantChoice, quantized_name
from catalog.fit.fit import Fit
from catalog.library import InstalledModel
from ui.kit import ComboBox, Paragraph
from ui.models.fact_lines import Fact, FactLines
from ui.models.fit_words import verdict_words
from ui.models.making.making_dialog import MakingDialog
from ui.theme import Theme

_USUAL = "Q4_K_M"


class QuantizeDialog(MakingDialog):
    """Size and fit before and after. `disk_free` in bytes.

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
        disk_free: int,
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
        self._disk_free = disk_free
        items = [(self._line(choice, fit), choice.name) for choice, fit in choices]
        self._quant = ComboBox(theme, self.tr("Quant"), items)
        self._quant.select(_USUAL)
        self._quant.currentIndexChanged.connect(self._show)
        self._help = Paragraph(theme, kind="small")
        self._facts = FactLines(theme)
        self.content.addWidget(self._quant)
        self.content.addWidget(self._help)
        self.content.addWidget(self._facts)
        self.begin_with(self._quant)
        self.accepted.connect(self._emit)
        self._show()

    def _line(self, choice: QuantChoice, fit: Fit) -> str:
        size = bytes_text(choice.size_bytes)
        return self.tr("{quant}: about {size}, {fits}").format(
            quant=choice.name, size=size, fits=verdict_words(fit).lower()
        )

    def _show(self) -> None:
        choice, fit = self._choices[self._quant.currentIndex()]
        self._help.set_text(self.tr(choice.help))
        change = self.tr("{before} → {after}")
        before, after = bytes_text(self._model.size_bytes), bytes_text(choice.size_bytes)
        size = change.format(before=before, after=self.tr("about {size}").format(size=after))
        memory = change.format(before=_memory_words(self._before), after=_memory_words(fit))
        self._facts.show_lines(
            (
                Fact(self.tr("Size"), size),
                Fact(self.tr("Memory"), memory),
                Fact(self.tr("Bits a weight"), f"{choice.bits:.1f}"),
            )
        )
        self.suggest_name(quantized_name(self._model, choice.name))
        self.show_room(choice.size_bytes, self._disk_free)

    def _emit(self) -> None:
        self.chosen.emit(self._quant.currentData(), self.name)


def _memory_words(fit: Fit) -> str:
    """“5.5 GB, tight”."""
    return f"{bytes_text(fit.needed)}, {verdict_words(fit).lower()}"
