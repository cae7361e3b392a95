"""What can be made of an installed model."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.making import can_be_quantized
from catalog.library import InstalledModel
from ui.kit import Button, Hairline, Label
from ui.theme import Theme


class MakeButtons(QWidget):
    """Signals:
    merge_requested, quantize_requested
    """

    merge_requested = Signal()
    quantize_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._merge = Button(theme, self.tr("Merge adapters…"), small=True)
        self._merge.clicked.connect(self.merge_requested)
        self._quantize = Button(theme, self.tr("Quantize…"), small=True)
        self._quantize.clicked.connect(self.quantize_requested)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self._merge)
        buttons.addWidget(self._quantize)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(Hairline(theme))
        column.addSpacing(8)
        column.addWidget(Label(theme, self.tr("Make a new file of it"), "strong"))
        column.addLayout(buttons)

    def show_model(self, model: InstalledModel) -> None:
        """What suits this one."""
        self._quantize.setVisible(can_be_quantized(model))
