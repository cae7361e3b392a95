"""The panel at the left: search, a new chat, and the conversations by date."""

import time
from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from app.conversations.records import ConversationRow
from ui.chat.conversation_model import ConversationModel
from ui.chat.conversation_view import ConversationView
from ui.kit import IconButton, Label, Panel, Paragraph, SearchField, Tile
from ui.shortcuts import shortcut
from ui.theme import Theme

SEARCH_PAUSE_MS = 200
"""How long typing must pause before a search starts."""


class ConversationList(Panel):
    """All chats, newest first.

    Signals:
        conversation_chosen(str): show this one.
        writing_requested(str): show this one and go to its composer.
        writing_begun(str): the person types this; it is meant for the message.
        new_chat_requested
        search_changed(str): what to search for; empty for all.
        rename_submitted(str, str): id and new title.
        stop_requested(str): the answer that is being written there shall end.
        delete_requested(str): no question was asked: offer to undo it.
    """

    conversation_chosen = Signal(str)
    writing_requested = Signal(str)
    writing_begun = Signal(str)
    new_chat_requested = Signal()
    search_changed = Signal(str)
    rename_submitted = Signal(str, str)
    stop_requested = Signal(str)
    delete_requested = Signal(str)

    def __init__(
        self,
        theme: Theme,
        *,
        clock: Callable[[], float] = time.time,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, "panel", "r", parent)
        self._theme = theme
        self._clock = clock
        self._shown_id = ""
        self._waiting: tuple[ConversationRow, ...] | None = None
        self._model = ConversationModel(self)
        self._search = SearchField(theme, self.tr("Search chats"), _search_keys())
        self._search.setClearButtonEnabled(True)
        self._new = IconButton(theme, "note-pencil", self.tr("New chat"), box=32, size=20)
        self._view = ConversationView(theme, self._model)
        self._none_found = _Empty(theme, "magnifying-glass", self.tr("Nothing found"))
        self._none_yet = _Empty(
            theme,
            "chat-circle-text",
            self.tr("No chats yet"),
            self.tr("What you write is kept here, on this computer only."),
        )
        self._pause = QTimer(self, singleShot=True, interval=SEARCH_PAUSE_MS)
        self.setFixedWidth(theme.size("list"))
        self.setAccessibleName(self.tr("Chats"))
        self._lay_out()
        self._connect()

    @property
    def search_text(self) -> str:
        return self._search.text().strip()

    def show_rows(self, rows: Sequence[ConversationRow]) -> None:
        """Show these, newest first; the selection and the place in the list stay."""
        if self._view.is_renaming():
            # A reset would close the field under the person's hands.
            self._waiting = tuple(rows)
            return
        place = self._view.verticalScrollBar().value()
        if self._model.show_rows(rows, self._clock()):
            self._view.doItemsLayout()
            self._view.select(self._shown_id, scroll=False)
            self._view.verticalScrollBar().setValue(place)
        self._show_emptiness(not rows)

    def show_current(self, conversation_id: str) -> None:
        """Mark the open conversation; an empty id marks none (a new chat)."""
        self._shown_id = conversation_id
        if self._view.current_id() != conversation_id:
            self._view.select(conversation_id)

    def show_writing(self, conversation_ids: frozenset[str]) -> None:
        """Mark the conversations in which answers are being written."""
        self._model.show_writing(conversation_ids)

    def neighbour(self, step: int) -> str:
        """The id of the conversation `step` below the open one; empty past either end."""
        return self._model.neighbour(self._shown_id, step)

    def focus_search(self) -> None:
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search.selectAll()

    def focus_list(self) -> None:
        self._view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        clears = event.key() == Qt.Key.Key_Escape and bool(self._search.text())
        if event.type() == QEvent.Type.ShortcutOverride and clears:
            # Esc stops the answer everywhere else.
            event.accept()
            return True
        if event.type() == QEvent.Type.KeyPress:
            if clears:
                self._search.clear()
                return True
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.focus_list()
                return True
        return super().eventFilter(watched, event)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(8, 12, 8, 12)
        head.setSpacing(4)
        head.addWidget(self._search, 1)
        head.addWidget(self._new)
        column = QVBoxLayout(self)
        # One pixel for the hairline at the right.
        column.setContentsMargins(0, 0, 1, 0)
        column.setSpacing(0)
        column.addLayout(head)
        self._stack = QStackedLayout()
        column.addLayout(self._stack, 1)
        # Not earlier: what is put into a stack without a parent is shown as a window of its own.
        self._stack.addWidget(self._view)
        self._stack.addWidget(self._none_yet)
        self._stack.addWidget(self._none_found)

    def _connect(self) -> None:
        self._search.installEventFilter(self)
        self._search.textChanged.connect(self._search_edited)
        self._pause.timeout.connect(self._report_search)
        self._new.clicked.connect(self.new_chat_requested)
        self._view.chosen.connect(self._choose)
        self._view.entered_chat.connect(self._enter)
        self._view.writing_begun.connect(self.writing_begun)
        self._view.stop_requested.connect(self.stop_requested)
        self._view.delete_requested.connect(self.delete_requested)
        self._view.renaming_ended.connect(self._show_waiting, Qt.ConnectionType.QueuedConnection)
        self._model.renamed.connect(self.rename_submitted)

    def _choose(self, conversation_id: str) -> None:
        self._shown_id = conversation_id
        self.conversation_chosen.emit(conversation_id)

    def _enter(self, conversation_id: str) -> None:
        self._shown_id = conversation_id
        self.writing_requested.emit(conversation_id)

    def _search_edited(self, text: str) -> None:
        if text:
            self._pause.start()
        else:
            self._pause.stop()
            self._report_search()

    def _report_search(self) -> None:
        self.search_changed.emit(self.search_text)

    def _show_waiting(self) -> None:
        if self._waiting is not None:
            rows, self._waiting = self._waiting, None
            self.show_rows(rows)

    def _show_emptiness(self, empty: bool) -> None:
        if not empty:
            self._stack.setCurrentWidget(self._view)
        elif not self.search_text:
            self._stack.setCurrentWidget(self._none_yet)
        else:
            self._none_found.show_words(
                self.tr("No chat has “{words}” in its title or its messages.").format(
                    words=self.search_text
                )
            )
            self._stack.setCurrentWidget(self._none_found)


def _search_keys() -> str:
    keys = QKeySequence(shortcut("search_chats").keys[0])
    return keys.toString(QKeySequence.SequenceFormat.NativeText).replace("+", " ")


class _Empty(QWidget):
    """What the list says while it has no rows."""

    def __init__(self, theme: Theme, icon: str, title: str, words: str = "") -> None:
        super().__init__()
        centre = Qt.AlignmentFlag.AlignHCenter
        self._words = Paragraph(theme, words, alignment=centre)
        self._words.setFixedWidth(theme.size("list") - 48)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 48, 0, 0)
        column.setSpacing(0)
        column.addWidget(Tile(theme, icon, "accent_text", "accent_soft"), 0, centre)
        column.addSpacing(12)
        column.addWidget(Label(theme, title, "strong"), 0, centre)
        column.addSpacing(2)
        column.addWidget(self._words, 0, centre)
        column.addStretch(1)

    def show_words(self, words: str) -> None:
        self._words.set_text(words)
