"""How fast an answer comes, and how long its prompt will still be read."""

from typing import Literal

import msgspec

from app.turns import TurnEvent
from backends.protocol import PromptProgress, ReasoningDelta, TextDelta

_LEAST_SECONDS = 0.2
"""Over a shorter time, no speed is told."""


class Pace(msgspec.Struct, frozen=True):
    """How far an answer is. Without a phase, nothing is known yet.

    `tokens` are those of the prompt and of the answer so far, `speed` is in tokens per second of the
    phase, 0 where none is known yet; `seconds_left` are those of reading, None where nobody knows.
    """

    phase: Literal["", "reading", "writing"] = ""
    tokens: int = 0
    speed: float = 0.0
    seconds_left: float | None = None


class PaceMaker:
    """Learns the pace from the events of a turn.

    Each piece of an answer counts as a token: that is how engines send them, as a rule.
    """

    def __init__(self) -> None:
        self._prompt = 0
        self._read_before = 0
        self._read_since: float | None = None
        self._written = 0
        self._written_since: float | None = None

    def note(self, event: TurnEvent, now: float) -> Pace | None:
        """The pace after an event that came at `now` (seconds); None where it tells nothing."""
        match event:
            case PromptProgress(done, total, _):
                return self._reading(done, total, now)
            case TextDelta() | ReasoningDelta():
                return self._writing(now)
        return None

    def _reading(self, done: int, total: int, now: float) -> Pace:
        self._prompt = total
        if self._read_since is None:
            self._read_before, self._read_since = done, now
        speed = _speed(done - self._read_before, now - self._read_since)
        left = (total - done) / speed if speed and done < total else None
        return Pace("reading", total, speed, left)

    def _writing(self, now: float) -> Pace:
        if self._written_since is None:
            self._written_since = now
        speed = _speed(self._written, now - self._written_since)
        self._written += 1
        return Pace("writing", self._prompt + self._written, speed)


def _speed(tokens: int, seconds: float) -> float:
    return tokens / seconds if seconds >= _LEAST_SECONDS else 0.0
