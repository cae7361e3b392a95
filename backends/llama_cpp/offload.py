"""How many layers of a model go to graphics cards and other machines."""

from collections.abc import Iterable
from pathlib import Path

import llama_cpp.llama_cpp as native

from backends.llama_cpp.devices import Device
from backends.llama_cpp.model_parts import bytes_of

ALL_LAYERS = -1
_SHARE = 0.9
"""Of the free memory there: the rest is for the context and the scratch space."""


def layers_that_fit(path: Path, devices: Iterable[Device]) -> int:
    """Layers whose weights the devices have room for; `ALL_LAYERS` where that is all of them.

    Devices that do not tell how much memory is free are trusted to have enough.
    """
    offered = [device for device in devices if device.is_graphics]
    room = sum(device.free for device in offered) * _SHARE
    n_bytes = bytes_of(path)
    if not room or n_bytes <= room:
        return ALL_LAYERS
    return fitting(n_bytes, _n_layers(path), int(room))


def fitting(n_bytes: int, n_layers: int, room: int) -> int:
    """What of so many layers fits, if what is not in a layer is as large as one."""
    return max(0, min(n_layers, room * (n_layers + 1) // n_bytes))


def _n_layers(path: Path) -> int:
    params = native.llama_model_default_params()
    params.vocab_only = True
    model = native.llama_model_load_from_file(str(path).encode(), params)
    if not model:
        return 0  # loading it will say why
    n_layers: int = native.llama_model_n_layer(model)
    native.llama_model_free(model)
    return n_layers
