"""Does llama.cpp load, and what does it see? Asked in a process of its own, for bug reports.

Prints one JSON object: `version`, `system` (the instructions it uses), `devices`, `gpu_offload`.
"""

import ctypes
import json
import sys
from collections.abc import Iterator

import llama_cpp
import llama_cpp.llama_cpp as native
from llama_cpp._ggml import libggml


def main() -> int:
    native.llama_backend_init()
    found = {
        "version": llama_cpp.__version__,
        "system": native.llama_print_system_info().decode("utf-8", "replace").strip(" |"),
        "devices": list(_devices()),
        "gpu_offload": bool(native.llama_supports_gpu_offload()),
    }
    json.dump(found, sys.stdout)
    return 0


def _devices() -> Iterator[str]:
    """What can compute, the processor included. The bindings leave these functions out."""
    libggml.ggml_backend_dev_count.restype = ctypes.c_size_t
    libggml.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
    libggml.ggml_backend_dev_get.restype = ctypes.c_void_p
    texts = (libggml.ggml_backend_dev_name, libggml.ggml_backend_dev_description)
    for function in texts:
        function.argtypes = [ctypes.c_void_p]
        function.restype = ctypes.c_char_p
    for number in range(libggml.ggml_backend_dev_count()):
        device = libggml.ggml_backend_dev_get(number)
        yield ": ".join(function(device).decode("utf-8", "replace") for function in texts)
