"""The chat that is shown: reading it, and running what changes it, one after the other."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from app.conversations.records import ReadingPlace
from app.errors import problem_from
from app.services import Services
from ui.background import Background, Cancelled, Task
from ui.chat.open_chat import (
    NEW,
    ChatContents,
    OpenChat,
    read_chat,
    read_chat_at,
    read_new_chat,
)
from ui.kit import Toast

T = TypeVar("T")


class ShownChat(QObject):
    """Which chat is open. Whoever shows a part of it listens to the signals.

    Attributes:
        chat: the open chat; another object whenever another chat is opened.

    Signals:
        begun: a new chat is open, and will be read.
        opened: the `ChatContents` of a chat, its messages included.
        refreshed: the `ChatContents` of the same chat, whose messages are as they were.
    """

    begun = Signal()
    opened = Signal(object)
    refreshed = Signal(object)

    def __init__(
        self,
        background: Background,
        services: Services,
        toast: Toast,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.services = services
        self.chat = OpenChat(services.store, NEW)
        self._background = background
        self._toast = toast

    @property
    def id(self) -> str:
        """Empty for a new chat."""
        return self.chat.id

    def open(self, conversation_id: str) -> None:
        self.in_order(partial(read_chat, self.services, conversation_id), self._show)

    def open_new(self) -> None:
        # At once, so that what is sent before it has been read goes into this chat.
        self.chat = OpenChat(self.services.store, NEW)
        self.begun.emit()
        self.reload()

    def reload(self, place: ReadingPlace | None = None) -> None:
        """Read the open chat again, its messages included, and show it at that place or at its end."""
        chat, known = self.chat, self.chat.conversation

        def show(contents: ChatContents) -> None:
            if chat is self.chat:
                chat.take(contents.conversation, instead_of=known)
                self.opened.emit(contents)

        self.in_order(self._reader(place), show)

    def refresh(self) -> None:
        """Read again what lies around the messages: model and settings."""
        chat = self.chat

        def tell(contents: ChatContents) -> None:
            if chat is self.chat:
                self.refreshed.emit(contents)

        self.in_order(self._reader(), tell)

    def in_order(
        self,
        op: Callable[[], T],
        on_done: Callable[[T], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        """Run `op` off the main thread, after those before it. A refusal is shown in words."""
        self._background.run_in_order(self, op, on_done, on_error or self.tell_refusal)

    def beside(
        self,
        op: Callable[[], T],
        on_done: Callable[[T], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        """Run `op` off the main thread, beside everything else."""
        self._background.run(self, op, on_done, on_error or self.tell_refusal)

    def load(
        self, op: Callable[[Cancelled], T], on_done: Callable[[T], None] | None = None
    ) -> Task:
        """Run `op`, which may take minutes and ends soon after its event is set."""
        return self._background.run_long(self, op, on_done, self.tell_refusal)

    def tell_refusal(self, error: Exception) -> None:
        """Show a known error in words; a bug goes on to the program's reporter."""
        problem = problem_from(error)
        if problem is None:
            raise error
        self._toast.show_message(problem.sentence())

    def _reader(self, place: ReadingPlace | None = None) -> Callable[[], ChatContents]:
        if self.chat.id:
            return partial(read_chat_at, self.services, self.chat.id, place)
        return partial(read_new_chat, self.services, self.chat.conversation)

    def _show(self, contents: ChatContents) -> None:
        self.chat = OpenChat(self.services.store, contents.conversation)
        self.opened.emit(contents)
