"""Which tensors of a GGUF model the weights of a PEFT adapter belong to.

The names are those of the program that it was trained with (transformers). Everything here is told
from names and shapes; no weight is read.
"""

import re
from collections.abc import Callable, Iterable

import msgspec

from catalog.adapters.pairs import OUTPUT, TOKEN_TABLE
from catalog.adapters.peft.weights import StoredTensor
from catalog.errors import CatalogError
from catalog.gguf.header import GgufHeader

SUPPORTED = frozenset(
    {
        "llama", "smollm3", "granite", "arcee",
        "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "phi3",
    }
)  # fmt: skip
"""Architectures for which the outcome is known to be that of llama.cpp's own converter."""

_REORDERED = frozenset({"llama", "smollm3", "granite", "arcee"})
"""Architectures whose GGUF files have the rows of each query and key head in another order."""

_MOST_LAYERS = 4096
_HALF = re.compile(
    r"base_model\.model\.(?P<module>[\w.]+)\.(?:lora_(?P<plain>[AB])\.weight|lora_embedding_(?P<table>[AB]))"
)
_UNCHANGED = ".base_layer.weight"
_PICTURES = ("vision", "visual", "multi_modal", "mm_projector")

NameOf = Callable[[str], str | None]


class Change(msgspec.Struct, frozen=True):
    """What is added to the tensor `name`: the product of `b` (out × rank) and `a` (rank × in).

    `n_heads`: the rows of `b` belong to so many heads whose halves are to be interleaved; 0 where
    they stay as they are.
    """

    name: str
    a: StoredTensor
    b: StoredTensor
    n_heads: int

    @property
    def rank(self) -> int:
        return self.b.shape[1]

    @property
    def turned(self) -> bool:
        """Whether `a` is written with a row for each token."""
        return self.name == TOKEN_TABLE


def changes_of(tensors: Iterable[StoredTensor], base: GgufHeader) -> tuple[Change, ...]:
    """In the order of the file. Raises `CatalogError` for what belongs nowhere in such a model."""
    name_of = _names(base)
    firsts: dict[str, StoredTensor] = {}
    seconds: dict[str, StoredTensor] = {}
    order: dict[str, None] = {}
    for tensor in tensors:
        match = _HALF.fullmatch(tensor.name)
        if match is None:
            if tensor.name.endswith(_UNCHANGED):
                continue  # a copy of the model's own, saved along
            raise _refused(_other_reason(tensor.name))
        if len(tensor.shape) != 2:
            raise _refused(f"“{_shown(tensor.name)}” is no change to a plain layer.")
        name = _place(match["module"], name_of, base)
        halves = firsts if "A" in (match["plain"], match["table"]) else seconds
        if name in halves:
            raise _refused(f"It changes “{_shown(match['module'])}” twice.")
        halves[name] = tensor
        order[name] = None
    return tuple(_change(name, firsts.get(name), seconds.get(name), base) for name in order)


def _change(name: str, a: StoredTensor | None, b: StoredTensor | None, base: GgufHeader) -> Change:
    if a is None or b is None:
        there = a or b
        raise _refused(f"The other half of “{_shown(there.name if there else name)}” is missing.")
    if a.shape[0] != b.shape[1]:
        raise _refused(f"“{_shown(a.name)}” and its other half do not belong together.")
    n_heads = _n_heads(name, base)
    if n_heads and b.shape[0] % (2 * n_heads):
        raise CatalogError(
            f"The adapter does not fit “{base.name}”."
            if base.name
            else "It does not fit the model.",
            f"“{_shown(b.name)}” has {b.shape[0]:,} rows, which are not {n_heads:,} heads.",
            "Choose the model that it was trained on.",
        )
    return Change(name, a, b, n_heads)


def _names(base: GgufHeader) -> NameOf:
    architecture = base.architecture
    if architecture not in SUPPORTED:
        raise CatalogError(
            f"Adapters for {_shown(architecture) or 'unknown'} models can't be converted.",
            f"It is known how for {', '.join(sorted(SUPPORTED))}.",
            "Look for the adapter in the GGUF format.",
        )
    if not 0 < base.n_layers <= _MOST_LAYERS:
        raise CatalogError("The model's file does not say how many layers it has.")
    import gguf

    kind = next(key for key, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture)
    names = gguf.get_tensor_name_map(kind, base.n_layers)
    return lambda module: names.get_name(f"{module}.weight", try_suffixes=(".weight",))


def _place(module: str, name_of: NameOf, base: GgufHeader) -> str:
    name = None
    if not any(word in module for word in _PICTURES):
        inner = module.replace("language_model.", "")
        # Some families never have an output layer of their own, so that nothing is named for it.
        name = name_of(inner) or (OUTPUT if inner == "lm_head" else None)
    if name is None:
        layers = "1 layer" if base.n_layers == 1 else f"{base.n_layers:,} layers"
        raise _refused(
            f"It changes “{_shown(module)}”, which has no place in a {base.architecture} model of "
            f"{layers}."
        )
    return name


def _n_heads(name: str, base: GgufHeader) -> int:
    if base.architecture not in _REORDERED:
        return 0
    match = re.fullmatch(r"blk\.(\d+)\.attn_([qk])\.weight", name)
    if match is None:
        return 0
    own = _per_layer(base, "attention.head_count", int(match[1]))
    shared = _per_layer(base, "attention.head_count_kv", int(match[1])) or own
    n_heads = own if match[2] == "q" else shared
    if n_heads < 1:
        raise CatalogError("The model's file does not say how many attention heads it has.")
    return n_heads


def _per_layer(base: GgufHeader, key: str, layer: int) -> int:
    value = base.hyper(key)
    if isinstance(value, tuple):
        value = value[layer] if layer < len(value) else 0
    return value if isinstance(value, int) else 0


def _other_reason(name: str) -> str:
    shown = _shown(name)
    if "lora_magnitude_vector" in name:
        return (
            "It is a DoRA: it also changes how large weights are, which a GGUF adapter can't hold."
        )
    if name.endswith(".bias"):
        return f"It also changes biases (“{shown}”), which a GGUF adapter can't hold."
    return f"It holds “{shown}”, which is no LoRA change; a GGUF adapter holds only such."


def _refused(why: str) -> CatalogError:
    return CatalogError(
        "The adapter can't be converted.", why, "Look for a plain LoRA, or one in the GGUF format."
    )


def _shown(name: str) -> str:
    return "".join(char if char.isprintable() else "�" for char in name[:120])
