"""What a quant takes of the memory, part by part, at the context that a person wants."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from catalog.fit.fit import Fit
from ui.kit import ComboBox, Label, Paragraph
from ui.kit.stacked_meter import Legend, StackedMeter
from ui.models.fit_words import context_words, part_words, room_words, share_words, sum_words
from ui.theme import Theme

_CONTEXTS = (2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144)
_LONGEST_OFFERED = 131072
"""Where nobody knows how long a context the model was made for."""

_ROLES = {"fits": "accent", "tight": "warn", "too_large": "danger"}


class MemoryView(QWidget):
    """The sum as a bar, the choice of the context, and what else follows from it.

    Signals:
        context_chosen(int): tokens; 0 for the usual.
    """

    context_chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = Label(theme, self.tr("Memory"), "strong")
        self._share = Label(theme, "", "small", "text2", tabular=True)
        self._bar = StackedMeter(theme, self.tr("Memory needed"))
        self._legend = Legend(theme)
        self._room = Paragraph(theme, "", "small")
        self._context = ComboBox(theme, self.tr("Context"))
        self._context.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToContents)
        self._context.setToolTip(self.tr("How much of a chat the model has in view at once"))
        head = QHBoxLayout()
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._share)
        choice = QHBoxLayout()
        choice.addWidget(Label(theme, self.tr("Context"), role="text2"))
        choice.addStretch(1)
        choice.addWidget(self._context)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addSpacing(8)
        column.addWidget(self._bar)
        column.addSpacing(6)
        column.addWidget(self._legend)
        column.addSpacing(8)
        column.addLayout(choice)
        column.addSpacing(8)
        column.addWidget(self._room)
        self._context.activated.connect(self._report)

    def offer_contexts(self, longest: int) -> None:
        """Offer those up to the one that the model was made for, 0 where that is unknown."""
        self._context.clear()
        self._context.addItem(self.tr("Usual"), 0)
        limit = longest or _LONGEST_OFFERED
        for n_ctx in sorted({*(each for each in _CONTEXTS if each < limit), limit}):
            words = self.tr("{length} tokens").format(length=context_words(n_ctx))
            self._context.addItem(words, n_ctx)

    def show_fit(self, quant: str, fit: Fit | None) -> None:
        """None while it is being reckoned, or can't be."""
        self.setVisible(fit is not None)
        if fit is None:
            return
        self._title.setText(self.tr("Memory for {quant}").format(quant=quant).rstrip())
        self._share.setText(share_words(fit))
        whole = max(fit.free, fit.needed, 1)
        parts = fit.parts
        role = _ROLES[fit.verdict]
        fractions = [part / whole for part in (parts.weights, parts.kv_cache, parts.compute)]
        self._bar.show_parts(fractions, role)
        self._legend.show_words(part_words(fit), role)
        for widget in (self._bar, self._legend, self._share):
            widget.setToolTip(sum_words(fit))
        if not self._context.currentData():
            words = self.tr("{length} tokens").format(length=context_words(fit.n_ctx))
            self._context.setItemText(0, self.tr("{tokens}, as usual").format(tokens=words))
        room = room_words(fit)
        self._room.set_text(room)
        self._room.setVisible(bool(room))

    def _report(self) -> None:
        self.context_chosen.emit(self._context.currentData() or 0)
