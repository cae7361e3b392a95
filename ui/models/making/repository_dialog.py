"""Which repository of the Hub holds an adapter as it was trained."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.errors import AppError
from app.references import parse_repository
from ui.kit import Button, Meter, Paragraph, TextField
from ui.kit.fitted_dialog import FittedDialog
from ui.theme import Theme


class RepositoryDialog(FittedDialog):
    """Stays open while the Hub is asked, and says what it answers where that is no.

    Signals:
        asked(str): “OWNER/NAME”.
    """

    asked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, self.tr("Convert an adapter of Hugging Face"), parent)
        words = self.tr(
            "A PEFT adapter is a repository with “adapter_config.json” and "
            "“adapter_model.safetensors”. It is fetched, and made into a GGUF file for a model "
            "that you have."
        )
        self._field = TextField(
            theme, self.tr("Repository"), self.tr("OWNER/NAME, or the address of its page")
        )
        self._field.returnPressed.connect(self._ask)
        self._field.textEdited.connect(self._allow)
        self._meter = Meter(theme, self.tr("Asking Hugging Face…"))
        self._meter.set_fraction(None)
        self._meter.hide()
        self._problem = Paragraph(theme, kind="small", role="danger")
        self._problem.hide()
        cancel = Button(theme, self.tr("Cancel"))
        cancel.clicked.connect(self.reject)
        self._go_on = Button(theme, self.tr("Continue"), "primary")
        self._go_on.clicked.connect(self._ask)
        self._go_on.setEnabled(False)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self._go_on)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(Paragraph(theme, words))
        column.addWidget(self._field)
        column.addWidget(self._meter)
        column.addWidget(self._problem)
        column.addSpacing(4)
        column.addLayout(buttons)
        self._field.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_problem(self, words: str) -> None:
        """Why that repository can't be used."""
        self._show_asking(False)
        self._problem.set_text(words)
        self._problem.show()
        self._field.set_invalid(True)
        self._field.setAccessibleDescription(words)
        self._field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _ask(self) -> None:
        if not self._go_on.isEnabled():
            return
        try:
            repo = parse_repository(self._field.text())
        except AppError as error:
            self.show_problem(str(error))
            return
        self._show_asking(True)
        self.asked.emit(repo)

    def _allow(self) -> None:
        self._problem.hide()
        self._field.set_invalid(False)
        self._field.setAccessibleDescription("")
        self._go_on.setEnabled(bool(self._field.text().strip()))

    def _show_asking(self, asking: bool) -> None:
        self._meter.setVisible(asking)
        self._field.setEnabled(not asking)
        self._go_on.setEnabled(not asking)
        self._problem.hide()
