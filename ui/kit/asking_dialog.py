"""A dialog that asks for a text or two, and stays open while they are tried."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.kit.buttons import Button
from ui.kit.fields import TextField
from ui.kit.fitted_dialog import FittedDialog
from ui.kit.meter import Meter
from ui.kit.text import Label, Paragraph
from ui.theme import Theme


class AskingDialog(FittedDialog):
    """Its owner shows that it works, and closes it or says why the texts are of no use.

    Signals:
        confirmed: the texts are to be used.
    """

    confirmed = Signal()

    def __init__(
        self,
        theme: Theme,
        title: str,
        words: str,
        fields: Sequence[TextField],
        *,
        working: str,
        go_on: str,
        parent: QWidget | None = None,
    ) -> None:
        """`working` says what is going on while the texts are tried, `go_on` is the button."""
        super().__init__(theme, title, parent)
        self._fields = tuple(fields)
        for field in self._fields:
            field.textEdited.connect(self._edited)
            field.returnPressed.connect(self._confirm)
        self._meter = Meter(theme, working)
        self._meter.set_fraction(None)
        self._meter.hide()
        self._problem = Paragraph(theme, kind="small", role="danger")
        self._problem.hide()
        cancel = Button(theme, self.tr("Cancel"))
        cancel.clicked.connect(self.reject)
        self._go_on = Button(theme, go_on, "primary")
        self._go_on.clicked.connect(self._confirm)
        self._go_on.setEnabled(False)
        self.column.addWidget(Paragraph(theme, words))
        for field in self._fields:
            pair = QVBoxLayout()
            pair.setSpacing(4)
            pair.addWidget(Label(theme, field.accessibleName(), "label"))
            pair.addWidget(field)
            self.column.addLayout(pair)
        self.column.addWidget(self._meter)
        self.column.addWidget(self._problem)
        self.buttons.addWidget(cancel)
        self.buttons.addWidget(self._go_on)
        self._fields[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def show_working(self, working: bool) -> None:
        self._meter.setVisible(working)
        self._problem.hide()
        for field in self._fields:
            field.setEnabled(not working)
        self._go_on.setEnabled(not working and self._is_filled())

    def show_problem(self, words: str) -> None:
        """Why the texts are of no use."""
        self.show_working(False)
        self._problem.set_text(words)
        self._problem.show()
        for field in self._fields:
            field.set_invalid(True)
        self._fields[0].setAccessibleDescription(words)
        self._fields[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def _is_filled(self) -> bool:
        return all(field.text().strip() for field in self._fields)

    def _edited(self) -> None:
        self._problem.hide()
        for field in self._fields:
            field.set_invalid(False)
        self._fields[0].setAccessibleDescription("")
        self._go_on.setEnabled(self._is_filled())

    def _confirm(self) -> None:
        if self._go_on.isEnabled():
            self.confirmed.emit()
