"""The settings: places on the left, cards of rows on the right, saved as they are made."""

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.errors import Problem
from app.paths import Paths
from app.settings import SETTINGS, Settings
from ui.kit import Card, CardPage, Label, NavItem, Panel
from ui.settings.about_page import AboutPage
from ui.settings.engines_page import EnginesPage
from ui.settings.key_place_row import KeyPlaceRow
from ui.settings.setting_lists import ListRow
from ui.settings.setting_rows import Row, make_row
from ui.settings.shortcuts_page import ShortcutsPage
from ui.settings.states_row import StatesRow
from ui.settings.token_row import TokenRow
from ui.theme import Theme

_ICONS = {"Appearance": "sun-dim", "Models": "cube", "Network": "globe-simple"}
_TOKEN_AFTER = "hub_endpoint"
_STATES_AFTER = "states_limit"
_ELSEWHERE = ("Server",)
"""Sections that stand on a page of their own."""
ENGINES = "engines"
SHORTCUTS = "shortcuts"
ABOUT = "about"


class SettingsPage(QWidget):
    """Every setting that `app.settings` declares, the shortcuts, and the facts of the program.

    Attributes:
        token, keys, states: the rows of the Hub token, of where keys are kept and of what was
            remembered, which are no settings and have signals of their own.
        engines: the page of what can answer.

    Signals:
        setting_changed: key and new value, which the setting can have.
        shown: the person looks at the page.
        folder_requested: open this `Path` in the platform's file browser.
    """

    setting_changed = Signal(str, object)
    shown = Signal()
    folder_requested = Signal(object)

    def __init__(self, theme: Theme, paths: Paths, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows: dict[str, Row] = {}
        self.token = TokenRow(theme)
        self.keys = KeyPlaceRow(theme)
        self.states = StatesRow(theme)
        self.engines = EnginesPage(theme)
        self._places: dict[str, tuple[NavItem, QWidget]] = {}
        self._stack = QStackedWidget()
        places = Panel(theme, "panel", "r")
        places.setFixedWidth(theme.size("list"))
        column = QVBoxLayout(places)
        column.setContentsMargins(8, 0, 9, 8)
        column.setSpacing(0)
        title = Label(theme, self.tr("Settings"), "strong")
        title.setContentsMargins(8, 0, 0, 0)
        title.setFixedHeight(theme.size("header"))
        column.addWidget(title)
        self._nav = column
        self._add_sections()
        self._add_place(ENGINES, "puzzle-piece", self.tr("Engines"), self.engines)
        self._add_place(SHORTCUTS, "keyboard", self.tr("Shortcuts"), ShortcutsPage(theme))
        about_page = AboutPage(theme, paths)
        about_page.folder_requested.connect(self.folder_requested)
        self._add_place(ABOUT, "info", self.tr("About Causeway"), about_page)
        column.addStretch(1)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(0)
        line.addWidget(places)
        line.addWidget(self._stack, 1)
        self.show_section(next(iter(self._places)))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()

    def show_settings(self, settings: Settings) -> None:
        """Show the values in force."""
        for key, row in self._rows.items():
            row.show_value(getattr(settings, key))
        self.token.show_set(settings.has_hub_token)

    def show_setting(self, key: str, settings: Settings) -> None:
        """Show the value of one setting, which was changed elsewhere."""
        if key in self._rows:
            self._rows[key].show_value(getattr(settings, key))
        if key == "has_hub_token":
            self.token.show_set(settings.has_hub_token)

    def show_refused(self, key: str, problem: Problem) -> None:
        """Say below a setting why it could not be saved."""
        self._rows[key].show_problem(problem.sentence())

    def show_notes(self, key: str, notes: Mapping[str, str]) -> None:
        """Say something below values of a list."""
        row = self._rows[key]
        if isinstance(row, ListRow):
            row.show_notes(notes)

    def show_section(self, section: str) -> None:
        """Go to a section of `app.settings`, in whatever case, or to one of the constants above."""
        item, page = self._places[section.casefold()]
        item.setChecked(True)
        self._stack.setCurrentWidget(page)

    def _add_sections(self) -> None:
        sections = dict.fromkeys(setting.section for setting in SETTINGS)
        for section in (section for section in sections if section not in _ELSEWHERE):
            saved = self.tr("Changes are saved as you make them")
            page = CardPage(self._theme, self.tr(section), saved)
            card = Card(self._theme)
            for setting in SETTINGS:
                if setting.section == section:
                    row = make_row(self._theme, setting)
                    row.changed.connect(self.setting_changed)
                    self._rows[setting.key] = row
                    card.add_row(row)
                    if setting.key == _TOKEN_AFTER:
                        card.add_row(self.token)
                        card.add_row(self.keys)
                    if setting.key == _STATES_AFTER:
                        card.add_row(self.states)
            page.add_block(card)
            page.column.addStretch(1)
            self._add_place(section, _ICONS[section], self.tr(section), page)

    def _add_place(self, place: str, icon: str, title: str, page: QWidget) -> None:
        item = NavItem(self._theme, icon, title)
        item.clicked.connect(self._go)
        self._nav.addWidget(item)
        self._stack.addWidget(page)
        self._places[place.casefold()] = (item, page)

    def _go(self) -> None:
        for place, (item, _) in self._places.items():
            if item.isChecked():
                self.show_section(place)
