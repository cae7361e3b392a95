"""A prompt that is told back as it is read, each token with how likely the model found it."""

import codecs
from collections.abc import Callable, Sequence

from backends.llama_cpp.logprobs import Likelihoods, Logits
from backends.llama_cpp.model import Model
from backends.protocol import PromptEcho, PromptToken, Text


class Echo:
    """Tells the pieces of one prompt. The logits of a token tell how likely the next one was.

    Attributes:
        is_scored: Whether log-probabilities are told, for which every token must be evaluated.
        told: How many tokens of the prompt are told.
    """

    def __init__(self, model: Model, prompt: Text, tokens: Sequence[int], n_top: int) -> None:
        """`n_top` alternatives to each token; below zero, no log-probabilities."""
        self._model = model
        self._tokens = tokens
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._offset = 0
        self._likelihoods = Likelihoods(model, n_top, names_special=True)
        self.is_scored = n_top >= 0
        self.told = _n_added(model, prompt, tokens)
        # Some tokenizers write a space before the text, which they take for its beginning.
        self._drops_space = isinstance(prompt, str) and not prompt.startswith(" ")

    @property
    def is_done(self) -> bool:
        return self.told >= len(self._tokens)

    def beginning(self) -> PromptEcho:
        """The first token, which no logits tell of; without log-probabilities, the whole prompt."""
        if self.is_done:
            return PromptEcho("")
        text, token = self._next(None)
        if self.is_scored:
            return PromptEcho(text, (token,))
        pieces = [self._next(None)[0] for _ in self._tokens[self.told :]]
        return PromptEcho(text + "".join(pieces))

    def read(self, start: int, count: int, logits_of: Callable[[int], Logits]) -> PromptEcho:
        """The tokens that come after `count` evaluated ones from `start` on, each with how likely it was.

        `logits_of` takes the place of one of the evaluated tokens, and gives its logits.
        """
        pieces = []
        tokens = []
        while self.told <= start + count and not self.is_done:
            text, token = self._next(logits_of(self.told - 1 - start))
            pieces.append(text)
            tokens.append(token)
        return PromptEcho("".join(pieces), tuple(tokens))

    def _next(self, logits: Logits | None) -> tuple[str, PromptToken]:
        number = self._tokens[self.told]
        self.told += 1
        data = self._model.written(number)
        if self._drops_space:
            data = data.removeprefix(b" ")
            self._drops_space = False
        text = self._decoder.decode(data, final=self.is_done)
        shown = data.decode("utf-8", "replace")
        found = self._likelihoods.of(logits, number) if logits is not None else None
        token = PromptToken(
            shown,
            self._offset,
            found.logprob if found else None,
            found.top if found else (),
        )
        self._offset += len(text)
        return text, token


def _n_added(model: Model, prompt: Text, tokens: Sequence[int]) -> int:
    """How many tokens the engine put before those of the text."""
    if not isinstance(prompt, str):
        return 0
    return int(model.adds_bos_to(prompt)) if prompt else len(tokens)
