"""What this build of llama.cpp can compute on. The bindings leave these functions out."""

import ctypes
import functools
import sys
from collections.abc import Iterator

import msgspec
from llama_cpp._ggml import libggml

_GRAPHICS = (1, 2)  # GGML_BACKEND_DEVICE_TYPE_GPU and _IGPU
_INTEGRATED = 2
_REMOTE = "RPC"


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A processor or graphics card, in bytes of memory. `is_remote`: of another machine.

    `is_shared`: its memory is the processor's.
    """

    handle: int
    name: str
    description: str
    free: int
    total: int
    is_graphics: bool
    is_shared: bool
    is_remote: bool


def devices() -> Iterator[Device]:
    """All that can compute, the processor included."""
    libggml.ggml_backend_dev_count.restype = ctypes.c_size_t
    libggml.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
    libggml.ggml_backend_dev_get.restype = ctypes.c_void_p
    for number in range(libggml.ggml_backend_dev_count()):
        yield _device(libggml.ggml_backend_dev_get(number))


def graphics_cards() -> list[Device]:
    """Those of this machine."""
    return [device for device in devices() if device.is_graphics and not device.is_remote]


@functools.cache
def has_graphics_card() -> bool:
    """Whether models run on a graphics card of this machine, where nothing else is asked for.

    Asked once: to look at the devices asks the other machines too, which may serve one client only.
    """
    return bool(graphics_cards())


def _device(handle: int) -> Device:
    kind = libggml.ggml_backend_dev_type
    kind.argtypes = [ctypes.c_void_p]
    name = _text(libggml.ggml_backend_dev_name, handle)
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    libggml.ggml_backend_dev_memory.argtypes = [ctypes.c_void_p] * 3
    libggml.ggml_backend_dev_memory.restype = None
    libggml.ggml_backend_dev_memory(handle, ctypes.byref(free), ctypes.byref(total))
    return Device(
        handle=handle,
        name=name,
        description=_text(libggml.ggml_backend_dev_description, handle),
        free=free.value,
        total=total.value,
        is_graphics=kind(handle) in _GRAPHICS,
        is_shared=kind(handle) == _INTEGRATED or sys.platform == "darwin",
        is_remote=name.startswith(_REMOTE),
    )


def _text(function: "ctypes._NamedFuncPointer", handle: int) -> str:
    function.argtypes = [ctypes.c_void_p]
    function.restype = ctypes.c_char_p
    text: bytes = function(handle)
    return text.decode("utf-8", "replace")
