"""How a model makes one vector of a text's tokens."""

from dataclasses import dataclass

import llama_cpp.llama_cpp as native

from backends.errors import Unsupported
from backends.llama_cpp.model import Model
from backends.llama_cpp.native_log import forget_contexts, load_failure

NONE = native.LLAMA_POOLING_TYPE_NONE
MEAN = native.LLAMA_POOLING_TYPE_MEAN
LAST = native.LLAMA_POOLING_TYPE_LAST
_RANK = native.LLAMA_POOLING_TYPE_RANK
_PROBE_TOKENS = 32


@dataclass(frozen=True, slots=True)
class Reading:
    """How a model reads, and what it makes a vector of.

    Attributes:
        pooling: What the file says, else the mean for a model that sees a text whole, and the last
            token for one that sees what came before.
        is_causal: Whether a token sees only what came before it.
        can_write: Whether it keeps what it has read, and so can go on with it.
    """

    pooling: int
    is_causal: bool
    can_write: bool

    @property
    def is_of_last_token(self) -> bool:
        """Whether a vector needs nothing but the last token, evaluated after all the others."""
        return self.is_causal and self.can_write and self.pooling == LAST


def reading_of(model: Model) -> Reading:
    """Raises Unsupported for what makes no vectors, and ModelLoadError or OutOfMemory."""
    if model.has_encoder and native.llama_model_has_decoder(model.handle):
        raise Unsupported(
            "This model makes no vectors.",
            "It has an encoder for another model to go on from.",
            "Choose a model for embedding.",
        )
    params = native.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = _PROBE_TOKENS
    # llama.cpp knows by the architecture what a file need not say, and tells by a context alone.
    handle = native.llama_init_from_model(model.handle, params)
    if not handle:
        raise load_failure(model.path)
    try:
        pooling = native.llama_pooling_type(handle)
        is_causal = not model.has_encoder and native.llama_get_causal_attn(handle)
        can_write = not model.has_encoder and bool(native.llama_get_memory(handle))
    finally:
        native.llama_free(handle)
        forget_contexts()
    if pooling == _RANK:
        raise _ranks()
    if pooling == NONE:
        pooling = LAST if is_causal else MEAN
    return Reading(pooling, is_causal, can_write)


def check_last_token(model: Model) -> None:
    """Raises Unsupported where the file says that a vector is made otherwise than of the last token."""
    declared = model.metadata(f"{model.metadata('general.architecture')}.pooling_type")
    if declared == str(_RANK):
        raise _ranks()
    if declared not in ("", str(NONE), str(LAST)):
        raise Unsupported(
            "This model makes no vectors while it chats.",
            "It makes them of a whole text at once.",
            "Load it for embedding alone.",
        )


def _ranks() -> Unsupported:
    return Unsupported(
        "This model makes no vectors.",
        "It ranks passages by how well they answer a question.",
        "Choose a model for embedding.",
    )
