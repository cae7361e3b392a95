"""The chat page: the list of chats, and the one that is shown."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.conversations.records import ConversationRow, Message
from app.models import ChatModel
from app.settings import WindowValue
from catalog.library import InstalledModel
from ui.background import Background
from ui.chat.answer_details import AnswerDetails
from ui.chat.conversing import Conversing
from ui.chat.draft_count import DraftCount
from ui.chat.layout import ChatLayout
from ui.chat.links import ask_before_opening
from ui.chat.open_chat import ChatContents
from ui.chat.setup import ChatSetup
from ui.chat.shown_chat import ShownChat
from ui.chat.turn_presenter import TurnPresenter
from ui.kit import Toast
from ui.known_fits import KnownFits
from ui.startup import Opened
from ui.theme import Theme


class ChatPage(QWidget):
    """Shows one chat at a time; answers in others go on being written.

    Signals:
        models_requested: the person wants other models.
        adapters_requested: the person wants other adapters.
        services_requested: the person wants to see which services are connected, and how.
        title_changed: the title of the shown chat, empty for a new one.
    """

    models_requested = Signal()
    adapters_requested = Signal()
    services_requested = Signal()
    title_changed = Signal(str)

    def __init__(
        self,
        theme: Theme,
        background: Background,
        opened: Opened,
        fits: KnownFits,
        toast: Toast,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._store = opened.services.store
        self._settings = opened.services.settings
        self._rows = opened.rows
        self._title = ""
        self._toast = toast
        self._layout = layout = ChatLayout(theme, background, fits.of)
        fits.changed.connect(layout.picker.show_fits)
        layout.picker.opened.connect(fits.forget)  # other memory may be free than last time
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(layout)
        transcript, composer = layout.transcript, layout.composer
        toast.stand_above(composer)
        self._shown = ShownChat(background, opened.services, toast, self)
        self._turns = TurnPresenter(background, transcript, composer, toast, self)
        self._conversing = Conversing(self._shown, self._turns, transcript, composer, toast, self)
        installed = tuple(model for model in opened.models if model.writes)
        writers: tuple[ChatModel, ...] = (*installed, *opened.offered)
        self._setup = ChatSetup(self._shown, layout, writers, toast, self)
        self._draft_count = DraftCount(self._shown, composer, self)
        AnswerDetails(theme, self._shown, transcript, self)
        self._connect()

    @property
    def has_chats(self) -> bool:
        return bool(self._rows)

    @property
    def title(self) -> str:
        return self._title

    def start(self) -> None:
        """Show the chat that was open last, or a new one."""
        window = self._settings.current.window
        self._layout.restore(window)
        self._layout.list.show_rows(self._rows)
        self._layout.composer.show_unavailable(self.tr("Opening the chat"))
        last = window.get("chat")
        if isinstance(last, str) and any(row.id == last for row in self._rows):
            self._shown.open(last)
        else:
            self._shown.open_new()

    def take_focus(self) -> None:
        self._layout.composer.take_focus()

    def focus_search(self) -> None:
        if not self._layout.list.isVisible():
            self._layout.toggle_list()
        self._layout.list.focus_search()

    def toggle_list(self) -> None:
        self._layout.toggle_list()

    def toggle_inspector(self) -> None:
        self._layout.toggle_inspector()

    def stop(self) -> None:
        """Stop the answer that is being written in the shown chat."""
        self._conversing.stop()

    def copy_last_answer(self) -> None:
        self._conversing.copy_last_answer()

    def open_chat(self, conversation_id: str) -> None:
        self._flush()
        self._shown.open(conversation_id)

    def new_chat(self) -> None:
        self._flush()
        self._shown.open_new()
        self.take_focus()

    def step_chat(self, step: int) -> None:
        """To the chat `step` below the shown one in the list."""
        if neighbour := self._layout.list.neighbour(step):
            self.open_chat(neighbour)

    def show_offline(self, offline: bool) -> None:
        """Whether nothing may leave this computer."""
        self._setup.show_offline(offline)

    def show_models(self, models: tuple[ChatModel, ...]) -> None:
        """Other models can answer now."""
        self._setup.show_models(models)

    def use_model(self, model: ChatModel) -> None:
        """Answer with this model from now on, and load it."""
        self._setup.use_model(model)

    def use_adapter(self, adapter_id: str, fitting: Sequence[InstalledModel]) -> None:
        """Use the adapter in the shown chat, with a model that it fits."""
        self._setup.use_adapter(adapter_id, fitting)

    def refresh_rows(self) -> None:
        """Read the list again; another program may have written too."""
        search = self._layout.list.search_text
        self._shown.in_order(partial(self._store.rows, search=search), self._show_rows)

    def layout_state(self) -> dict[str, WindowValue]:
        """What the next start restores."""
        return self._layout.state() | {"chat": self._shown.id}

    def stop_work(self) -> None:
        """End what is being written or loaded."""
        self._flush()
        self._turns.stop_all()
        self._setup.stop()

    def save_draft(self) -> None:
        """At the very end, when nothing runs in the background any more."""
        self._conversing.save_draft_now()

    def _connect(self) -> None:
        chats = self._layout.list
        chats.conversation_chosen.connect(self.open_chat)
        chats.writing_requested.connect(self._write_in)
        chats.writing_begun.connect(self._write)
        chats.new_chat_requested.connect(self.new_chat)
        chats.search_changed.connect(self.refresh_rows)
        chats.rename_submitted.connect(self._rename)
        chats.stop_requested.connect(self._turns.stop)
        chats.delete_requested.connect(self._delete)
        self._shown.opened.connect(self._show)
        self._conversing.changed.connect(self._messages_changed)
        self._layout.new_chat.suggestion_chosen.connect(self._suggest)
        self._layout.new_chat.models_requested.connect(self.models_requested)
        self._setup.models_requested.connect(self.models_requested)
        self._setup.adapters_requested.connect(self.adapters_requested)
        self._turns.writing_changed.connect(chats.show_writing)
        self._turns.writing_changed.connect(self._setup.show_writing)
        self._turns.ended.connect(self._turn_ended)
        self._layout.transcript.services_requested.connect(self.services_requested)
        self._layout.transcript.link_activated.connect(self._open_link)

    def _flush(self) -> None:
        self._conversing.keep_place()
        self._layout.composer.flush_draft()
        self._layout.inspector.flush()

    def _show(self, contents: ChatContents) -> None:
        self._layout.show_messages(bool(contents.page.messages))
        self._layout.list.show_current(contents.conversation.id)
        self._tell_title(contents.conversation.title)

    def _messages_changed(self) -> None:
        self._layout.show_messages(bool(self._layout.transcript.items))
        self.refresh_rows()

    def _suggest(self, text: str) -> None:
        self._layout.composer.show_draft(text)
        self.take_focus()

    def _write_in(self, conversation_id: str) -> None:
        self.open_chat(conversation_id)
        self.take_focus()

    def _write(self, text: str) -> None:
        self._layout.composer.type(text)

    def _turn_ended(self, conversation_id: str, answer: Message) -> None:
        if conversation_id == self._shown.id:
            self._setup.show_usage(answer)
            self._draft_count.count()

    def _show_rows(self, rows: tuple[ConversationRow, ...]) -> None:
        searching = bool(self._layout.list.search_text)
        self._rows = self._rows if searching else rows
        self._layout.list.show_rows(rows)
        self._layout.list.show_current(self._shown.id)
        self._tell_title(next((row.title for row in rows if row.id == self._shown.id), self.title))

    def _tell_title(self, title: str) -> None:
        if title != self._title:
            self._title = title
            self.title_changed.emit(title)

    def _rename(self, conversation_id: str, title: str) -> None:
        rename = partial(self._store.rename, conversation_id, title)
        self._shown.in_order(rename, lambda _: self.refresh_rows())

    def _delete(self, conversation_id: str) -> None:
        def restore() -> None:
            self._shown.in_order(
                partial(self._store.restore, conversation_id), lambda _: self.refresh_rows()
            )
            self.open_chat(conversation_id)

        self._flush()
        self._turns.stop(conversation_id)
        delete = partial(self._store.delete, conversation_id)
        self._shown.in_order(delete, lambda _: self.refresh_rows())
        if conversation_id == self._shown.id:
            self._shown.open_new()
        self._toast.show_message(self.tr("Chat deleted"), restore)

    def _open_link(self, address: str) -> None:
        ask_before_opening(self, address)
