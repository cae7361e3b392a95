"""How a prompt is read for an answer that can be repeated.

The same tokens give slightly different numbers when they are computed in batches of other sizes, and
then another token may be chosen. So a prompt whose answer must be repeatable is read in steps that
depend on its tokens alone. What was read before is used again only up to the end of such a step. The
last token is a step of its own, so that a new answer to the same prompt costs only that token.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from backends.protocol import Sampling

UNKNOWN, STEP_END, GENERATED = 0, 1, 2
"""What is noted of each token in a sequence. GENERATED: it was computed while an answer was written."""

_LONGEST_STEP = 128
"""Tokens. At most this many are read again although they were read before. Shorter steps are slower."""
_SHORTEST_STEP = 16


class ReadingPlan:
    """The steps in which one prompt is read."""

    def __init__(
        self, tokens: Sequence[int], ends_turn: Callable[[int], bool], *, only_read: bool
    ) -> None:
        """`ends_turn` says whether a token ends a message: many prompts begin with the same messages.

        `only_read`: tokens that were generated are read again. So it does not matter whether they are
        still in memory.
        """
        self._n_prompt = len(tokens)
        self._only_read = only_read
        self._ends = list(_ends(tokens, ends_turn))

    def usable(self, notes: bytes | bytearray, length: int) -> int:
        """How many of the first `length` tokens of a sequence can be used, by the notes on them."""
        length = min(length, len(notes))
        if self._only_read:
            generated = notes.find(GENERATED)
            length = min(length, generated) if generated >= 0 else length
        before_last = self._n_prompt - 1
        if length >= before_last > 0 and notes[before_last - 1] == STEP_END:
            best = before_last
        else:
            best = 0
        for end in reversed(self._ends[: bisect_right(self._ends, length)]):
            if notes[end - 1] == STEP_END:
                best = max(best, end)
                break
        return max(best, notes.rfind(GENERATED, 0, length) + 1)

    def step_end(self, start: int) -> int:
        """Where the step ends that begins there; the same place, if the prompt is read by then."""
        before_last = self._n_prompt - 1
        if start >= before_last:
            return max(start, self._n_prompt)
        following = self._ends[bisect_left(self._ends, start + _SHORTEST_STEP) :]
        return following[0] if following else before_last

    def note(self, start: int, end: int) -> int:
        """What to note of the last token of a step from `start` to `end`.

        The last token of the prompt is no end of a step: a longer prompt would not read it alone.
        """
        return STEP_END if end < self._n_prompt and self.step_end(start) == end else UNKNOWN


def plan_for(
    sampling: Sampling, tokens: Sequence[int], ends_turn: Callable[[int], bool]
) -> ReadingPlan | None:
    """None where the answer is left to chance."""
    if sampling.seed < 0 and sampling.temperature > 0:
        return None
    return ReadingPlan(tokens, ends_turn, only_read=sampling.seed >= 0)


def _ends(tokens: Sequence[int], ends_turn: Callable[[int], bool]) -> Sequence[int]:
    ends, last = [], 0
    for end, token in enumerate(tokens[: -1 - _SHORTEST_STEP], start=1):
        length = end - last
        if length == _LONGEST_STEP or (length >= _SHORTEST_STEP and ends_turn(token)):
            ends.append(end)
            last = end
    return ends
