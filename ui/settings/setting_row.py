"""What every row of the settings has: its words, and what is wrong with its value."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.errors import AppError
from app.settings import Setting, checked_setting
from ui.kit import ControlLine, Label, Paragraph
from ui.theme import Theme


class SettingRow(QWidget):
    """A setting's title, help and control, and below them what is wrong with its value.

    Signals:
        changed: a person gave the setting of that key another value, which it can have.
    """

    changed = Signal(str, object)

    def __init__(self, theme: Theme, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setting = setting
        self._problem = Paragraph(theme, kind="small", role="danger")
        self._problem.hide()
        title = Label(theme, self.tr(setting.title), "label")
        line = ControlLine([title, Paragraph(theme, self.tr(setting.help), "small")])
        self.controls = line.controls
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(16, 14, 16, 14)
        self.column.setSpacing(8)
        self.column.addWidget(line)
        self.column.addWidget(self._problem)

    def show_problem(self, words: str) -> None:
        """Say what is wrong with the value; nothing is, where `words` is empty."""
        self._problem.set_text(words)
        self._problem.setVisible(bool(words))

    def offer(self, value: object) -> bool:
        """Pass a value on if the setting can have it; else say why it can't."""
        try:
            checked = checked_setting(self.setting.key, value)
        except AppError as error:
            self.show_problem(str(error))
            return False
        self.show_problem("")
        self.changed.emit(self.setting.key, checked)
        return True
