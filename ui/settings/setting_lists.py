"""A setting of several values: folders that are looked into, catalogues, or pages that may connect."""

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.settings import Setting
from ui.kit import Button, ElidedLabel, Icon, IconButton, Paragraph, TextField
from ui.settings.setting_row import SettingRow
from ui.theme import Theme

_ICONS = {"folders": "folder", "catalogues": "books", "origins": "globe-simple"}


class ListRow(SettingRow):
    """Its values stand below the words, each with a button that takes it away."""

    def __init__(self, theme: Theme, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(theme, setting, parent)
        self._items: tuple[str, ...] = ()
        self._notes: Mapping[str, str] = {}
        self._lines = QWidget()
        self._line_column = QVBoxLayout(self._lines)
        self._line_column.setContentsMargins(0, 0, 0, 0)
        self._line_column.setSpacing(4)
        self.column.insertWidget(1, self._lines)
        if setting.items == "folders":
            add = Button(theme, self.tr("Add a folder…"), icon="plus")
            add.clicked.connect(self._ask)
            self.controls.addWidget(add, 0, Qt.AlignmentFlag.AlignVCenter)
        else:
            self.column.insertWidget(2, self._make_address_line())
        self._show_lines()

    def show_value(self, value: object) -> None:
        """Show the values in force."""
        items = tuple(str(item) for item in value) if isinstance(value, tuple) else ()
        self.show_problem("")
        if items != self._items:
            self._items = items
            self._show_lines()

    def show_notes(self, notes: Mapping[str, str]) -> None:
        """What is to be said below some of the values."""
        if notes != self._notes:
            self._notes = dict(notes)
            self._show_lines()

    def _make_address_line(self) -> QWidget:
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        are_catalogues = self.setting.items == "catalogues"
        if are_catalogues:
            name, add_name = self.tr("Address of a catalogue"), self.tr("Add the catalogue")
        else:
            name, add_name = self.tr("Address of a page"), self.tr("Add the page")
        self._address = TextField(self.theme, name, "https://", ground="page")
        self._address.returnPressed.connect(self._take_address)
        add = Button(self.theme, self.tr("Add"))
        add.setAccessibleName(add_name)
        add.clicked.connect(self._take_address)
        line.addWidget(self._address, 1)
        line.addWidget(add)
        if are_catalogues:
            choose = Button(self.theme, self.tr("Choose a file…"), "ghost")
            choose.clicked.connect(self._ask)
            line.addWidget(choose)
        return holder

    def _show_lines(self) -> None:
        while (taken := self._line_column.takeAt(0)) is not None:
            if widget := taken.widget():
                widget.hide()
                widget.deleteLater()
        for item in self._items:
            self._line_column.addWidget(self._make_line(item))
            if note := self._notes.get(item):
                words = Paragraph(self.theme, note, "small")
                words.setContentsMargins(24, 0, 0, 0)
                self._line_column.addWidget(words)
        self._lines.setVisible(bool(self._items))

    def _make_line(self, item: str) -> QWidget:
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        icon = _ICONS[self.setting.items]
        name = self.tr("Take {item} off the list").format(item=item)
        remove = IconButton(self.theme, "x", name, size=14)
        remove.setProperty("item", item)
        remove.clicked.connect(self._remove)
        line.addWidget(Icon(self.theme, icon))
        line.addWidget(ElidedLabel(self.theme, item), 1)
        line.addWidget(remove)
        return holder

    def _ask(self) -> None:
        dialog = QFileDialog(self, self.tr(self.setting.title))
        if self.setting.items == "folders":
            dialog.setFileMode(QFileDialog.FileMode.Directory)
            dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        else:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
            dialog.setNameFilters([self.tr("Catalogues (*.json)"), self.tr("All files (*)")])
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take)
        dialog.open()

    def _take_address(self) -> None:
        if self._take(self._address.text().strip()):
            self._address.clear()

    def _take(self, item: str) -> bool:
        is_path = self.setting.items != "origins" and "://" not in item
        added = str(Path(item)) if is_path and item else item
        if not added or added in self._items:
            return bool(added)
        return self._offer((*self._items, added))

    def _remove(self) -> None:
        button = self.sender()
        if button is not None:
            gone = button.property("item")
            self._offer(tuple(item for item in self._items if item != gone))
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _offer(self, items: tuple[str, ...]) -> bool:
        if not self.offer(items):
            return False
        self._items = items
        self._show_lines()
        return True
