"""The tokens of answers that were given, so that reading them again changes nothing.

A text can be written in more than one way in tokens, and a model seldom picks the one that the
tokenizer would. An answer that comes back as history must become the tokens it was generated as,
or all that follows would have to be evaluated again.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from backends.llama_cpp.model import Model
from backends.llama_cpp.state_format import Answer

KEPT_ANSWERS = 1024
KEPT_TOKENS = 1_000_000


class GivenAnswers:
    """Remembers the tokens of the newest answers by their text."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._tokens: OrderedDict[str, tuple[int, ...]] = OrderedDict()
        self._count = 0

    def remember(self, text: str, tokens: Sequence[int]) -> None:
        """Keep an answer, unless its text is not what the tokens stand for.

        White space that was dropped from its beginning does not count.
        """
        pieces = b"".join(self._model.piece(token) for token in tokens)
        if not text or pieces.lstrip() != text.lstrip().encode("utf-8", "replace"):
            return
        self._forget(text)
        self._tokens[text] = tuple(tokens)
        self._count += len(tokens)
        while len(self._tokens) > KEPT_ANSWERS or self._count > KEPT_TOKENS:
            self._forget(next(iter(self._tokens)))

    def remember_part(self, start: str, part: str, generated: Sequence[int]) -> Answer | None:
        """Keep a part of what was generated, thinking or answer, that went on from a `start`.

        Returns it as it is kept, or None where the part is not made of whole tokens.
        """
        tokens = self._tokens_of(part, generated)
        if not tokens:
            return None
        self.remember(start + part, [*self.tokens_of(start), *tokens])
        self._remember_trimmed(start, part, generated)
        return next(iter(self.given([start + part])), None)

    def tokens_of(self, text: str) -> Sequence[int]:
        """The tokens of an answer as it was given, else as the tokenizer writes it."""
        return self._tokens.get(text) or self._model.tokenize(text)

    def known(self, text: str) -> Sequence[int] | None:
        """The tokens of an answer or a call that was given; None: it was not."""
        tokens = self._tokens.get(text)
        if tokens is not None:
            self._tokens.move_to_end(text)
        return tokens

    def known_text(self, text: str) -> Sequence[int] | None:
        """The tokens of an answer that was given, unless the text itself spells control tokens."""
        tokens = self.known(text)
        return None if any(map(self._model.is_shown_control, tokens or ())) else tokens

    def given(self, texts: Iterable[str]) -> tuple[Answer, ...]:
        """Those of the texts that are answers which were given."""
        return tuple((text, self._tokens[text]) for text in texts if text in self._tokens)

    def ending(self, text: str, generated: Sequence[int]) -> Sequence[int]:
        """The tokens that a text at the end of an answer is made of; none if it isn't the very end."""
        data, start = text.encode("utf-8", "replace"), len(generated)
        pieces = b""
        while start and len(pieces) < len(data):
            start -= 1
            pieces = self._model.piece(generated[start]) + pieces
        if not pieces.endswith(data):
            return ()
        return generated[start:] if pieces == data else self._model.tokenize(text)

    def _tokens_of(self, part: str, generated: Sequence[int]) -> Sequence[int]:
        """The generated tokens that a part of the answer consists of; none if it cuts through one."""
        pieces = [self._model.piece(token) for token in generated]
        edges = {0: 0}
        position = 0
        for i, piece in enumerate(pieces, start=1):
            position += len(piece)
            edges[position] = i
        data, raw = part.encode(), b"".join(pieces)
        start = raw.find(data)
        end = start + len(data)
        # A token may begin with white space that is not shown at the start of an answer.
        first = max((edge for edge in edges if edge <= start), default=0)
        if start < 0 or end not in edges or raw[first:start].strip():
            return ()
        return generated[edges[first] : edges[end]]

    def _remember_trimmed(self, start: str, part: str, generated: Sequence[int]) -> None:
        """Many templates trim answers that come back."""
        trimmed = (start + part).strip()
        tokens = self._tokens_of(part.rstrip(), generated)
        if tokens and trimmed != start + part:
            self.remember(trimmed, [*self.tokens_of(start), *tokens])

    def _forget(self, text: str) -> None:
        self._count -= len(self._tokens.pop(text, ()))
