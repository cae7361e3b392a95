"""The dimensions of a model's layers, as far as they decide how much memory it takes."""

from catalog.gguf_header import GgufHeader, MetadataValue

MAX_LAYERS = 4096  # a header may claim billions

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


class MemoryShape:
    """Reads hyper-parameters with llama.cpp's defaults; whatever a header leaves out is 0."""

    def __init__(self, header: GgufHeader) -> None:
        self._header = header
        self.n_embd = self._hyper("embedding_length")
        self.n_vocab = header.n_vocab
        self._remembers = header.hyper("attention.causal") is not False
        self.window = self._hyper("attention.sliding_window")
        self._pattern = header.hyper("attention.sliding_window_pattern")
        self._kv_rank = self._hyper("attention.kv_lora_rank")
        self._has_mla = bool(self._kv_rank and self._hyper("attention.key_length_mla"))
        self._interval = self._hyper(
            "full_attention_interval", default=_FULL_INTERVALS.get(header.architecture, 0)
        )
        self._wkv_head = self._hyper("wkv.head_size")
        self._short_conv = self._hyper("shortconv.l_cache")
        self._d_conv = self._hyper("ssm.conv_kernel")
        self.d_inner = self._hyper("ssm.inner_size")
        self._d_state = self._hyper("ssm.state_size")
        self._groups = self._hyper("ssm.group_count")
        # Layers at the end that only guess further tokens are loaded, but never run.
        n_layers = header.n_layers - self._hyper("nextn_predict_layers")
        self.layers = range(max(0, min(n_layers, MAX_LAYERS)))
        self._layers_with_cache = len(self.layers) - self._hyper("attention.shared_kv_layers")

    def n_head(self, layer: int) -> int:
        return self._hyper("attention.head_count", layer)

    def attends(self, layer: int) -> bool:
        if not self.n_head(layer) or not self._n_head_kv(layer):
            return False
        return not (self._interval and self.is_recurrent(layer))

    @property
    def has_windows(self) -> bool:
        """Whether some layers look back on a window only."""
        return any(map(self.slides, self.layers))

    def slides(self, layer: int) -> bool:
        if not self.window:
            return False
        if isinstance(self._pattern, tuple):
            return bool(self._pattern[layer]) if layer < len(self._pattern) else False
        period = _integer(self._pattern) or _SLIDING_PERIODS.get(self._header.architecture, 0)
        return bool(period) and layer % period < period - 1

    def query_values(self, layer: int) -> int:
        """Numbers in a token's query."""
        if not self.attends(layer):
            return 0
        return self.n_head(layer) * self._head_length(layer, "key")

    def key_values(self, layer: int) -> int:
        """Numbers of each token's key that the layer keeps, or would if it had a cache."""
        if not self.attends(layer):
            return 0
        if self._has_mla:
            return self._kv_rank + self._hyper("rope.dimension_count")
        return self._n_head_kv(layer) * self._head_length(layer, "key")

    def value_values(self, layer: int) -> int:
        """Numbers of each token's value; none where it is computed from the key."""
        if not self.attends(layer) or self._has_mla:
            return 0
        return self._n_head_kv(layer) * self._head_length(layer, "value")

    def has_cache(self, layer: int) -> bool:
        """Whether it keeps keys and values of its own, and doesn't use those of another layer."""
        # What reads a text as a whole remembers nothing of it.
        return self._remembers and layer < self._layers_with_cache and self.attends(layer)

    def recurrent_values(self, layer: int) -> int:
        """Numbers that the layer keeps in all, however long the chat."""
        if not self.is_recurrent(layer):
            return 0
        if self._wkv_head:
            shifts = self._hyper("token_shift_count", default=2)
            return (shifts + self._wkv_head) * self.n_embd
        if self._short_conv:
            return (self._short_conv - 1) * self.n_embd
        return (self._d_conv - 1) * self.mixed_values + self._d_state * self.d_inner

    @property
    def mixed_values(self) -> int:
        """Numbers of each token that go through the convolution of a recurrent layer."""
        return self.d_inner + 2 * self._groups * self._d_state

    def feed_forward_values(self, layer: int) -> int:
        return self._hyper("feed_forward_length", layer)

    @property
    def expert_values(self) -> int:
        """Numbers of each token between the matrices of all experts that it is sent to."""
        return self.n_experts_used * self._hyper("expert_feed_forward_length")

    @property
    def n_experts_used(self) -> int:
        return self._hyper("expert_used_count")

    def _n_head_kv(self, layer: int) -> int:
        return self._hyper("attention.head_count_kv", layer, default=self.n_head(layer))

    def _head_length(self, layer: int, what: str) -> int:
        """Numbers of one head's key or value."""
        if self._has_mla and what == "key":
            return self._kv_rank + self._hyper("rope.dimension_count")
        usual = self._hyper(
            f"attention.{what}_length", default=self.n_embd // max(1, self.n_head(0))
        )
        if not self.slides(layer):
            return usual
        return self._hyper(f"attention.{what}_length_swa", default=usual)

    def is_recurrent(self, layer: int) -> bool:
        if self._wkv_head:
            return True
        if not (self._d_conv or self._short_conv):
            return False
        if self._interval:
            return (layer + 1) % self._interval != 0
        if self._header.architecture in _FEED_FORWARD_ALONE and self.feed_forward_values(layer):
            return False
        # Where only some layers attend, those that do are not recurrent.
        per_layer = isinstance(self._header.hyper("attention.head_count_kv"), tuple)
        return not (per_layer and self._n_head_kv(layer))

    def _hyper(self, key: str, layer: int = 0, default: int = 0) -> int:
        value = self._header.hyper(key)
        if isinstance(value, tuple):
            value = value[layer] if layer < len(value) else None
        number = _integer(value)
        return default if number is None else number


def _integer(value: MetadataValue | None) -> int | None:
    return value if type(value) is int and value >= 0 else None
