"""A model's weights stored in fewer bits, by llama.cpp itself. In a process of its own."""

import ctypes
import re
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

import llama_cpp.llama_cpp as native

from backends.errors import ModelLoadError
from backends.llama_cpp.quants import Quant

_TENSOR = re.compile(r"^\[\s*(?P<done>\d+)/\s*(?P<total>\d+)\]")
_REASON = re.compile(r"(?:failed to quantize|error loading model): (?P<reason>[^\n]{1,200})")
_KEPT_LINES = 200


def quantize(
    source: Path, target: Path, quant: Quant, *, on_progress: Callable[[float], None]
) -> None:
    """Write `target`, one file, from `source`, the first file of a model in 16 or 32 bits.

    All cores compute. Blocks, without a way to stop it but the end of the process, whose log it takes
    over. Raises ModelLoadError.
    """
    lines: deque[str] = deque(maxlen=_KEPT_LINES)

    @native.llama_log_callback  # type: ignore[untyped-decorator]
    def on_log(_level: int, text: bytes, _user_data: ctypes.c_void_p) -> None:
        line = text.decode("utf-8", "replace")
        lines.append(line)
        sys.stderr.write(line)
        found = _TENSOR.match(line)
        if found and int(found["total"]):
            on_progress(int(found["done"]) / int(found["total"]))

    native.llama_log_set(on_log, ctypes.c_void_p(0))
    params = native.llama_model_quantize_default_params()
    params.ftype = quant.file_type
    result = native.llama_model_quantize(
        str(source).encode(), str(target).encode(), ctypes.byref(params)
    )
    if result != 0:
        found = _REASON.search("".join(lines))
        raise ModelLoadError(
            f"“{source.name}” could not be stored as {quant.name}.",
            f"The engine says: {found['reason'].strip()}." if found else "",
            "Choose another quant, or get the model again.",
        )
