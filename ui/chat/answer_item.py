"""An answer: what the model thought and wrote, how far it is, and what went wrong."""

from time import monotonic
from typing import ClassVar

from app.conversations.records import Message
from ui.chat.action_row import Action
from ui.chat.message_item import MessageItem
from ui.chat.message_words import came_from_service, sentences, summary
from ui.chat.progress_line import ProgressLine
from ui.chat.thought import Thought
from ui.kit import Button, Notice
from ui.messages.formats import OUT
from ui.messages.mathematics import Formulas
from ui.messages.streaming import StreamingText
from ui.messages.view import MessageView
from ui.theme import Theme

CONTINUABLE = ("stopped", "length", "interrupted")


class AnswerItem(MessageItem):
    """An answer, whether it is being written or stored."""

    gap: ClassVar[int] = 4

    def __init__(
        self, theme: Theme, formulas: Formulas, message: Message, *, streaming: bool = False
    ) -> None:
        super().__init__(theme, formulas, message)
        self._streaming: StreamingText | None = None
        self._thought: Thought | None = None
        self._thought_began = 0.0
        self._progress = ProgressLine(theme)
        self._notices: list[Notice] = []
        self.view = MessageView(theme, formulas, "page", self.tr("Answer"))
        self.connect_view(self.view)
        self.put(self.view, gap=8)
        self.put(self._progress, gap=4, inset=OUT)
        self._progress.hide()
        self.row = self.make_row(summary(message))
        self.put(self.row, gap=4)
        if streaming:
            self._begin_streaming()
        else:
            self.view.show_text(message.text)
            self._show_state()

    @property
    def streaming(self) -> bool:
        return self._streaming is not None

    @property
    def idle(self) -> bool:
        return super().idle and not self.streaming

    @property
    def written(self) -> str:
        """The text so far."""
        return self.message.text if self._streaming is None else self._streaming.text

    def add_text(self, text: str) -> None:
        """The next piece of the answer."""
        if self._streaming is not None:
            self._end_progress()
            if self._thought is not None and self._thought_began:
                self._thought.finish(self._thought.text, monotonic() - self._thought_began)
                self._thought_began = 0.0
            self._streaming.add(text)

    def add_reasoning(self, text: str) -> None:
        """The next piece of what the model thinks."""
        self._end_progress()
        if not self._thought_began:
            self._thought_began = monotonic()
        if self._thought is None:
            self._put_thought("")
        if self._thought is not None:
            self._thought.add(text)

    def show_progress(self, words: str, fraction: float | None) -> None:
        """What happens before the first word; `fraction` from 0 to 1, None where nobody knows."""
        if self._streaming is None:
            return
        self._progress.show_progress(words, fraction)
        if self._progress.isHidden():
            self._progress.show()
            self.view.setVisible(bool(self.written))
            self.height_changed.emit()

    def finish(self, message: Message) -> None:
        """The answer is stored, as `message`."""
        self.message = message
        if self._streaming is not None:
            self._streaming.flush()
            self._streaming.deleteLater()
            self._streaming = None
        self._progress.hide()
        self.view.show_caret(False)
        if self.view.markdown != message.text:
            self.view.show_text(message.text)
        self._replace_row()
        self._show_state()
        self.height_changed.emit()

    def action_names(self) -> dict[Action, str]:
        names: dict[Action, str] = {
            "copy": self.tr("Copy"),
            "edit": self.tr("Edit"),
            "regenerate": self.tr("Answer again"),
        }
        if self.message.origin is not None and self.message.origin.adapters:
            names["regenerate_plain"] = self.tr("Answer again without adapters")
        if self.message.status in CONTINUABLE:
            names["continue"] = self.tr("Continue")
        names["delete"] = self.tr("Delete")
        names["details"] = self.tr("Details")
        return names

    def _begin_streaming(self) -> None:
        interval = self.theme.duration("token_flush") or 50
        self._streaming = StreamingText(self.view, interval, self)
        if self.message.reasoning:
            self._put_thought(self.message.reasoning)
        if self.message.text:
            self._streaming.add(self.message.text)
            self._streaming.flush()
        self.view.show_caret(True)
        # The row has its room already, so that nothing jumps when the answer is finished.
        self.row.set_usable(False)

    def _replace_row(self) -> None:
        """Siblings, figures and what can be done have changed."""
        focused = next((each for each in self.row.buttons if each.hasFocus()), None)
        action = focused.property("action") if focused else None
        pinned = self.row.pinned
        self.take(self.row)
        self.row = self.make_row(summary(self.message))
        self.row.set_pinned(pinned)
        self.put(self.row, gap=4)
        self.row.set_hovered(self.underMouse())
        if action and (button := self.row.button(action)):
            button.setFocus()

    def _show_state(self) -> None:
        """Thought, notices and problem of a stored answer."""
        message = self.message
        if message.reasoning and self._thought is None:
            self._put_thought(message.reasoning)
        if self._thought is not None:
            self._thought.finish(message.reasoning, message.reasoning_seconds)
        for notice in self._notices:
            self.take(notice)
        self._notices.clear()
        if message.notice:
            self._put_notice(Notice(self.theme, "info", message.notice), 0, gap=0)
        if message.status == "interrupted":
            words = message.problem or self.tr(
                "The answer was interrupted. What had been written is kept."
            )
            retry = Button(self.theme, self.tr("Retry"), icon="arrow-clockwise")
            retry.clicked.connect(self._retry)
            actions = [retry]
            if came_from_service(message):
                services = Button(self.theme, self.tr("Open services"), "ghost")
                services.clicked.connect(self._request_services)
                actions.append(services)
            problem = Notice(self.theme, "danger", *sentences(words), actions=actions)
            self._put_notice(problem, self.parts.index(self.row), gap=8)
        self.view.setVisible(bool(message.text))

    def _put_thought(self, text: str) -> None:
        self._thought = Thought(self.theme, self.formulas, text)
        self._thought.height_changed.connect(self._refit_thought)
        self._thought.link_activated.connect(self.link_activated)
        self.put(self._thought, index=self.parts.index(self.view))
        self.height_changed.emit()

    def _refit_thought(self) -> None:
        self.parts_changed.emit()
        self.height_changed.emit()

    def _put_notice(self, notice: Notice, index: int, gap: int) -> None:
        self._notices.append(notice)
        self.put(notice, gap=gap, index=index)

    def _end_progress(self) -> None:
        if not self._progress.isHidden():
            self._progress.hide()
            self.view.show()
            self.height_changed.emit()

    def _request_services(self) -> None:
        self.acted.emit("services", self.message.id)

    def _retry(self) -> None:
        self.acted.emit("retry", self.message.id)
