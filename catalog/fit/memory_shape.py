"""The dimensions of a model's layers, as far as they decide how much memory it takes."""

from collections import Counter

import msgspec

from catalog.gguf.header import GgufHeader, MetadataValue

_MAX_LAYERS = 4096  # a header may claim billions

_SLIDING_PERIODS = {
    "cohere2": 4,
    "exaone4": 4,
    "gemma-embedding": 6,
    "gemma2": 2,
    "gemma3": 6,
    "gemma3n": 5,
    "gpt-oss": 2,
    "llama4": 4,
}
"""In these architectures every layer but the last of so many looks back on a window only."""

_FULL_INTERVALS = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4}
"""In these every so many-th layer attends, where the file does not say otherwise."""

_FEED_FORWARD_ALONE = ("nemotron_h", "nemotron_h_moe")
"""In these a layer either attends, or is recurrent, or only feeds forward."""


class LayerShape(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers that a layer works with and keeps. All of its heads together, 0 where it has no such thing.

    Attributes:
        slides: It looks back on a window only.
        has_cache: It keeps keys and values of its own, and doesn't use those of another layer.
        n_head: Heads that attend.
        query, key, value: Of one token; `value` is 0 where it is computed from the key.
        state: What it keeps in all, however long the chat.
        recurrent: What it works with for one token where it is recurrent.
        feed_forward: Between the matrices of its feed-forward part, for one token.
    """

    slides: bool = False
    has_cache: bool = False
    n_head: int = 0
    query: int = 0
    key: int = 0
    value: int = 0
    state: int = 0
    recurrent: int = 0
    feed_forward: int = 0


class ModelShape(msgspec.Struct, frozen=True, kw_only=True):
    """`layers` holds each kind of layer once, and how many there are. `window` is in tokens.

    `experts` is what the experts that a token is sent to work with, all together.
    """

    n_embd: int
    n_vocab: int
    window: int
    experts: int
    layers: tuple[tuple[LayerShape, int], ...]

    @property
    def widest_value(self) -> int:
        return max((layer.value for layer, _ in self.layers), default=0)

    @property
    def attends(self) -> bool:
        return any(layer.n_head for layer, _ in self.layers)

    @property
    def has_windows(self) -> bool:
        return any(layer.slides and layer.n_head for layer, _ in self.layers)


def shape_of(header: GgufHeader) -> ModelShape:
    """Read hyper-parameters with llama.cpp's defaults; whatever a header leaves out is 0."""
    layers = _Layers(header)
    n_experts_used = layers.hyper("expert_used_count")
    expert = 2 * layers.hyper("expert_feed_forward_length") + layers.n_embd
    return ModelShape(
        n_embd=layers.n_embd,
        n_vocab=header.n_vocab,
        window=layers.window,
        experts=n_experts_used * expert,
        layers=tuple(Counter(map(layers.shape, range(layers.count))).items()),
    )


class _Layers:
    """Knows what is peculiar about each layer of a model."""

    def __init__(self, header: GgufHeader) -> None:
        self._header = header
        self.n_embd = self.hyper("embedding_length")
        self.window = self.hyper("attention.sliding_window")
        # Layers at the end that only guess further tokens are loaded, but never run.
        n_layers = header.n_layers - self.hyper("nextn_predict_layers")
        self.count = max(0, min(n_layers, _MAX_LAYERS))
        self._with_cache = self.count - self.hyper("attention.shared_kv_layers")
        if header.hyper("attention.causal") is False:
            self._with_cache = 0  # what reads a text as a whole remembers nothing of it
        self._pattern = header.hyper("attention.sliding_window_pattern")
        self._kv_rank = self.hyper("attention.kv_lora_rank")
        self._has_mla = bool(self._kv_rank and self.hyper("attention.key_length_mla"))
        self._interval = self.hyper(
            "full_attention_interval", default=_FULL_INTERVALS.get(header.architecture, 0)
        )
        self._heads_by_layer = isinstance(header.hyper("attention.head_count_kv"), tuple)
        self._wkv_head = self.hyper("wkv.head_size")
        self._short_conv = self.hyper("shortconv.l_cache")
        self._d_conv = self.hyper("ssm.conv_kernel")
        self._d_inner = self.hyper("ssm.inner_size")
        self._d_state = self.hyper("ssm.state_size")
        self._mixed = self._d_inner + 2 * self.hyper("ssm.group_count") * self._d_state

    def shape(self, layer: int) -> LayerShape:
        is_recurrent = self._is_recurrent(layer)
        n_head = self.hyper("attention.head_count", layer)
        n_head_kv = self.hyper("attention.head_count_kv", layer, default=n_head)
        if not n_head_kv or (is_recurrent and self._interval):
            n_head = n_head_kv = 0
        slides = self._slides(layer)
        key = self._head_length("key", slides=slides)
        value = self._head_length("value", slides=slides)
        if self._has_mla:
            # All heads share one short vector a token, and their values are computed from it.
            key = self._kv_rank + self.hyper("rope.dimension_count")
            value, n_head_kv = 0, min(n_head_kv, 1)
        return LayerShape(
            slides=slides,
            has_cache=bool(n_head) and layer < self._with_cache,
            n_head=n_head,
            query=n_head * key,
            key=n_head_kv * key,
            value=n_head_kv * value,
            state=self._state() if is_recurrent else 0,
            recurrent=2 * self._d_inner + 3 * self._mixed if is_recurrent else 0,
            feed_forward=self.hyper("feed_forward_length", layer),
        )

    def hyper(self, key: str, layer: int = 0, default: int = 0) -> int:
        value = self._header.hyper(key)
        if isinstance(value, tuple):
            value = value[layer] if layer < len(value) else None
        number = _integer(value)
        return default if number is None else number

    def _slides(self, layer: int) -> bool:
        if not self.window:
            return False
        if isinstance(self._pattern, tuple):
            return bool(self._pattern[layer]) if layer < len(self._pattern) else False
        period = _integer(self._pattern) or _SLIDING_PERIODS.get(self._header.architecture, 0)
        return bool(period) and layer % period < period - 1

    def _head_length(self, what: str, *, slides: bool) -> int:
        """Numbers of one head's key or value."""
        each = self.n_embd // max(1, self.hyper("attention.head_count"))
        usual = self.hyper(f"attention.{what}_length", default=each)
        return self.hyper(f"attention.{what}_length_swa", default=usual) if slides else usual

    def _is_recurrent(self, layer: int) -> bool:
        if self._wkv_head:
            return True
        if not (self._d_conv or self._short_conv):
            return False
        if self._interval:
            return (layer + 1) % self._interval != 0
        feeds_forward = self.hyper("feed_forward_length", layer)
        if feeds_forward and self._header.architecture in _FEED_FORWARD_ALONE:
            return False
        # Where only some layers attend, those that do are not recurrent.
        return not (self._heads_by_layer and self.hyper("attention.head_count_kv", layer))

    def _state(self) -> int:
        if self._wkv_head:
            return (self.hyper("token_shift_count", default=2) + self._wkv_head) * self.n_embd
        if self._short_conv:
            return (self._short_conv - 1) * self.n_embd
        return (self._d_conv - 1) * self._mixed + self._d_state * self._d_inner


def _integer(value: MetadataValue | None) -> int | None:
    return value if type(value) is int and value >= 0 else None
