"""Real logits of a model, without the engine around it."""

from collections.abc import Sequence
from types import TracebackType

import llama_cpp.llama_cpp as native
import numpy as np
import numpy.typing as npt

from backends.llama_cpp.model import Model

_N_CTX = 512


class Evaluated:
    """A context in which tokens are evaluated one after the other."""

    def __init__(self, model: Model, text: str = "hello the ") -> None:
        params = native.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = _N_CTX
        params.n_threads = params.n_threads_batch = 1
        self._model = model
        self.handle = native.llama_init_from_model(model.handle, params)
        self.evaluate(model.tokenize(text))

    def __enter__(self) -> "Evaluated":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        native.llama_free(self.handle)

    def evaluate(self, tokens: Sequence[int]) -> None:
        array = (native.llama_token * len(tokens))(*tokens)
        assert native.llama_decode(self.handle, native.llama_batch_get_one(array, len(tokens))) == 0

    def start_over(self, text: str = "hello the ") -> None:
        native.llama_memory_clear(native.llama_get_memory(self.handle), True)
        self.evaluate(self._model.tokenize(text))

    def logits(self) -> npt.NDArray[np.float32]:
        pointer = native.llama_get_logits_ith(self.handle, -1)
        return np.ctypeslib.as_array(pointer, (self._model.n_vocab,)).copy()
