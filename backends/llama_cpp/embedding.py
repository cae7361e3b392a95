"""Texts that wait for their vectors: those of all orders, by turns."""

import math
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from backends.errors import BackendError, ModelLoadError, PromptTooLong, Unsupported
from backends.llama_cpp.context import NotNumbers
from backends.llama_cpp.model import Model, least_tokens
from backends.llama_cpp.wire import Embedded, Vector
from backends.protocol import Finished
from backends.protocol import Text as Input

Reply = Callable[[Vector | Embedded | Finished | BackendError], None]
Values: TypeAlias = "array[float]"
"""Of 32 bits each."""


@dataclass(eq=False, slots=True)
class _Order:
    job: int
    texts: Sequence[Input]
    reply: Reply
    taken: int = 0
    made: int = 0
    tokens: int = 0
    ended: bool = False


@dataclass(eq=False, slots=True)
class Text:
    """One text of an order, as tokens."""

    order: _Order
    number: int
    tokens: Sequence[int]

    @property
    def is_wanted(self) -> bool:
        """Whether somebody still waits for its vector."""
        return not self.order.ended


class Texts:
    """Hands out the texts of all orders one by one, and tells the orders what came of them."""

    def __init__(self, model: Model, longest: int) -> None:
        """`longest`: tokens of a text at most."""
        self._model = model
        self._longest = longest
        self._orders: deque[_Order] = deque()
        self._returned: deque[Text] = deque()

    @property
    def is_idle(self) -> bool:
        """Whether every order has ended."""
        return not self._orders

    def add(self, job: int, texts: Sequence[Input], reply: Reply) -> None:
        order = _Order(job, texts, reply)
        self._orders.append(order)
        self._end_if_made(order)

    def cancel(self, job: int) -> None:
        """End an order; one that has ended already is no matter."""
        for order in [order for order in self._orders if order.job == job]:
            self._end(order, Finished("cancelled"))

    def cancel_all(self) -> None:
        for order in [*self._orders]:
            self._end(order, Finished("cancelled"))

    def take(self) -> Text | None:
        """The next text. An order with one that is too long ends here."""
        while self._returned:
            text = self._returned.popleft()
            if text.is_wanted:
                return text
        for order in self._untaken():
            try:
                tokens = self._tokenize(order, order.taken)
            except (PromptTooLong, Unsupported) as error:
                self._end(order, error)
                continue
            order.taken += 1
            # One with many texts lets the others have theirs in between.
            self._orders.remove(order)
            self._orders.append(order)
            return Text(order, order.taken - 1, tokens)
        return None

    def give_back(self, text: Text) -> None:
        """Nothing came of it yet: it is the next one to be taken."""
        self._returned.appendleft(text)

    def answer(self, text: Text, values: Values) -> None:
        """`values` as the model gave them. Raises NotNumbers where they point nowhere."""
        vector = _of_norm_one(values)
        order = text.order
        if order.ended:
            return
        order.made += 1
        order.tokens += len(text.tokens)
        order.reply(Vector(text.number, vector.tobytes()))
        self._end_if_made(order)

    def fail(self, text: Text, error: BackendError) -> None:
        """End the order of a text."""
        if text.is_wanted:
            self._end(text.order, error)

    def _untaken(self) -> Iterator[_Order]:
        return (order for order in [*self._orders] if order.taken < len(order.texts))

    def _tokenize(self, order: _Order, number: int) -> Sequence[int]:
        text = order.texts[number]
        if not isinstance(text, str):
            self._model.check_tokens(text)
            tokens: Sequence[int] = text
        elif least_tokens(text) > self._longest:
            raise self._too_long(order, number, "")
        else:
            tokens = self._model.tokenize_whole(text)
        if len(tokens) > self._longest:
            raise self._too_long(order, number, f"It comes to {len(tokens):,} tokens. ")
        return tokens

    def _too_long(self, order: _Order, number: int, how_long: str) -> PromptTooLong:
        count = len(order.texts)
        return PromptTooLong(
            f"{f'Text {number + 1:,} of {count:,}' if count > 1 else 'The text'} is too long.",
            f"{how_long}The model reads {self._longest:,} tokens at once.",
            "Split it into shorter ones, or set a longer context length if the model allows.",
        )

    def _end_if_made(self, order: _Order) -> None:
        if order.made == len(order.texts):
            self._end(order, Embedded(order.tokens))

    def _end(self, order: _Order, said: Embedded | Finished | BackendError) -> None:
        order.ended = True
        self._orders.remove(order)
        order.reply(said)


def no_vector() -> ModelLoadError:
    return ModelLoadError(
        "The model could not make a vector.",
        "A computation gave numbers that are none.",
        "Send other texts, or choose another quantization of the model.",
    )


def _of_norm_one(values: Values) -> Values:
    norm = math.sqrt(math.fsum(value * value for value in values))
    if not (norm > 0 and math.isfinite(norm)):
        raise NotNumbers
    return array("f", (value / norm for value in values))
