"""Holding an answer to a grammar, one token after the other, by llama.cpp's grammar engine."""

import codecs
import ctypes
import time

import llama_cpp.llama_cpp as native
import msgspec
import numpy as np
import numpy.typing as npt

from backends.errors import BadGrammar
from backends.llama_cpp.gbnf_check import check_gbnf
from backends.llama_cpp.model import Model
from backends.llama_cpp.schema import gbnf_of_schema
from backends.protocol import Grammar

CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
Candidates = npt.NDArray[np.void]
Tokens = npt.NDArray[np.int32]

_ROOT = b"root"
_MOST_SECONDS_FOR_ONE, _MOST_SECONDS_FOR_ALL = 0.05, 2.0


class CompiledGrammar(msgspec.Struct, frozen=True):
    """A grammar that was checked: GBNF whose rule `root` is the whole answer."""

    gbnf: str


def compile_grammar(model: Model, grammar: Grammar) -> CompiledGrammar:
    """Check and translate. Raises BadGrammar where it can't be parsed, held to or computed with."""
    gbnf = gbnf_of_schema(grammar.text) if grammar.kind == "json_schema" else grammar.text
    check_gbnf(gbnf)
    compiled = CompiledGrammar(gbnf)
    native.llama_sampler_free(_sampler(model, compiled))
    return compiled


class GrammarState:
    """How far an answer has come in its grammar. Close it."""

    def __init__(self, model: Model, grammar: CompiledGrammar) -> None:
        self._model = model
        self._sampler = _sampler(model, grammar)
        self._one = (native.llama_token_data * 1)()
        # llama.cpp lets some bytes pass that are no UTF-8, and would be shown as other text.
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")

    def close(self) -> None:
        native.llama_sampler_free(self._sampler)

    def allows(self, token: int) -> bool:
        """Whether the answer may go on with the token, or end if it is one that ends it."""
        one = self._one
        one[0] = native.llama_token_data(token, 0.0, 0.0)
        array = native.llama_token_data_array(one, 1, -1, False)
        native.llama_sampler_apply(self._sampler, ctypes.byref(array))
        return bool(one[0].logit == 0.0) and self._shows(token)

    def allowed(self, tokens: Tokens) -> Tokens:
        """Those of the tokens that the answer may go on with. Raises BadGrammar like `accept`."""
        data = (native.llama_token_data * len(tokens))()
        view = np.frombuffer(memoryview(data), CANDIDATE)
        view["id"] = tokens
        array = native.llama_token_data_array(data, len(tokens), -1, False)
        started = time.thread_time()
        native.llama_sampler_apply(self._sampler, ctypes.byref(array))
        _check_time(started, _MOST_SECONDS_FOR_ALL)
        passed: Tokens = tokens[view["logit"] == 0.0]
        shown: Tokens = passed[[self._shows(token) for token in passed.tolist()]]
        return shown

    def accept(self, token: int) -> None:
        """Go on with a token that is allowed. Raises BadGrammar if that takes too long."""
        if self._model.is_end(token):
            return
        self._decoder.decode(self._model.piece(token))
        started = time.thread_time()
        native.llama_sampler_accept(self._sampler, token)
        _check_time(started, _MOST_SECONDS_FOR_ONE)

    def _shows(self, token: int) -> bool:
        """Whether the token's text is what llama.cpp takes it for: special tokens show none."""
        if self._model.is_end(token):
            return True
        piece = self._model.piece(token)
        if not piece or self._model.is_hidden(token):
            return False
        before = self._decoder.getstate()
        if piece.isascii() and not before[0]:
            return True
        try:
            self._decoder.decode(piece)
            unfinished: bytes = self._decoder.getstate()[0]
        except UnicodeDecodeError:
            return False
        finally:
            self._decoder.setstate(before)
        # The decoder waits for the third byte of a surrogate before it refuses it.
        return not (unfinished[:1] == b"\xed" and unfinished[1:2] >= b"\xa0")


def _check_time(started: float, most: float) -> None:
    if time.thread_time() - started > most:
        raise BadGrammar(
            "The grammar can’t be followed.",
            "There are too many ways to read the same text by it.",
            "Write rules in which the next character decides how to go on.",
        )


def _sampler(model: Model, grammar: CompiledGrammar) -> int:
    sampler: int | None = native.llama_sampler_init_grammar(
        model.vocab, grammar.gbnf.encode("utf-8", "replace"), _ROOT
    )
    if not sampler:
        raise BadGrammar(
            "The grammar can’t be used.",
            "The engine can’t compute with it; a part that repeats may be empty.",
            "Make its rules simpler.",
        )
    return sampler
