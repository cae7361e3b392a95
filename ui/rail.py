"""The rail at the left edge: the places of the window."""

from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.kit import Panel, RailButton
from ui.theme import Theme

Place = Literal["chats", "models", "server", "settings"]


class Rail(Panel):
    """One button a place.

    Signals:
        place_chosen: a `Place`.
    """

    place_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "rail", "r", parent)
        self.setFixedWidth(theme.size("rail"))
        self._buttons: dict[str, RailButton] = {
            "chats": RailButton(theme, "chat-circle-text", self.tr("Chats")),
            "models": RailButton(theme, "cube", self.tr("Models")),
            "server": RailButton(theme, "broadcast", self.tr("Server")),
            "settings": RailButton(theme, "gear-six", self.tr("Settings")),
        }
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        for place, button in self._buttons.items():
            if place == "settings":
                column.addStretch(1)
            column.addWidget(button)
            button.clicked.connect(self._choose)

    def show_place(self, place: str) -> None:
        self._buttons[place].setChecked(True)

    def show_progress(self, fraction: float | None, words: str = "") -> None:
        """A ring over Models while something is fetched, and what that is, for the tooltip."""
        self._buttons["models"].set_progress(fraction, words)

    def show_server(self, on: bool, words: str) -> None:
        """A dot over Server while it is on, and where it is reached, for the tooltip."""
        self._buttons["server"].set_on(on, words)

    def _choose(self) -> None:
        for place, button in self._buttons.items():
            if button is self.sender():
                self.place_chosen.emit(place)
