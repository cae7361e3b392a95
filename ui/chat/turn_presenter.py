"""Shows in transcript and composer what the turns of all chats say, as far as their chat is shown."""

import time

import msgspec
from PySide6.QtCore import QCoreApplication, QObject, Signal

from app.answer_pace import Pace
from app.conversations.records import Message
from app.turns import ModelLoading, Turn, TurnEnded, TurnEvent, Waiting
from backends.protocol import (
    Finished,
    HistoryTrimmed,
    PromptProgress,
    ReasoningDelta,
    TextDelta,
    Usage,
    Warned,
)
from ui.background import Background
from ui.chat.composer import Composer
from ui.chat.running_turn import RunningTurn
from ui.chat.transcript import Transcript
from ui.kit import Toast

_PACE_SECONDS = 0.25


class TurnPresenter(QObject):
    """Owns the running turns.

    Signals:
        writing_changed: a `frozenset` of the ids of the chats that are being written in.
        ended: the id of a chat whose answer has ended, and the answer.
    """

    writing_changed = Signal(object)
    ended = Signal(str, object)

    def __init__(
        self,
        background: Background,
        transcript: Transcript,
        composer: Composer,
        toast: Toast,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background = background
        self._transcript = transcript
        self._composer = composer
        self._toast = toast
        self._running: dict[str, RunningTurn] = {}
        self._shown_id = ""
        self._told_pace = Pace()
        self._told_at = 0.0

    def begin(self, turn: Turn) -> None:
        """Run a turn. Its answer stands at the end of the transcript if its chat is shown."""
        running = RunningTurn(self._background, turn, self)
        running.happened.connect(self._tell)
        running.ended.connect(self._finish)
        running.failed.connect(self._report)
        self._running[turn.conversation_id] = running
        if turn.conversation_id == self._shown_id:
            self._attach(running)
        self._tell_writing()
        running.start()

    def show_chat(self, conversation_id: str) -> None:
        """Another chat is shown; if it is being written in, its answer streams on."""
        self._shown_id = conversation_id
        running = self._running.get(conversation_id)
        if running is None:
            self._composer.show_busy(False)
            self._show_pace(Pace())
        else:
            self._attach(running)

    def is_running(self, conversation_id: str) -> bool:
        return conversation_id in self._running

    def stop(self, conversation_id: str) -> bool:
        """Stop the answer of that chat; False where none is being written."""
        running = self._running.get(conversation_id)
        if running is not None:
            running.stop()
        return running is not None

    def stop_all(self) -> None:
        for running in self._running.values():
            running.stop()

    def _attach(self, running: RunningTurn) -> None:
        self._composer.show_busy(True)
        self._composer.show_speed(0)  # it was the last answer's
        self._show_pace(running.pace)
        self._transcript.begin_answer(running.turn.answer)
        # What was said while another chat was shown.
        said = running.turn.answer
        if reasoning := running.reasoning[len(said.reasoning) :]:
            self._transcript.add_reasoning(reasoning)
        if text := running.text[len(said.text) :]:
            self._transcript.add_text(text)

    def _tell(self, conversation_id: str, event: TurnEvent) -> None:
        if conversation_id != self._shown_id:
            return
        transcript = self._transcript
        match event:
            case TextDelta(text):
                transcript.add_text(text)
            case ReasoningDelta(text):
                transcript.add_reasoning(text)
            case PromptProgress(done, total, cached):
                transcript.show_prompt_progress(done - cached, total - cached)
            case ModelLoading(name, fraction):
                transcript.show_loading(name, fraction)
            case Waiting():
                transcript.show_waiting()
            case HistoryTrimmed():
                pass  # the finished answer says so
            case Warned(text):
                self._toast.show_message(text)
            case Usage() | Finished():
                pass  # the finished answer tells the final figures
        self._tell_pace(self._running[conversation_id].pace)

    def _tell_pace(self, pace: Pace) -> None:
        """Not at every token: figures that change all the time can't be read."""
        is_due = time.monotonic() - self._told_at >= _PACE_SECONDS
        if is_due or pace.phase != self._told_pace.phase:
            self._show_pace(pace)

    def _show_pace(self, pace: Pace) -> None:
        self._told_pace, self._told_at = pace, time.monotonic()
        self._composer.show_pace(pace)

    def _finish(self, conversation_id: str, last: TurnEnded) -> None:
        self._forget(conversation_id)
        if conversation_id == self._shown_id:
            self._transcript.finish_answer(last.message)
            self._composer.show_busy(False)
            self._show_pace(Pace())
            origin = last.message.origin
            self._composer.show_speed(origin.timings.tokens_per_second if origin else 0)
        self.ended.emit(conversation_id, last.message)

    def _report(self, conversation_id: str, bug: Exception) -> None:
        running = self._forget(conversation_id)
        if conversation_id == self._shown_id:
            self._transcript.finish_answer(_cut_off(running))
            self._composer.show_busy(False)
            self._show_pace(Pace())
        raise bug

    def _forget(self, conversation_id: str) -> RunningTurn:
        running = self._running.pop(conversation_id)
        running.deleteLater()
        self._tell_writing()
        return running

    def _tell_writing(self) -> None:
        self.writing_changed.emit(frozenset(self._running))


def _cut_off(running: RunningTurn) -> Message:
    return msgspec.structs.replace(
        running.turn.answer,
        text=running.text,
        reasoning=running.reasoning,
        status="interrupted",
        problem=QCoreApplication.translate(
            "TurnPresenter",
            "Something went wrong in Causeway itself. What had been written is kept.",
        ),
    )
