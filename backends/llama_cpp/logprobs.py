"""How likely the model found each token, before anything narrowed the choice."""

import numpy as np
import numpy.typing as npt

from backends.llama_cpp.model import Model
from backends.protocol import TokenLogprob

MOST_ALTERNATIVES = 20

Logits = npt.NDArray[np.float32]


class LogprobNotes:
    """Notes the log-probabilities of chosen tokens, each with its `n_top` likeliest."""

    def __init__(self, model: Model, n_top: int) -> None:
        self._likelihoods = Likelihoods(model, n_top)
        self._noted: list[TokenLogprob] = []

    def note(self, logits: Logits, token: int) -> None:
        self._noted.append(self._likelihoods.of(logits, token))

    def take(self) -> tuple[TokenLogprob, ...]:
        taken = tuple(self._noted)
        self._noted.clear()
        return taken


class Likelihoods:
    """Tells how likely a token is by the logits in its place, and which `n_top` are the likeliest."""

    def __init__(self, model: Model, n_top: int, *, names_special: bool = False) -> None:
        """`names_special`: special tokens are shown by their names, else not at all."""
        self._piece = model.written if names_special else model.piece
        self._n_top = min(n_top, MOST_ALTERNATIVES, model.n_vocab)

    def of(self, logits: Logits, token: int) -> TokenLogprob:
        highest = logits.max()
        # Single precision would lose the tail of a large vocabulary.
        norm = float(highest) + float(np.log(np.exp(logits - highest).sum(dtype=np.float64)))
        return TokenLogprob(self._text(token), float(logits[token]) - norm, self._top(logits, norm))

    def _top(self, logits: Logits, norm: float) -> tuple[tuple[str, float], ...]:
        if not self._n_top:
            return ()
        likeliest = np.argpartition(logits, -self._n_top)[-self._n_top :]
        likeliest = likeliest[np.argsort(-logits[likeliest], kind="stable")]
        return tuple(
            (self._text(token), float(logits[token]) - norm) for token in likeliest.tolist()
        )

    def _text(self, token: int) -> str:
        return self._piece(token).decode("utf-8", "replace")
