"""Whether an adapter fits a model, told by their headers alone.

llama.cpp checks much of this when it loads an adapter, and ends the process over some of the rest
when it first computes with it. Whatever it would stumble over is found here.
"""

import math
import re
from collections.abc import Mapping, Sequence

import msgspec

from catalog.adapters.pairs import OUTPUT, TOKEN_TABLE, Pair, dim, pairs_of
from catalog.gguf.header import GgufHeader, TensorInfo
from catalog.gguf.tensor_types import TENSOR_TYPES

_LAYER = re.compile(r"blk\.(\d{1,6})\.")
_NO_WEIGHTS = {"I8", "I16", "I32", "I64", "F64"}


class AdapterFit(msgspec.Struct, frozen=True):
    """`reason`: why it does not fit, in a sentence for a person; empty where it does."""

    fits: bool
    reason: str = ""


def adapter_fit(adapter: GgufHeader, model: Sequence[GgufHeader]) -> AdapterFit:
    """`model` are the headers of all its parts, the first one first."""
    reason = _kind_reason(adapter, model[0]) or _tensor_reason(adapter, model)
    return AdapterFit(not reason, reason)


def _kind_reason(adapter: GgufHeader, model: GgufHeader) -> str:
    if adapter.kind != "adapter":
        return "It is no adapter."
    if model.kind != "model":
        return "An adapter changes a language model, and this is none."
    kind = adapter.line("adapter.type")
    if kind != "lora":
        named = f"of the kind “{kind}”" if kind else "of no known kind"
        return f"It is an adapter {named}; only LoRA adapters can be used."
    if adapter.architecture != model.architecture:
        made_for = adapter.line("general.architecture") or "unknown"
        return f"It is for {made_for} models, this one is {model.line('general.architecture')}."
    if adapter.metadata.get("adapter.alora.invocation_tokens"):
        return (
            "It is an activated LoRA, which works only after certain words; "
            "it would change the whole text here."
        )
    alpha = adapter.metadata.get("adapter.lora.alpha", 0.0)
    if not isinstance(alpha, float) or not math.isfinite(alpha):
        return "It is damaged: its alpha is no number."
    return ""


def _tensor_reason(adapter: GgufHeader, model: Sequence[GgufHeader]) -> str:
    pairs = pairs_of(adapter)
    if pairs.others:
        return f"It holds “{_shown(pairs.others[0])}”, which is no part of a LoRA."
    if pairs.single:
        return f"It is incomplete: half of its change to “{_shown(pairs.single[0])}” is missing."
    if not pairs.whole:
        return "It changes nothing: there are no LoRA weights in it."
    tensors = {tensor.name: tensor for header in model for tensor in header.tensors}
    for pair in pairs.whole:
        if not pair.matched or _NO_WEIGHTS & {_type(pair.a), _type(pair.b)}:
            return f"It is damaged: its change to “{_shown(pair.name)}” can't be computed."
    n_embd = _n_embd(model[0])
    return (
        _width_reason(pairs.whole, tensors, n_embd)
        or next(filter(None, (_missing_reason(each, tensors) for each in pairs.whole)), "")
        or next(filter(None, (_shape_reason(each, tensors) for each in pairs.whole)), "")
    )


def _width_reason(pairs: Sequence[Pair], tensors: Mapping[str, TensorInfo], n_embd: int) -> str:
    """The size of the model is what tells models apart best, so it is looked at first."""
    for pair in pairs:
        tensor = tensors.get(pair.name)
        if tensor and dim(tensor, 0) == n_embd != pair.n_in:
            return (
                f"It was made for models of {pair.n_in:,} values a layer, this one has {n_embd:,}."
            )
    return ""


def _missing_reason(pair: Pair, tensors: Mapping[str, TensorInfo]) -> str:
    if pair.name in tensors:
        if pair.name == TOKEN_TABLE and OUTPUT not in tensors:
            return (
                "It changes how words are read, and this model uses the same table to write them, "
                "which can't be changed along."
            )
        return ""
    if pair.name == OUTPUT:
        return "It changes the output layer, and this model has none of its own."
    layers = [int(match[1]) for name in tensors if (match := _LAYER.match(name))]
    match = _LAYER.match(pair.name)
    if match and layers and int(match[1]) > max(layers):
        return (
            f"It changes layer {int(match[1]) + 1:,}, and this model has only {max(layers) + 1:,}."
        )
    return f"It changes “{_shown(pair.name)}”, which this model does not have."


def _shape_reason(pair: Pair, tensors: Mapping[str, TensorInfo]) -> str:
    tensor = tensors[pair.name]
    n_in, n_out = dim(tensor, 0), dim(tensor, 1)
    if (pair.n_in, pair.n_out, dim(pair.a, 2)) == (n_in, n_out, dim(tensor, 2)):
        return ""
    if pair.name in (TOKEN_TABLE, OUTPUT) and pair.n_in == n_in:
        return f"It was made for a vocabulary of {pair.n_out:,} tokens, this one has {n_out:,}."
    if dim(pair.a, 2) != dim(tensor, 2):
        return f"It was made for {dim(pair.a, 2):,} experts, this model has {dim(tensor, 2):,}."
    return (
        f"Its change to “{_shown(pair.name)}” is {pair.n_in:,} × {pair.n_out:,} values, "
        f"this model has {n_in:,} × {n_out:,} there."
    )


def _n_embd(model: GgufHeader) -> int:
    value = model.hyper("embedding_length")
    return value if isinstance(value, int) else 0


def _type(tensor: TensorInfo) -> str:
    return TENSOR_TYPES[tensor.ggml_type].name


def _shown(name: str) -> str:
    return "".join(char if char.isprintable() else "�" for char in name[:80])
