"""Counts the draft of the shown chat exactly, as soon as typing pauses."""

from PySide6.QtCore import QObject

from ui.chat.composer import Composer
from ui.chat.shown_chat import ShownChat


class DraftCount(QObject):
    """Asks the model what chat and draft come to, one question after the other."""

    def __init__(self, shown: ShownChat, composer: Composer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shown = shown
        self._composer = composer
        self._counting = False
        self._is_stale = False
        composer.draft_changed.connect(self.count)
        shown.opened.connect(self.count)
        shown.refreshed.connect(self.count)

    def count(self) -> None:
        """Count what stands in the field now, where it is not empty."""
        self._is_stale = self._counting
        draft = self._composer.text
        if self._counting or not draft.strip():
            return
        self._counting = True
        chat, services = self._shown.chat, self._shown.services

        def ask() -> int | None:
            conversation = services.store.get(chat.id) if chat.id else chat.conversation
            return services.chats.count_tokens(conversation, draft)

        def tell(tokens: int | None) -> None:
            self._counting = False
            if tokens is not None and chat is self._shown.chat:
                self._composer.show_exact_count(draft, tokens)
            if self._is_stale:
                self.count()

        def give_up(error: Exception) -> None:
            self._counting = False
            self._shown.tell_refusal(error)

        self._shown.beside(ask, tell, give_up)
