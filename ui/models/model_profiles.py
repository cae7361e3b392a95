"""The profiles of a model: settings under a name, one of which is in use."""

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.options import CHAT_OPTIONS, Value
from app.profiles import Profile
from ui.chat.inspector_section import OUT
from ui.kit import Button, ComboBox, IconButton, Label, Menu, Paragraph, TextField
from ui.models.profile_options import ProfileOptions
from ui.theme import Theme

_DECLARED = {option.key: option for option in CHAT_OPTIONS}


class ModelProfiles(QWidget):
    """Chooses, makes, names, copies and removes profiles, and changes the one in use.

    It begins `OUT` pixels left of its words, for what reaches beyond them.

    Attributes:
        options: the settings of the one in use.

    Signals:
        use_requested: the id of a profile, or empty for none.
        create_requested: a name.
        rename_requested: id and name.
        duplicate_requested, remove_requested: id.
        save_requested: id and all its options, as a dictionary.
    """

    use_requested = Signal(str)
    create_requested = Signal(str)
    rename_requested = Signal(str, str)
    duplicate_requested = Signal(str)
    remove_requested = Signal(str)
    save_requested = Signal(str, object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._profiles: tuple[Profile, ...] = ()
        self._current: Profile | None = None
        self._options: dict[str, Value] = {}
        self._naming: Literal["new", "rename"] = "new"
        self._choice = ComboBox(theme, self.tr("Profile"))
        self._choice.activated.connect(self._choose)
        self._more = IconButton(theme, "dots-three", self.tr("More for profiles"), box=32)
        self._more.clicked.connect(self._open_menu)
        self._name = TextField(
            theme, self.tr("Name of the profile"), self.tr("Name of the profile")
        )
        self._name.returnPressed.connect(self._take_name)
        self._name.installEventFilter(self)
        self._save_name = Button(theme, self.tr("Save"))
        self._save_name.clicked.connect(self._take_name)
        self._first = Button(theme, self.tr("New profile"), icon="plus")
        self._first.clicked.connect(self._name_new)
        self.options = ProfileOptions(theme)
        self.options.changed.connect(self._set)
        self.options.reset_requested.connect(self._reset)
        self._problem = Paragraph(theme, kind="small", role="danger")
        self._problem.hide()
        self._lay_out()
        self.show_profiles(())

    def show_profiles(self, profiles: Sequence[Profile]) -> None:
        """The profiles of the model that is shown."""
        self._profiles = tuple(profiles)
        before, self._current = self._current, next((p for p in profiles if p.in_use), None)
        self._choice.clear()
        self._choice.addItem(self.tr("None: the chat's own settings"), "")
        for profile in profiles:
            self._choice.addItem(profile.name, profile.id)
        self._choice.select(self._current.id if self._current else "")
        self._show_line("choose" if profiles else "first")
        self._problem.hide()
        self.options.setVisible(self._current is not None)
        if self._current is None:
            return
        other = before is None or before.id != self._current.id
        if other or self._current.options != self._options:
            self._options = dict(self._current.options)
            self.options.show_options(self._options)

    def show_problem(self, words: str) -> None:
        """Why something could not be done."""
        self._problem.set_text(words)
        self._problem.show()

    def flush(self) -> None:
        """Report what waits for a pause in typing: before another model is shown."""
        self.options.flush()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self._show_line("choose" if self._profiles else "first")
                (self._more if self._profiles else self._first).setFocus()
                return True
        return super().eventFilter(watched, event)

    def _lay_out(self) -> None:
        theme = self._theme
        self._line = QStackedWidget()
        self._line.addWidget(_line(self._choice, self._more))
        self._line.addWidget(_line(self._name, self._save_name))
        first = QWidget()
        row = QHBoxLayout(first)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._first)
        row.addStretch(1)
        self._line.addWidget(first)
        help_ = self.tr("Settings that a chat with this model begins with, kept under a name.")
        column = QVBoxLayout()
        column.setContentsMargins(OUT, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(Label(theme, self.tr("Profile"), "strong"))
        column.addWidget(Paragraph(theme, help_, "small"))
        column.addSpacing(4)
        column.addWidget(self._line)
        column.addWidget(self._problem)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)
        whole.addLayout(column)
        whole.addWidget(self.options)

    def _show_line(self, line: Literal["choose", "name", "first"]) -> None:
        self._line.setCurrentIndex({"choose": 0, "name": 1, "first": 2}[line])

    def _choose(self) -> None:
        self.flush()
        self.use_requested.emit(self._choice.currentData())

    def _open_menu(self) -> None:
        self.flush()
        menu = Menu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("New profile…"), self._name_new)
        duplicate = menu.addAction(self.tr("Duplicate"), self._duplicate)
        rename = menu.addAction(self.tr("Rename…"), self._rename)
        menu.addSeparator()
        remove = menu.addAction(self.tr("Remove"), self._remove)
        for action in (duplicate, rename, remove):
            action.setEnabled(self._current is not None)
        menu.popup(self._more.mapToGlobal(self._more.rect().bottomLeft()))

    def _name_new(self) -> None:
        self._ask_name("new", "")

    def _rename(self) -> None:
        if self._current is not None:
            self._ask_name("rename", self._current.name)

    def _duplicate(self) -> None:
        if self._current is not None:
            self.duplicate_requested.emit(self._current.id)

    def _remove(self) -> None:
        if self._current is not None:
            self.remove_requested.emit(self._current.id)

    def _ask_name(self, naming: Literal["new", "rename"], name: str) -> None:
        self._naming = naming
        self._name.setText(name)
        self._show_line("name")
        self._name.setFocus(Qt.FocusReason.OtherFocusReason)
        self._name.selectAll()

    def _take_name(self) -> None:
        name = self._name.text().strip()
        if self._naming == "rename" and self._current is not None:
            self.rename_requested.emit(self._current.id, name)
        else:
            self.create_requested.emit(name)

    def _set(self, key: str, value: Value) -> None:
        if value == "":  # an empty box is no text; any other default may differ from the advice
            self._reset(key)
        elif self._options.get(key) != value:
            self._options[key] = value
            self._save()

    def _reset(self, key: str) -> None:
        if self._options.pop(key, None) is not None:
            self._save()

    def _save(self) -> None:
        if self._current is not None:
            self.save_requested.emit(self._current.id, dict(self._options))


def _line(first: QWidget, second: QWidget) -> QWidget:
    holder = QWidget()
    line = QHBoxLayout(holder)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(4)
    line.addWidget(first, 1)
    line.addWidget(second)
    return holder
