"""Does llama.cpp load, and what does it see? Asked in a process of its own, for bug reports.

Prints one JSON object: `version`, `system` (the instructions it uses), `devices`, `gpu_offload`,
`graphics`: the graphics cards, with `free` and `total` bytes, `shared` where it is the processor's memory;
and `rpc`: whether other machines can hold a part of a model.
"""

import json
import sys

import llama_cpp
import llama_cpp.llama_cpp as native

from backends.llama_cpp.devices import devices, has_graphics_card
from backends.llama_cpp.remote import has_rpc


def main() -> int:
    native.llama_backend_init()
    seen = list(devices())
    found = {
        "version": llama_cpp.__version__,
        "system": native.llama_print_system_info().decode("utf-8", "replace").strip(" |"),
        "devices": [f"{device.name}: {device.description}" for device in seen],
        "graphics": [
            {
                "name": device.description,
                "free": device.free,
                "total": device.total,
                "shared": device.is_shared,
            }
            for device in seen
            if device.is_graphics
        ],
        "gpu_offload": has_graphics_card(),
        "rpc": has_rpc(),
    }
    json.dump(found, sys.stdout)
    return 0
