"""Does llama.cpp load, and what does it see? Asked in a process of its own, for bug reports.

Prints one JSON object: `version`, `system` (the instructions it uses), `devices`, `gpu_offload`.
"""

import json
import sys

import llama_cpp
import llama_cpp.llama_cpp as native


def main() -> int:
    native.llama_backend_init()
    found = {
        "version": llama_cpp.__version__,
        "system": native.llama_print_system_info().decode("utf-8", "replace").strip(),
        "gpu_offload": bool(native.llama_supports_gpu_offload()),
        "max_devices": int(native.llama_max_devices()),
    }
    json.dump(found, sys.stdout)
    return 0
