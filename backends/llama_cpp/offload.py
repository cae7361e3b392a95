"""How many layers of a model go to graphics cards and other machines."""

from collections.abc import Iterable
from pathlib import Path

import llama_cpp.llama_cpp as native
import msgspec

from backends.llama_cpp.context import BATCH_TOKENS, CACHE_BITS, wanted_context
from backends.llama_cpp.devices import Device
from backends.llama_cpp.model import cache_bytes
from backends.protocol import LoadOptions

ALL_LAYERS = -1
_SHARE = 0.9
"""Of the memory that is free there: the rest is for what other programs do meanwhile."""

_F32 = 4


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that a model takes. `scratch` is needed beside however few layers."""

    n_layers: int
    weights: int
    cache: int
    scratch: int


def layers_that_fit(path: Path, options: LoadOptions, devices: Iterable[Device]) -> int:
    """Layers that the devices have room for, with their part of the context.

    `ALL_LAYERS` where all fit, and where no device tells how much memory is free: then they are
    trusted to have enough.
    """
    room = _room(devices)
    if not room:
        return ALL_LAYERS
    needs = _needs(path, options)
    return fitting(needs, room) if needs else ALL_LAYERS


def fitting(needs: Needs, room: int) -> int:
    """What of the layers fits, if all are equal and what is in none of them is as large as one."""
    if needs.weights + needs.cache + needs.scratch <= room:
        return ALL_LAYERS
    per_layer = needs.weights / (needs.n_layers + 1) + needs.cache / max(1, needs.n_layers)
    return max(0, min(needs.n_layers, int((room - needs.scratch) / per_layer)))


def _room(devices: Iterable[Device]) -> int:
    """Where there is a graphics card with memory of its own, llama.cpp leaves the others alone."""
    graphics = [device for device in devices if device.is_graphics]
    own = [device for device in graphics if device.is_remote or not device.is_shared]
    return int(sum(device.free for device in own or graphics) * _SHARE)


def _needs(path: Path, options: LoadOptions) -> Needs | None:
    """None for what is no model; loading it will say why."""
    params = native.llama_model_default_params()
    params.no_alloc = True
    params.n_gpu_layers = 0
    params.load_mode = native.LLAMA_LOAD_MODE_NONE
    model = native.llama_model_load_from_file(str(path).encode(), params)
    if not model:
        return None
    n_ctx = wanted_context(options, native.llama_model_n_ctx_train(model))
    n_vocab = native.llama_vocab_n_tokens(native.llama_model_get_vocab(model))
    widest = n_vocab
    if options.flash_attention == "off":
        widest = max(widest, n_ctx * native.llama_model_n_head(model))
    needs = Needs(
        n_layers=native.llama_model_n_layer(model),
        weights=native.llama_model_size(model),
        cache=cache_bytes(model, n_ctx, CACHE_BITS[options.cache_type]),
        scratch=BATCH_TOKENS * widest * _F32,
    )
    native.llama_model_free(model)
    return needs
