"""Stopping a computation of llama.cpp while it runs."""

import ctypes
import sys

import llama_cpp.llama_cpp as native


class AbortFlag:
    """Stops a running computation from another thread.

    llama.cpp asks a callback before each node of its graph, 605 times per token of a 30-layer model.
    A Python function there would need the interpreter lock each time, and wait whenever the thread
    that reads orders holds it; so the callback is the C library's `strlen`, and the flag a text
    whose length is 0 or 1.

    Attributes:
        is_armed: Whether to stop is worth it now: not where others would lose more by it.
    """

    def __init__(self) -> None:
        self.is_armed = True
        library = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
        strlen = ctypes.cast(library.strlen, ctypes.c_void_p)
        self.callback = native.ggml_abort_callback(strlen.value or 0)
        self._text = (ctypes.c_char * 2)()
        self.data = ctypes.cast(self._text, ctypes.c_void_p)

    def set(self) -> None:
        """Stop what is computed now, or else what is computed next, if that is worth it."""
        if self.is_armed:
            self._text[0] = b"\x01"

    def clear(self) -> None:
        self._text[0] = b"\x00"

    @property
    def is_set(self) -> bool:
        return bool(self._text[0] != b"\x00")
