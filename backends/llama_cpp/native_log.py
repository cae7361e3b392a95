"""What llama.cpp logs: passed on to stderr, its last lines kept to say why a load failed.

It is also the only place where llama.cpp says how much memory a context took.
"""

import ctypes
import re
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import llama_cpp.llama_cpp as native

from backends.errors import BackendError, ModelLoadError, OutOfMemory

_KEPT_LINES = 200
_DEBUG_LEVEL = 1  # GGML_LOG_LEVEL_DEBUG; the numbers in the bindings' comments are out of date

_BUFFER = re.compile(
    r":\s+(?P<device>\S+) .*?(?P<kind>KV|RS|state|compute|output) buffer size = +(?P<mib>[\d.]+) MiB"
)
_SCRATCH = ("compute", "output")

_lines: deque[str] = deque(maxlen=_KEPT_LINES)
_listened: list[list[str]] = []
_cache_mib: list[float] = []
_scratch_mib: dict[tuple[str, str], float] = {}


@native.llama_log_callback  # type: ignore[untyped-decorator]
def _on_log(level: int, text: bytes, _user_data: ctypes.c_void_p) -> None:
    if level == _DEBUG_LEVEL:
        return
    line = text.decode("utf-8", "replace")
    _lines.append(line)
    for lines in _listened:
        lines.append(line)
    _note_buffer(line)
    sys.stderr.write(line)


def install() -> None:
    """Take over the log; it belongs to the process, as llama.cpp has only one."""
    native.llama_log_set(_on_log, ctypes.c_void_p(0))


@contextmanager
def listening() -> Iterator[list[str]]:
    """What is logged within the block."""
    lines: list[str] = []
    _listened.append(lines)
    try:
        yield lines
    finally:
        _listened.remove(lines)


def context_bytes() -> tuple[int, int]:
    """What the contexts of this process take so far: for their caches, and as scratch space."""
    return _in_bytes(sum(_cache_mib)), _in_bytes(sum(_scratch_mib.values()))


def forget_contexts() -> None:
    """The contexts of this process are gone, and what they took is free again."""
    _cache_mib.clear()
    _scratch_mib.clear()


def _note_buffer(line: str) -> None:
    found = _BUFFER.search(line)
    if not found:
        return
    if found["kind"] in _SCRATCH:  # may be set up anew, in place of what was there
        _scratch_mib[found["device"], found["kind"]] = float(found["mib"])
    else:
        _cache_mib.append(float(found["mib"]))


def _in_bytes(mib: float) -> int:
    return round(mib * 2**20)


def load_failure(path: str) -> BackendError:
    """Why llama.cpp gave no model or no context, in words, judged by what it logged last."""
    log = "".join(_lines)
    for pattern, error, what, why, fix in _REASONS:
        found = re.search(pattern, log)
        if found:
            details = {key: value.strip() for key, value in found.groupdict().items()}
            return error(what.format(file=_file_name(path)), why.format(**details), fix)
    return ModelLoadError(
        f"“{_file_name(path)}” could not be loaded.",
        "The engine gave no reason.",
        "Download the file again, or try another one.",
    )


def _file_name(path: str) -> str:
    return re.split(r"[/\\]", path)[-1]


_CANNOT_LOAD = "“{file}” could not be loaded."
_DAMAGED = "The file is damaged or incomplete"
_GET_AGAIN = "Download the file again."
_NEWER = "Look for a newer version of Causeway, or choose another model."

_REASONS: tuple[tuple[str, type[BackendError], str, str, str], ...] = (
    (
        r"unknown model architecture: '(?P<name>[^']{0,80})",
        ModelLoadError,
        _CANNOT_LOAD,
        "This version of the engine does not know the architecture “{name}”.",
        _NEWER,
    ),
    (
        r"unknown pre-tokenizer type: '(?P<name>[^']{0,80})",
        ModelLoadError,
        _CANNOT_LOAD,
        "This version of the engine does not know the tokenizer “{name}”.",
        _NEWER,
    ),
    (
        r"(?i)failed to allocate|unable to allocate|out of memory|bad_alloc|cannot allocate",
        OutOfMemory,
        "“{file}” does not fit in memory.",
        "The engine asked for more memory than this computer would give.",
        "Choose a shorter context or a smaller model, or close other programs.",
    ),
    (
        r"not within the file bounds|unexpectedly reached end of file|read error",
        ModelLoadError,
        _CANNOT_LOAD,
        _DAMAGED + ".",
        _GET_AGAIN,
    ),
    (
        r"invalid split|failed to load GGUF split",
        ModelLoadError,
        _CANNOT_LOAD,
        "The model comes in several files, and one of them is missing or not its part.",
        "Put all its parts into one folder.",
    ),
    (
        r"(?P<part>[KV]) cache type (?P<type>\w{1,16}) with block size",
        ModelLoadError,
        _CANNOT_LOAD,
        "Its context can't be kept as {type}: the model's heads are too small for that.",
        "Set the cache type to f16.",
    ),
    (
        r"error loading model: (?P<reason>[^\n]{1,200})",
        ModelLoadError,
        _CANNOT_LOAD,
        "The engine says: {reason}.",
        _GET_AGAIN,
    ),
)
