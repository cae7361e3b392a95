"""Vectors from a model that writes: what it makes of a text's last token, beside its answers.

All but the last token of a text is read as a prompt would be. Only the last one is evaluated with
vectors switched on, since the scores of every token would be computed for them, and kept. Several
texts are read at once, each in a sequence of its own, in pieces that hold up no answer for long.
"""

from collections.abc import Callable
from typing import NamedTuple

from backends.errors import BackendError, PromptTooLong
from backends.llama_cpp.context import Aborted, ContextFull, NotNumbers
from backends.llama_cpp.embedding import Text, Texts, no_vector
from backends.llama_cpp.live import Live
from backends.llama_cpp.parked import StackKey
from backends.llama_cpp.sequences import Sequences, Step


class _Read(NamedTuple):
    """A text that is being read."""

    text: Text
    live: Live

    @property
    def n_pending(self) -> int:
        """Tokens to read before the last one."""
        return len(self.text.tokens) - len(self.live.tokens) - 1


class LastTokenVectors:
    """Makes the vectors of `texts`. On the thread of the context.

    `apply_stack` puts adapters in force; `clean` lets all begin again in a context that was
    overwritten.
    """

    def __init__(
        self,
        texts: Texts,
        sequences: Sequences,
        *,
        most_at_once: int,
        apply_stack: Callable[[StackKey], None],
        clean: Callable[[], None],
    ) -> None:
        """`most_at_once`: texts; each takes a slot that an answer can't have meanwhile."""
        self._texts = texts
        self._sequences = sequences
        self._most_at_once = most_at_once
        self._apply_stack = apply_stack
        self._clean = clean
        self._reading: list[_Read] = []  # the oldest is the first

    def step(self, most: int) -> None:
        """Go on with some texts, by so many tokens at most, and as many more as there are texts."""
        self._leave_unwanted()
        self._take(most)
        if not self._reading:
            return
        self._apply_stack(())
        try:
            self._read(most)
            self._finish()
        except Aborted:
            pass  # whom it was about is told by an order; the others lost a piece at most
        except ContextFull:
            self._make_room()
        except NotNumbers:
            self._give_up(no_vector())
            self._clean()

    def drop_all(self) -> None:
        """Nobody waits for any text any more."""
        for read in self._reading:
            self._sequences.drop(read.live)
        self._reading.clear()

    def _leave_unwanted(self) -> None:
        """Drop the texts of orders that have ended; those that lost their sequence begin again."""
        for read in reversed(self._reading[:]):
            held = self._sequences.holds(read.live)
            if held and read.text.is_wanted:
                continue
            self._reading.remove(read)
            self._sequences.drop(read.live)
            if read.text.is_wanted:
                self._texts.give_back(read.text)

    def _take(self, most: int) -> None:
        while len(self._reading) < self._most_at_once:
            pending = sum(read.n_pending + 1 for read in self._reading)
            if pending >= most:
                return
            text = self._texts.take()
            if text is None:
                return
            live = None
            if len(text.tokens) <= self._sequences.room() - pending:
                live = self._sequences.begin_apart()
            if live is None:
                self._texts.give_back(text)
                return
            self._reading.append(_Read(text, live))

    def _read(self, most: int) -> None:
        steps = []
        for text, live in self._reading:
            start = len(live.tokens)
            end = min(start + most, len(text.tokens) - 1)
            if end > start:
                steps.append(Step(live, text.tokens[start:end]))
                most -= end - start
        if steps:
            self._sequences.evaluate(steps)

    def _finish(self) -> None:
        read_through = [read for read in self._reading if read.n_pending == 0]
        if not read_through:
            return
        vectors = self._sequences.vectors(
            [Step(live, text.tokens[-1:]) for text, live in read_through]
        )
        for read, values in zip(read_through, vectors, strict=True):
            self._texts.answer(read.text, values)
            self._sequences.drop(read.live)
            self._reading.remove(read)

    def _make_room(self) -> None:
        """Wait until others need less, or give up where nobody else is there."""
        if self._sequences.is_alone(self._reading[0].live):
            self._give_up(
                PromptTooLong(
                    "The text is too long for the model.",
                    "There is no room for it in the context.",
                    "Split it into shorter ones.",
                )
            )
        else:
            self._sequences.park_idle()

    def _give_up(self, error: BackendError) -> None:
        for read in self._reading:
            self._texts.fail(read.text, error)
        self.drop_all()
