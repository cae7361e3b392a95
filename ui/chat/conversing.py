"""What a person does with messages: ask, ask again, edit, go on, copy, delete, walk siblings."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import msgspec
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSpinBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from app.conversations.records import Message, Page, ReadingPlace
from app.turns import Turn
from ui.chat.composer import Composer
from ui.chat.open_chat import ChatContents, OpenChat
from ui.chat.shown_chat import ShownChat
from ui.chat.transcript import Transcript
from ui.chat.turn_presenter import TurnPresenter
from ui.kit import Toast


class Begun(NamedTuple):
    """A turn that must run now, since its chat waits for its end. `problem`: what failed afterwards."""

    turn: Turn | None
    page: Page | None = None
    problem: Exception | None = None


class Conversing(QObject):
    """Joins transcript and composer of the shown chat to its conversation.

    Signals:
        changed: something was written; lists of chats are out of date.
    """

    changed = Signal()

    def __init__(
        self,
        shown: ShownChat,
        turns: TurnPresenter,
        transcript: Transcript,
        composer: Composer,
        toast: Toast,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._shown = shown
        self._services = shown.services
        self._store = shown.services.store
        self._turns = turns
        self._transcript = transcript
        self._composer = composer
        self._toast = toast
        self._written_in: OpenChat | None = None
        self._edit_waiting: tuple[OpenChat, Callable[[], Turn | None]] | None = None
        shown.begun.connect(self._begin_chat)
        shown.opened.connect(self._show)
        turns.ended.connect(self._turn_ended)
        composer.message_submitted.connect(self._send)
        composer.stop_requested.connect(self.stop)
        composer.edit_last_requested.connect(transcript.edit_last_question)
        composer.draft_changed.connect(self._save_draft)
        transcript.copy_requested.connect(self._copy_message)
        transcript.edit_submitted.connect(self._edit)
        transcript.regenerate_requested.connect(self._regenerate)
        transcript.plain_regenerate_requested.connect(self._regenerate_plain)
        transcript.continue_requested.connect(self._continue)
        transcript.retry_requested.connect(self._retry)
        transcript.delete_requested.connect(self._delete)
        transcript.sibling_requested.connect(self._step_sibling)
        transcript.earlier_requested.connect(self._show_earlier)

    def stop(self) -> None:
        self._turns.stop(self._shown.id)

    def keep_place(self) -> None:
        """Remember where the shown chat is read, for when it is opened again."""
        chat, place = self._shown.chat, self._transcript.reading_place()
        if chat.id and chat is self._written_in and place != chat.conversation.place:
            chat.change(place=place)
            self._shown.in_order(partial(self._store.set_place, chat.id, place))

    def copy_last_answer(self) -> None:
        if text := self._transcript.last_answer_text():
            self._copy(text)

    def save_draft_now(self) -> None:
        """At the very end, when nothing runs in the background any more."""
        chat = self._shown.chat
        if self._composer.text != chat.conversation.draft:
            self._store.set_draft(chat.stored(), self._composer.text)

    def _show(self, contents: ChatContents) -> None:
        conversation = contents.conversation
        page = contents.page
        if self._turns.is_running(conversation.id):
            page = _without_last(page)  # the presenter adds the answer that is being written
        self._transcript.show_page(page, contents.place)
        if self._shown.chat is not self._written_in:
            # Read again, the same chat keeps what is being typed.
            self._write_in_shown()
        self._composer.show_follow_up(bool(contents.page.messages))
        self._turns.show_chat(conversation.id)

    def _begin_chat(self) -> None:
        """What is typed and sent before a new chat has been read belongs to it already."""
        self._write_in_shown()
        self._turns.show_chat("")

    def _write_in_shown(self) -> None:
        self._written_in = self._shown.chat
        self._composer.show_draft(self._shown.chat.conversation.draft)
        self._composer.show_speed(0)

    def _show_earlier(self) -> None:
        if first := self._transcript.first_message_id():
            read = partial(self._store.page, self._shown.id, before=first)
            self._shown.in_order(read, self._transcript.prepend_page)

    def _send(self, text: str) -> None:
        chat = self._shown.chat
        self._composer.show_busy(True)

        def send() -> Begun:
            turn = self._services.chats.send(chat.stored(), text)
            try:
                self._store.set_draft(chat.id, "")
                chat.change(draft="")
            except Exception as error:
                return Begun(turn, problem=error)
            return Begun(turn)

        def show(begun: Begun) -> None:
            assert begun.turn is not None
            assert begun.turn.question is not None
            self._transcript.append_message(begun.turn.question)
            self._composer.show_follow_up(True)
            self._turns.show_chat(chat.id)

        def give_back(error: Exception) -> None:
            if chat is self._shown.chat:
                self._composer.show_busy(self._turns.is_running(chat.id))
                if not self._composer.text:
                    self._composer.show_draft(text)
            self._shown.tell_refusal(error)

        self._shown.in_order(send, partial(self._begin, chat, show), give_back)

    def _answer_anew(self, make: Callable[[], Turn | None], chat: OpenChat | None = None) -> None:
        """Run a turn that changes which branch is shown, of the shown chat or of that one."""
        chat = chat or self._shown.chat

        def work() -> Begun:
            turn = make()
            try:
                return Begun(turn, self._store.page(chat.id))
            except Exception as error:
                return Begun(turn, problem=error)

        def show(begun: Begun) -> None:
            if begun.page is None:
                self._shown.reload()
            else:
                page = begun.page if begun.turn is None else _without_last(begun.page)
                self._transcript.show_page(page)

        self._shown.in_order(work, partial(self._begin, chat, show))

    def _begin(self, chat: OpenChat, show: Callable[[Begun], None], begun: Begun) -> None:
        """Show what was stored and run the turn, which happens even if the rest fails."""
        try:
            if chat is self._shown.chat:
                show(begun)
        finally:
            if begun.turn is not None:
                self._turns.begin(begun.turn)
        self.changed.emit()
        if begun.problem is not None:
            self._shown.tell_refusal(begun.problem)

    def _edit(self, message_id: str, text: str) -> None:
        edit = partial(self._services.chats.edit, message_id, text)
        if self._turns.stop(self._shown.id):
            # An answer is being written here: what the person wrote waits until it has ended.
            self._edit_waiting = self._shown.chat, edit
        else:
            self._answer_anew(edit)

    def _regenerate(self, message_id: str) -> None:
        self._answer_anew(partial(self._services.chats.regenerate, message_id))

    def _regenerate_plain(self, message_id: str) -> None:
        regenerate = self._services.chats.regenerate
        self._answer_anew(partial(regenerate, message_id, without_adapters=True))

    def _continue(self, message_id: str) -> None:
        self._answer_anew(partial(self._services.chats.continue_answer, message_id))

    def _retry(self, message_id: str) -> None:
        """What was written is kept, and the new answer stands beside it."""
        chats = self._services.chats

        def again() -> Turn:
            answer = self._store.message(message_id)
            begun = answer.text or answer.reasoning
            return chats.regenerate(message_id) if begun else chats.continue_answer(message_id)

        self._answer_anew(again)

    def _turn_ended(self, conversation_id: str, answer: Message) -> None:
        self.changed.emit()
        if self._edit_waiting is not None and self._edit_waiting[0].id == conversation_id:
            (chat, edit), self._edit_waiting = self._edit_waiting, None
            self._answer_anew(edit, self._shown.chat if chat.id == self._shown.id else chat)
        used = self._is_used_elsewhere(QGuiApplication.focusObject())
        if conversation_id == self._shown.id and not used:
            self._composer.take_focus()

    def _is_used_elsewhere(self, focused: QObject | None) -> bool:
        """Whether the person reads or chooses with the keyboard, or is typing in another field."""
        if focused is None or (
            isinstance(focused, QWidget) and self._composer.isAncestorOf(focused)
        ):
            return False
        return self._transcript.holds(focused) or isinstance(
            focused, QLineEdit | QTextEdit | QPlainTextEdit | QAbstractSpinBox | QAbstractItemView
        )

    def _copy_message(self, message_id: str) -> None:
        def copy(message: Message) -> None:
            self._copy(message.text)

        self._shown.in_order(partial(self._store.message, message_id), copy)

    def _copy(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self._toast.show_message(self.tr("Copied"))

    def _step_sibling(self, message_id: str, step: int) -> None:
        below = self._transcript.top_of(message_id)

        def show() -> ReadingPlace:
            """The other version stands where this one stood."""
            parent = self._store.message(message_id).parent_id
            leaf = self._store.step_sibling(message_id, step).leaf_id
            assert leaf is not None
            version = next(m for m in self._store.branch(leaf) if m.parent_id == parent)
            return ReadingPlace(version.id, below=below)

        self._shown.in_order(show, self._shown.reload)

    def _delete(self, message_id: str) -> None:
        def tell(_: object) -> None:
            self._reload()
            self._toast.show_message(self.tr("Message deleted, with what followed it"), restore)

        def restore() -> None:
            self._shown.in_order(
                partial(self._store.restore_message, message_id), lambda _: self._reload()
            )

        self._shown.in_order(partial(self._store.delete_message, message_id), tell)

    def _reload(self) -> None:
        self._shown.reload(self._transcript.reading_place())
        self.changed.emit()

    def _save_draft(self, text: str) -> None:
        chat = self._shown.chat

        def save() -> None:
            self._store.set_draft(chat.stored(), text)
            chat.change(draft=text)

        if text or chat.id:
            self._shown.in_order(save)


def _without_last(page: Page) -> Page:
    return msgspec.structs.replace(page, messages=page.messages[:-1])
