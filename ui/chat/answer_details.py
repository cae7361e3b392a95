"""Shows how an answer came about, with what is stored of it besides its text."""

from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.conversations.records import Message
from backends.protocol import TokenLogprob
from ui.chat.details_dialog import DetailsDialog
from ui.chat.message_words import details
from ui.chat.shown_chat import ShownChat
from ui.chat.transcript import Transcript
from ui.theme import Theme


class AnswerDetails(QObject):
    """Reads off the main thread, and opens the dialog when everything is there."""

    def __init__(
        self, theme: Theme, shown: ShownChat, transcript: Transcript, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown = shown
        self._page = parent
        transcript.details_requested.connect(self._read)

    def _read(self, message: Message) -> None:
        def show(tokens: tuple[TokenLogprob, ...]) -> None:
            DetailsDialog(self._theme, details(message), tokens, self._page.window()).open()

        self._shown.in_order(partial(self._shown.services.store.logprobs, message.id), show)
