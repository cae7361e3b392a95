"""Which installed models an adapter fits, and why the others not."""

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from catalog.adapters.fit import AdapterFit
from catalog.library import InstalledModel
from ui.kit import Label, Paragraph
from ui.theme import Theme

_MOST_SHOWN = 12


class FitList(QWidget):
    """A line a model, under a title."""

    def __init__(self, theme: Theme, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._words = Paragraph(theme)
        self._lines: list[QWidget] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addWidget(Label(theme, title, "strong"))
        self._column.addWidget(self._words)

    def show_words(self, words: str) -> None:
        """Something in place of the lines."""
        self._clear()
        self._words.set_text(words)
        self._words.show()

    def show_fits(self, fits: Sequence[tuple[InstalledModel, AdapterFit]]) -> None:
        """Every installed model, those it fits first; the others with the reason."""
        if not fits:
            self.show_words(self.tr("There is no model on this computer to compare it with."))
            return
        self._clear()
        self._words.hide()
        for model, fit in fits[:_MOST_SHOWN]:
            name = f"{model.name} {model.quant}".strip()
            words = self.tr("It fits.") if fit.fits else fit.reason
            role = "ok" if fit.fits else "text2"
            self._add(Paragraph(self._theme, words, "small", role, lead=f"{name}."))
        if len(fits) > _MOST_SHOWN:
            more = self.tr("and {count} more").format(count=len(fits) - _MOST_SHOWN)
            self._add(Paragraph(self._theme, more, "small"))

    def _add(self, line: Paragraph) -> None:
        self._lines.append(line)
        self._column.addWidget(line)

    def _clear(self) -> None:
        for line in self._lines:
            line.hide()
            self._column.removeWidget(line)
            line.deleteLater()
        self._lines.clear()
