"""One row for each setting: its words on the left, the control it needs on the right."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.errors import AppError
from app.settings import Setting, checked_setting
from ui.kit import Button, ComboBox, Label, Paragraph, TextField
from ui.theme import Theme

_CHOICE_WIDTH = 268
_FIELD_WIDTH = 300
_FOLDER_WIDTH = 232


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
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(Label(theme, self.tr(setting.title), "label"))
        words.addWidget(Paragraph(theme, self.tr(setting.help), "small"))
        self.controls = QHBoxLayout()
        self.controls.setSpacing(8)
        line = QHBoxLayout()
        line.setSpacing(24)
        line.addLayout(words, 1)
        line.addLayout(self.controls)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addLayout(line)
        column.addWidget(self._problem)

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


class ChoiceRow(SettingRow):
    """One of a few values."""

    def __init__(self, theme: Theme, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(theme, setting, parent)
        items = [(self.tr(choice.title), choice.value) for choice in setting.choices]
        self.combo = ComboBox(theme, self.tr(setting.title), items, ground="page")
        self.combo.setFixedWidth(_CHOICE_WIDTH)
        self.combo.activated.connect(self._choose)
        self.controls.addWidget(self.combo, 0, Qt.AlignmentFlag.AlignVCenter)

    def show_value(self, value: object) -> None:
        """Show the value in force."""
        self.combo.select(value)

    def _choose(self) -> None:
        self.offer(self.combo.currentData())


class TextRow(SettingRow):
    """A value that is typed; it counts once the field is left or Enter is pressed."""

    def __init__(self, theme: Theme, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(theme, setting, parent)
        self._shown = ""
        title, placeholder = self.tr(setting.title), self.tr(setting.placeholder)
        self.field = TextField(theme, title, placeholder, ground="page")
        self.field.setFixedWidth(_FIELD_WIDTH)
        self.field.editingFinished.connect(self._finish)
        self.controls.addWidget(self.field, 0, Qt.AlignmentFlag.AlignVCenter)

    def show_value(self, value: object) -> None:
        """Show the value in force."""
        self._shown = str(value)
        self.field.setText(self._shown)
        self.show_problem("")

    def show_problem(self, words: str) -> None:
        super().show_problem(words)
        self.field.set_invalid(bool(words))
        self.field.setAccessibleDescription(words)

    def _finish(self) -> None:
        text = self.field.text().strip()
        if text == self._shown:
            self.show_problem("")
        elif self.offer(text):
            self._shown = text


class FolderRow(TextRow):
    """A folder, typed or chosen."""

    def __init__(self, theme: Theme, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(theme, setting, parent)
        self.field.setFixedWidth(_FOLDER_WIDTH)
        change = Button(theme, self.tr("Change…"))
        change.setAccessibleDescription(self.tr(setting.title))
        change.clicked.connect(self._ask)
        self.controls.addWidget(change, 0, Qt.AlignmentFlag.AlignVCenter)

    def _ask(self) -> None:
        dialog = QFileDialog(self, self.tr(self.setting.title), self._shown)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take)
        dialog.open()

    def _take(self, path: str) -> None:
        self.field.setText(str(Path(path)))
        self._finish()


def make_row(theme: Theme, setting: Setting) -> ChoiceRow | TextRow:
    """The row that suits the setting's kind."""
    match setting.kind:
        case "choice":
            return ChoiceRow(theme, setting)
        case "folder":
            return FolderRow(theme, setting)
        case "url":
            return TextRow(theme, setting)
