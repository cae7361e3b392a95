"""Evaluated prompts that had to leave the context, kept in memory beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from backends.llama_cpp.prefix import common_length
from backends.llama_cpp.state_format import Adapters, Answer, Payload

_BYTES_PER_TOKEN = 8

StackKey = Adapters
"""The adapters that tokens were evaluated with."""


@dataclass(frozen=True, eq=False, slots=True)
class Parked:
    """The state of a sequence. A `checkpoint` is a station on the way of one, and not worth a file.

    `notes` say of each token how it was computed, as in `reading_plan`.
    """

    key: StackKey
    tokens: Sequence[int]
    answers: tuple[Answer, ...]
    state: Payload
    checkpoint: bool = False
    notes: bytes = b""

    @property
    def n_bytes(self) -> int:
        return len(self.state) + len(self.tokens) * _BYTES_PER_TOKEN


class ParkedStates:
    """Holds states up to a number of bytes; the one least recently used leaves first."""

    def __init__(self, limit_bytes: int, *, can_cut: bool) -> None:
        """`can_cut` says whether a longer state holds all the shorter ones that it begins with."""
        self._limit = limit_bytes
        self._can_cut = can_cut
        self._states: list[Parked] = []  # the newest is the last
        self.n_bytes = 0

    def __iter__(self) -> "reversed[Parked]":
        """The newest first."""
        return reversed(self._states)

    def add(self, parked: Parked) -> list[Parked]:
        """Keep a state; return those that have to leave for it, perhaps itself."""
        for other in [other for other in self._states if self._replaces(parked, other)]:
            self.remove(other)
        self._states.append(parked)
        self.n_bytes += parked.n_bytes
        leaving = []
        while self.n_bytes > self._limit:
            leaving.append(self._states[0])
            self.remove(self._states[0])
        return leaving

    def remove(self, parked: Parked) -> None:
        """It may have left already."""
        if parked in self._states:
            self._states.remove(parked)
            self.n_bytes -= parked.n_bytes

    def touch(self, parked: Parked) -> None:
        """It was used, and leaves last, if it is still there."""
        if parked in self._states:
            self._states.remove(parked)
            self._states.append(parked)

    def _replaces(self, new: Parked, old: Parked) -> bool:
        """Whether all that the old state is good for can be had of the new one."""
        if new.key != old.key or not (self._can_cut or len(new.tokens) == len(old.tokens)):
            return False
        return common_length(new.tokens, old.tokens) == len(old.tokens)
