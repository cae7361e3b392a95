"""A turn seen from the window: driven on a background thread, told on the main thread in portions."""

import time
from collections import deque
from collections.abc import Iterable, Iterator

from PySide6.QtCore import QObject, QTimer, Signal

from app.answer_pace import Pace, PaceMaker
from app.turns import Turn, TurnEnded, TurnEvent
from backends.protocol import ReasoningDelta, TextDelta
from ui.background import Background

# Tokens can come faster than a screen shows them: they are handed on in portions.
PORTION_MS = 33


class RunningTurn(QObject):
    """Runs a turn and keeps what it has said so far, so that a chat can be left and come back to.

    Attributes:
        text, reasoning: the answer so far, what was there before the turn included.
        pace: how far it is, and how fast.

    Signals:
        happened: the conversation's id and an event of the turn; neighbouring deltas come as one.
        ended: the id and the `TurnEnded`. It is the last signal.
        failed: the id and the bug that ended the turn.
    """

    happened = Signal(str, object)
    ended = Signal(str, object)
    failed = Signal(str, object)

    def __init__(self, background: Background, turn: Turn, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.turn = turn
        self.text = turn.answer.text
        self.reasoning = turn.answer.reasoning
        self.pace = Pace()
        self._pace_maker = PaceMaker()
        self._background = background
        self._arrived: deque[TurnEvent] = deque()
        self._timer = QTimer(self)
        self._timer.setInterval(PORTION_MS)
        self._timer.timeout.connect(self._hand_on)

    def start(self) -> None:
        self._timer.start()
        self._background.run_long(self, lambda _: self._drive(), self._finish, self._give_up)

    def stop(self) -> None:
        self.turn.stop()

    def _drive(self) -> TurnEnded:
        for event in self.turn.events():
            if isinstance(event, TurnEnded):
                return event
            self.pace = self._pace_maker.note(event, time.monotonic()) or self.pace
            self._arrived.append(event)
        raise AssertionError("a turn ends with TurnEnded")

    def _hand_on(self) -> None:
        waiting = [self._arrived.popleft() for _ in range(len(self._arrived))]
        for event in merged(waiting):
            match event:
                case TextDelta(text):
                    self.text += text
                case ReasoningDelta(text):
                    self.reasoning += text
            self.happened.emit(self.turn.conversation_id, event)

    def _finish(self, last: TurnEnded) -> None:
        self._timer.stop()
        self._hand_on()
        self.ended.emit(self.turn.conversation_id, last)

    def _give_up(self, bug: Exception) -> None:
        self._timer.stop()
        self._hand_on()
        self.failed.emit(self.turn.conversation_id, bug)


def merged(events: Iterable[TurnEvent]) -> Iterator[TurnEvent]:
    """The events with neighbouring deltas of one kind joined."""
    pending: TextDelta | ReasoningDelta | None = None
    for event in events:
        if isinstance(event, TextDelta | ReasoningDelta):
            if isinstance(event, type(pending)):
                assert pending is not None
                pending = type(event)(pending.text + event.text)
                continue
            if pending is not None:
                yield pending
            pending = event
        else:
            if pending is not None:
                yield pending
                pending = None
            yield event
    if pending is not None:
        yield pending
