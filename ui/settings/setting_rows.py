"""One row for each setting: its words on the left, the control it needs on the right."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from app.settings import Setting
from ui.kit import Button, ComboBox, NumberField, Switch, TextField
from ui.settings.setting_lists import ListRow
from ui.settings.setting_row import SettingRow
from ui.theme import Theme

_CHOICE_WIDTH = 268
_FIELD_WIDTH = 300
_FOLDER_WIDTH = 232
_NUMBER_WIDTH = 112


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


class SwitchRow(SettingRow):
    """On or off."""

    def __init__(self, theme: Theme, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(theme, setting, parent)
        self.switch = Switch(theme, self.tr(setting.title))
        self.switch.clicked.connect(self._choose)
        self.controls.addWidget(self.switch, 0, Qt.AlignmentFlag.AlignVCenter)

    def show_value(self, value: object) -> None:
        """Show the value in force."""
        self.switch.setChecked(bool(value))

    def _choose(self) -> None:
        self.offer(self.switch.isChecked())


class NumberRow(SettingRow):
    """A whole number, typed or stepped with the arrow keys."""

    def __init__(self, theme: Theme, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(theme, setting, parent)
        self.field = NumberField(
            theme,
            self.tr(setting.title),
            minimum=setting.minimum,
            maximum=setting.maximum,
            special=self.tr(setting.neutral_title),
        )
        self.field.setFixedSize(_NUMBER_WIDTH, theme.size("control"))
        self.field.setFont(theme.font("body", tabular=True))
        self.field.setProperty("ground", "page")
        # A port is a name, not a quantity.
        self.field.setGroupSeparatorShown(not setting.key.endswith("port"))
        if setting.unit:
            self.field.setSuffix(f" {setting.unit}")
        self.field.valueChanged.connect(self._choose)
        self.controls.addWidget(self.field, 0, Qt.AlignmentFlag.AlignVCenter)

    def show_value(self, value: object) -> None:
        """Show the value in force."""
        self.field.blockSignals(True)
        self.field.setValue(float(str(value)))
        self.field.blockSignals(False)

    def _choose(self, number: float) -> None:
        self.offer(int(number))


Row = ChoiceRow | TextRow | SwitchRow | NumberRow | ListRow


def make_row(theme: Theme, setting: Setting) -> Row:
    """The row that suits the setting's kind."""
    match setting.kind:
        case "choice":
            return ChoiceRow(theme, setting)
        case "folder":
            return FolderRow(theme, setting)
        case "url" | "proxy":
            return TextRow(theme, setting)
        case "switch":
            return SwitchRow(theme, setting)
        case "number":
            return NumberRow(theme, setting)
        case "list":
            return ListRow(theme, setting)
