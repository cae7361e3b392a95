"""How the chat page is laid out: list, header, transcript, composer, inspector."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.settings import WindowValue
from ui.background import Background
from ui.chat.composer import Composer
from ui.chat.conversation_list import ConversationList
from ui.chat.inspector import Inspector
from ui.chat.model_list import FitOf, unknown_fit
from ui.chat.model_picker import ModelPicker
from ui.chat.new_chat import NewChat
from ui.chat.transcript import Transcript
from ui.kit import IconButton, Panel
from ui.messages.formats import OUT
from ui.theme import Theme

NARROWEST_PAGE = 480


class ChatLayout(QWidget):
    """The widgets of the chat page, and which panels are open.

    Where the window is too narrow for both panels, the list gives way to the inspector.
    """

    def __init__(
        self,
        theme: Theme,
        background: Background,
        fit_of: FitOf = unknown_fit,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._wants_list = True
        self._wants_inspector = True
        self.list = ConversationList(theme)
        self.picker = ModelPicker(theme, fit_of)
        self.transcript = Transcript(theme, background)
        self.new_chat = NewChat(theme)
        self.composer = Composer(theme)
        self.inspector = Inspector(theme)
        self._list_button = IconButton(
            theme, "list", self.tr("Show the list of chats"), box=32, size=18
        )
        self._inspector_button = IconButton(
            theme, "sliders-horizontal", self.tr("Inspector"), box=32, size=18, checkable=True
        )
        self._list_button.clicked.connect(self.toggle_list)
        self._inspector_button.clicked.connect(self.toggle_inspector)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.list)
        row.addWidget(self._page(), 1)
        row.addWidget(self.inspector)
        self._arrange()

    def show_messages(self, any_: bool) -> None:
        """The transcript, or what stands in its place in a new chat."""
        self._middle.setCurrentWidget(self.transcript if any_ else self.new_chat)

    def toggle_list(self) -> None:
        self._wants_list = not self.list.isVisibleTo(self)
        if self._wants_list and not self._has_room_for_both():
            self._wants_inspector = False
        self._arrange()

    def toggle_inspector(self) -> None:
        self._wants_inspector = not self.inspector.isVisibleTo(self)
        self._arrange()

    def state(self) -> dict[str, WindowValue]:
        unfolded = " ".join(self.inspector.unfolded)
        return {
            "list": self._wants_list,
            "inspector": self._wants_inspector,
            "unfolded": unfolded,
        }

    def restore(self, state: dict[str, WindowValue]) -> None:
        self._wants_list = bool(state.get("list", True))
        self._wants_inspector = bool(state.get("inspector", True))
        self.inspector.unfold(str(state.get("unfolded", "")).split())
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _has_room_for_both(self) -> bool:
        panels = self._theme.size("list") + self._theme.size("inspector")
        return self.width() >= panels + NARROWEST_PAGE

    def _arrange(self) -> None:
        inspector = self._wants_inspector
        list_ = self._wants_list and (not inspector or self._has_room_for_both())
        self._show(self.inspector, inspector)
        self._show(self.list, list_)
        self._show(self._list_button, not list_)
        self._inspector_button.setChecked(inspector)

    def _show(self, part: QWidget, shown: bool) -> None:
        focus = QApplication.focusWidget()
        if not shown and focus is not None and (focus is part or part.isAncestorOf(focus)):
            # Qt would pass the focus to whatever comes next.
            self.composer.take_focus()
        part.setVisible(shown)

    def _page(self) -> QWidget:
        header = Panel(self._theme, "page", "b")
        header.setFixedHeight(self._theme.size("header"))
        bar = QHBoxLayout(header)
        bar.setContentsMargins(24, 0, 16, 0)
        bar.setSpacing(4)
        bar.addWidget(self._list_button)
        bar.addWidget(self.picker, 1)
        bar.addWidget(self._inspector_button)
        page = Panel(self._theme, "page")
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(header)
        self._middle = QStackedWidget()
        self._middle.addWidget(self.transcript)
        self._middle.addWidget(self.new_chat)
        column.addWidget(self._middle, 1)
        column.addWidget(self._writing_place())
        return page

    def _writing_place(self) -> QWidget:
        """The composer, in one column with the text above it."""
        self.composer.setMaximumWidth(self._theme.size("column") + 2 * OUT)
        place = QWidget()
        row = QHBoxLayout(place)
        row.setContentsMargins(16, 8, 16, 16)
        row.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        row.addWidget(self.composer)
        return place
