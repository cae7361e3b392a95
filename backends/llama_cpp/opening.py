"""Which engine a model is loaded into."""

from collections.abc import Callable

from backends.llama_cpp.abort_flag import AbortFlag
from backends.llama_cpp.context import cannot_chat
from backends.llama_cpp.embedding_engine import EmbeddingEngine
from backends.llama_cpp.engine import Engine
from backends.llama_cpp.loaded_model import LoadedModel
from backends.llama_cpp.pooling import reading_of
from backends.llama_cpp.remote import OnConnect
from backends.protocol import LoadOptions


def open_engine(
    path: str,
    options: LoadOptions,
    *,
    safe_mode: bool,
    abort: AbortFlag,
    on_progress: Callable[[float], None],
    on_connect: OnConnect,
) -> Engine | EmbeddingEngine:
    """Load a model. Raises ModelLoadError, OutOfMemory or Unsupported; `self_test` should follow.

    `on_connect` is told of each other machine before it is asked for anything, see `Machines`.
    """
    loaded = LoadedModel(
        path, options, safe_mode=safe_mode, on_progress=on_progress, on_connect=on_connect
    )
    if options.embedding:
        reading = reading_of(loaded.model)
        if not reading.is_of_last_token:
            return EmbeddingEngine(loaded, options, reading, abort=abort)
    elif loaded.model.has_encoder:
        raise cannot_chat()
    return Engine(loaded, options, abort=abort)
