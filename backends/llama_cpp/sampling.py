"""Choosing the next token of an answer."""

import ctypes
import math
from collections.abc import Sequence

import llama_cpp.llama_cpp as native
import numpy as np

from backends.errors import BadGrammar
from backends.llama_cpp.grammar import CANDIDATE, CompiledGrammar, GrammarState, Tokens
from backends.llama_cpp.logprobs import Logits, LogprobNotes
from backends.llama_cpp.model import Model
from backends.llama_cpp.samplers import NativeSampler, Reach, make_chain, make_samplers
from backends.protocol import Sampling, TokenLogprob

_LOOKED_AT_FIRST = (256, 4096)
_NEGLIGIBLE = 1e-3
_LARGEST_SEED = 2**32 - 2  # the one above asks llama.cpp for a random one


class Chooser:
    """Chooses the tokens of one answer. Close it. Not for several threads at once.

    With a grammar, a token is chosen freely and then checked; only if it is not allowed, the choice
    is made again among those that are. What is said may come to be held to a grammar later, by `hold`.
    """

    def __init__(
        self,
        model: Model,
        sampling: Sampling,
        seed: int,
        history: Sequence[int],
        *,
        grammar: CompiledGrammar | None = None,
        held_later: bool = False,
        logprobs: int = -1,
    ) -> None:
        """The penalties look back on the end of the `history`. `logprobs` below zero: none.

        `held_later` lets `hold` be called.
        """
        self._model = model
        self._grammar = GrammarState(model, grammar) if grammar else None
        self._notes = LogprobNotes(model, logprobs) if logprobs >= 0 else None
        made = make_samplers(model, sampling, seed % _LARGEST_SEED, len(history))
        self._reach = made.reach
        self._adapts = made.adapts
        self._shifting: NativeSampler | None = None
        self._is_checked = grammar is not None or held_later
        if not self._is_checked:
            self._choosing = make_chain([*made.shifting, *made.choosing])
        else:
            if made.shifting:
                self._shifting = make_chain(made.shifting)
            self._choosing = make_chain(made.choosing)
            self._data = (native.llama_token_data * model.n_vocab)()
            self._candidates = np.frombuffer(memoryview(self._data), CANDIDATE)
            self._ids: Tokens = np.arange(model.n_vocab, dtype=np.int32)
        if made.look_back:
            for token in history[-made.look_back :]:
                self._note_chosen(token)

    def close(self) -> None:
        native.llama_sampler_free(self._choosing)
        if self._shifting is not None:
            native.llama_sampler_free(self._shifting)
        self.release()

    def hold(self, grammar: CompiledGrammar, begun: Sequence[int]) -> bool:
        """Hold what comes next to the grammar. False, if what has `begun` isn't as it demands.

        Raises BadGrammar.
        """
        state = GrammarState(self._model, grammar)
        for token in begun:
            if not state.allows(token):
                state.close()
                return False
            state.accept(token)
        self._grammar = state
        return True

    def release(self) -> None:
        """Let what comes next be free."""
        if self._grammar is not None:
            self._grammar.close()
            self._grammar = None

    def choose(self, context_handle: object, index: int, *, constrained: bool = True) -> int:
        """The next token, by the logits at that place of the batch.

        With `constrained` False, as while thinking, the grammar waits, and the answer can't end.
        Raises BadGrammar where no token of the model can go on as the grammar demands.
        """
        if not self._is_checked:
            token = int(native.llama_sampler_sample(self._choosing, context_handle, index))
        else:
            logits = self._shifted(self._logits(context_handle, index))
            if self._grammar is None:
                token = self._among(self._ids, logits)
            else:
                token = self._checked(self._grammar, logits, constrained)
            self._note_chosen(token)
            if self._grammar is not None and constrained:
                self._grammar.accept(token)
        if self._notes is not None:
            self._notes.note(self._logits(context_handle, index), token)
        return token

    def take_logprobs(self) -> tuple[TokenLogprob, ...]:
        """Of the tokens chosen since the last call; none unless asked for."""
        return self._notes.take() if self._notes is not None else ()

    def _note_chosen(self, token: int) -> None:
        native.llama_sampler_accept(self._choosing, token)
        if self._shifting is not None:
            native.llama_sampler_accept(self._shifting, token)

    def _logits(self, context_handle: object, index: int) -> Logits:
        pointer = native.llama_get_logits_ith(context_handle, index)
        return np.ctypeslib.as_array(pointer, (self._model.n_vocab,))

    def _shifted(self, logits: Logits) -> Logits:
        """With what penalties and biases add."""
        if self._shifting is None:
            return logits
        self._fill(self._ids, logits)
        array = native.llama_token_data_array(self._data, self._model.n_vocab, -1, False)
        native.llama_sampler_apply(self._shifting, ctypes.byref(array))
        shifted: Logits = self._candidates["logit"].copy()
        return shifted

    def _checked(self, grammar: GrammarState, logits: Logits, constrained: bool) -> int:
        if not constrained:
            return self._unending(logits)
        before = native.llama_sampler_clone(self._choosing) if self._adapts else None
        token = self._among(self._ids, logits)
        if grammar.allows(token):
            native.llama_sampler_free(before)
            return token
        if before is not None:
            native.llama_sampler_free(self._choosing)
            self._choosing = before
        return self._allowed(grammar, logits)

    def _unending(self, logits: Logits) -> int:
        tokens = self._ids
        while len(tokens):
            token = self._among(tokens, logits[tokens])
            if not self._model.is_end(token):
                return token
            tokens = tokens[tokens != token]
        raise _dead_end()

    def _allowed(self, grammar: GrammarState, logits: Logits) -> int:
        """Chosen among the tokens that the grammar allows.

        To check a whole vocabulary takes as long as to compute a token, so the likeliest come first,
        and the others only if together they are likely enough to matter.
        """
        for count in _LOOKED_AT_FIRST:
            if self._reach.whole or count * 2 > self._model.n_vocab:
                break
            likeliest = np.argpartition(logits, -count)[-count:].astype(np.int32)
            tokens = grammar.allowed(likeliest)
            if len(tokens) and _suffices(self._reach, logits, likeliest, tokens):
                return self._among(tokens, logits[tokens])
        tokens = grammar.allowed(self._ids)
        if not len(tokens):
            raise _dead_end()
        return self._among(tokens, logits[tokens])

    def _among(self, tokens: Tokens, logits: Logits) -> int:
        self._fill(tokens, logits)
        array = native.llama_token_data_array(self._data, len(tokens), -1, False)
        native.llama_sampler_apply(self._choosing, ctypes.byref(array))
        return int(array.data[array.selected].id)

    def _fill(self, tokens: Tokens, logits: Logits) -> None:
        part = self._candidates[: len(tokens)]
        part["id"] = tokens
        part["logit"] = logits


def _suffices(reach: Reach, logits: Logits, looked_at: Tokens, allowed: Tokens) -> bool:
    """Whether a choice among the allowed tokens is as good as if all tokens had been looked at."""
    if reach.greedy or 0 < reach.top_k <= len(allowed):
        return True
    best = logits[allowed].max()
    least = (logits[looked_at].min() - best) / reach.heat
    if reach.min_p > 0 and least < math.log(reach.min_p):
        return True
    rest = logits.copy()
    rest[looked_at] = -np.inf
    left_out = np.exp((rest - best) / reach.heat).sum(dtype=np.float64)
    within = np.exp((logits[allowed] - best) / reach.heat).sum(dtype=np.float64)
    return bool(left_out < _NEGLIGIBLE * within)


def _dead_end() -> BadGrammar:
    return BadGrammar(
        "The grammar leads to a dead end.",
        "No token of this model can go on as it demands.",
        "Allow other characters there, or choose another model.",
    )
