"""How a model is loaded, and what it then says of itself."""

from collections.abc import Callable
from typing import Literal

import msgspec

DEFAULT_CONTEXT = 8192
"""Tokens of context that an engine sets up at most when nobody asks for a length."""

CacheType = Literal["f16", "q8_0", "q4_0"]
FlashAttention = Literal["auto", "on", "off"]


class StateKeeping(msgspec.Struct, frozen=True, kw_only=True):
    """Where an engine keeps what it has read when it must leave memory, and how much of that in all."""

    folder: str
    limit_bytes: int


class LoadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to load a model. Zero means that the backend chooses, for `n_gpu_layers` a negative number.

    `chat_template` is a Jinja text to use instead of the file's own template; empty: the file's.
    `cache_type` is how keys and values of the context are stored. `rpc_servers` are "HOST:PORT" of
    machines that hold a part of the model. `memory_for_states` bounds the bytes of evaluated prompts
    that are kept in memory beside the context. With `keep` None nothing of a chat goes to the disk.
    With `embedding`, the model is loaded for `Session.embed` alone.
    """

    n_ctx: int = 0
    n_threads: int = 0
    n_gpu_layers: int = -1
    chat_template: str = ""
    cache_type: CacheType = "f16"
    flash_attention: FlashAttention = "auto"
    mmap: bool = True
    mlock: bool = False
    rpc_servers: tuple[str, ...] = ()
    memory_for_states: int = 0
    keep: StateKeeping | None = None
    embedding: bool = False


class Allocation(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that an engine took for a model, wherever they lie.

    `weights` counts those that are only mapped from the file too, `compute` the scratch space.
    """

    weights: int
    kv_cache: int
    compute: int

    @property
    def total(self) -> int:
        return self.weights + self.kv_cache + self.compute


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a loaded model says of itself. Zero or an empty text where it does not know.

    `template` names where the chat template comes from, in words ("from the file", "ChatML, built
    in", "none: plain completion"). `allocated` is None where the engine does not tell. A vector of
    `Session.embed` has `embedding_length` numbers. `warnings` are sentences for the person.
    """

    model: str
    n_ctx: int = 0
    n_ctx_train: int = 0
    n_threads: int = 0
    n_gpu_layers: int = 0
    device: str = "CPU"
    template: str = ""
    memory_bytes: int = 0
    allocated: Allocation | None = None
    load_ms: float = 0.0
    safe_mode: bool = False
    embedding_length: int = 0
    warnings: tuple[str, ...] = ()


LoadProgress = Callable[[float], bool]
"""Called with the fraction loaded, 0…1; returning False cancels the load."""
