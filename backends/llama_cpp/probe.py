"""Does llama.cpp load, and what does it see? Asked in a process of its own, for bug reports.

Prints one JSON object: `version`, `system` (the instructions it uses), `devices`, `gpu_offload`, and
`graphics`: the graphics cards, with `free` and `total` bytes, `shared` where it is the processor's memory.
"""

import ctypes
import json
import sys
from collections.abc import Iterator

import llama_cpp
import llama_cpp.llama_cpp as native
from llama_cpp._ggml import libggml

_GRAPHICS = (1, 2)  # GGML_BACKEND_DEVICE_TYPE_GPU and _IGPU
_INTEGRATED = 2


def main() -> int:
    native.llama_backend_init()
    devices = list(_devices())
    found = {
        "version": llama_cpp.__version__,
        "system": native.llama_print_system_info().decode("utf-8", "replace").strip(" |"),
        "devices": [": ".join(_texts(device)) for device in devices],
        "graphics": [card for device in devices for card in _graphics(device)],
        "gpu_offload": bool(native.llama_supports_gpu_offload()),
    }
    json.dump(found, sys.stdout)
    return 0


def _devices() -> Iterator[int]:
    """What can compute, the processor included. The bindings leave these functions out."""
    libggml.ggml_backend_dev_count.restype = ctypes.c_size_t
    libggml.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
    libggml.ggml_backend_dev_get.restype = ctypes.c_void_p
    for number in range(libggml.ggml_backend_dev_count()):
        yield libggml.ggml_backend_dev_get(number)


def _texts(device: int) -> Iterator[str]:
    """Its short name, and what its makers call it."""
    for function in (libggml.ggml_backend_dev_name, libggml.ggml_backend_dev_description):
        function.argtypes = [ctypes.c_void_p]
        function.restype = ctypes.c_char_p
        yield function(device).decode("utf-8", "replace")


def _graphics(device: int) -> Iterator[dict[str, object]]:
    libggml.ggml_backend_dev_type.argtypes = [ctypes.c_void_p]
    kind = libggml.ggml_backend_dev_type(device)
    if kind not in _GRAPHICS:
        return
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    libggml.ggml_backend_dev_memory.argtypes = [ctypes.c_void_p, *[ctypes.c_void_p] * 2]
    libggml.ggml_backend_dev_memory.restype = None
    libggml.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
    _, name = _texts(device)
    shared = kind == _INTEGRATED or sys.platform == "darwin"
    yield {"name": name, "free": free.value, "total": total.value, "shared": shared}
