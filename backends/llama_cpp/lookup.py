"""Guessing the next tokens from what was written before.

An answer often repeats parts of its prompt, such as code that is to be changed a little. Several
guessed tokens are checked in one step, which takes less time than to compute one after the other if
most of them are right, and more time if not. So a guess needs a long match with what was written
before, the longer the more guesses went wrong, and an account is kept of what it all gained and lost.
"""

from collections.abc import Iterable, Sequence

LONGEST_DRAFT = 8
_SHORTEST_MATCH, _LONGEST_MATCH = 3, 16
_FIRST_MATCH = 5
_RISKED = 0.02
"""Of the time so far. Together with the last failure, that makes what an answer can lose."""
_MOST_CREDIT = 8  # in plain steps, lest what copying gained is lost again afterwards
_STEPS_TO_KNOW = 3
_NEW_SHARE = 0.2
_CHECK = 0.25
"""What it usually takes to check one guessed token, beside the step that is computed anyway."""


def usual_steps(drafted: int) -> float:
    """How long a step with so many guessed tokens usually takes, in plain steps."""
    return 1 + _CHECK * drafted


class PromptLookup:
    """Guesses for one sequence of tokens."""

    def __init__(self, tokens: Iterable[int]) -> None:
        self._tokens: list[int] = []
        self._following: dict[tuple[int, ...], int] = {}
        self._needed = _FIRST_MATCH
        self._plain = 0.0  # time of a step without a guess
        self._n_plain = 0
        self._elapsed = 0.0
        self._lost = 0.0  # below zero: gained
        for token in tokens:
            self.feed(token)

    def feed(self, token: int) -> None:
        """Tell the next token, of the prompt or the answer."""
        end = len(self._tokens)
        if end >= _SHORTEST_MATCH:
            # What ends here has something after it only now.
            self._following[tuple(self._tokens[-_SHORTEST_MATCH:])] = end
        self._tokens.append(token)

    def draft(self, most: int = LONGEST_DRAFT) -> Sequence[int]:
        """What may come next, at most so many tokens; nothing where guessing does not pay."""
        if self._n_plain < _STEPS_TO_KNOW or self._lost > _RISKED * self._elapsed:
            return ()
        start = self._following.get(tuple(self._tokens[-_SHORTEST_MATCH:]))
        if start is None:
            return ()
        matched = self._match(start)
        if matched < self._needed:
            return ()
        return self._tokens[start : start + max(0, min(most, matched - 1, LONGEST_DRAFT))]

    def note(self, drafted: int, accepted: int, seconds: float) -> None:
        """Tell how long a step took, in any unit, and how many of the drafted tokens were right."""
        self._elapsed += seconds
        if not drafted:
            self._n_plain += 1
            share = max(_NEW_SHARE, 1 / self._n_plain)
            self._plain += share * (seconds - self._plain)
            return
        self._lost += seconds - self._plain * (accepted + 1)
        self._lost = max(self._lost, -_MOST_CREDIT * self._plain)
        step = -1 if accepted == drafted else 1 if accepted else 2
        self._needed = max(_SHORTEST_MATCH, min(_LONGEST_MATCH, self._needed + step))

    def _match(self, start: int) -> int:
        """How many tokens before `start` are those at the end."""
        tokens = self._tokens
        matched = _SHORTEST_MATCH
        while (
            matched < min(_LONGEST_MATCH, start)
            and tokens[start - 1 - matched] == tokens[-1 - matched]
        ):
            matched += 1
        return matched
