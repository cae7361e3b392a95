"""LoRA adapters, loaded once and applied in any mixture."""

import ctypes
import hashlib
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import llama_cpp.llama_cpp as native

from backends.errors import BadAdapter
from backends.llama_cpp import native_log
from backends.llama_cpp.adapter_weights import holds_only_numbers
from backends.llama_cpp.context import Context
from backends.llama_cpp.model import Model
from backends.llama_cpp.parked import StackKey
from backends.protocol import AppliedAdapter


class _Loaded(NamedTuple):
    handle: Any
    sha256: str


class Adapters:
    """The adapters of one model. On the thread of the context.

    A file that changes is loaded anew; a loaded one stays, since requests come back to it.
    """

    def __init__(self, model: Model, context: Context) -> None:
        self._model = model
        self._context = context
        self._by_file: dict[tuple[str, int, int], _Loaded] = {}
        self._handles: dict[str, Any] = {}
        self._applied: StackKey = ()

    def key_of(self, stack: Sequence[AppliedAdapter]) -> StackKey:
        """What tells this mixture from others, whatever the order; its files are loaded.

        Raises BadAdapter.
        """
        scales: dict[str, float] = {}
        for adapter in stack:
            if not math.isfinite(adapter.scale):
                raise _refused(adapter.path, "Its scale is not a number.", "Set another scale.")
            if adapter.scale:
                sha256 = self._load(adapter.path).sha256
                scales[sha256] = scales.get(sha256, 0.0) + adapter.scale
        return tuple(sorted((sha256, scale) for sha256, scale in scales.items() if scale))

    def apply(self, key: StackKey) -> None:
        """Evaluate with this mixture from now on."""
        if key == self._applied:
            return
        handles = (native.llama_adapter_lora_p_ctypes * len(key))(
            *(self._handles[sha256] for sha256, _ in key)
        )
        scales = (ctypes.c_float * len(key))(*(scale for _, scale in key))
        native.llama_set_adapters_lora(self._context.handle, handles, len(key), scales)
        self._applied = key

    def _load(self, path: str) -> _Loaded:
        try:
            status = Path(path).stat()
            identity = (path, status.st_size, status.st_mtime_ns)
            loaded = self._by_file.get(identity)
            if loaded is None:
                loaded = self._by_file[identity] = self._load_file(path)
        except OSError as error:
            raise _refused(
                path, f"Its file can't be read: {error.strerror}.", "Remove it, or add it again."
            ) from error
        return loaded

    def _load_file(self, path: str) -> _Loaded:
        with Path(path).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        handle = self._handles.get(sha256)
        if handle is None:
            handle = self._init(path)
            self._handles[sha256] = handle
        return _Loaded(handle, sha256)

    def _init(self, path: str) -> Any:
        with native_log.listening() as lines:
            handle = native.llama_adapter_lora_init(self._model.handle, os.fsencode(path))
        if not handle:
            raise _refused(path, *_reason("".join(lines)))
        try:
            is_sound = holds_only_numbers(Path(path))
        except ValueError:
            is_sound = False
        if not is_sound:
            native.llama_adapter_lora_free(handle)
            raise _refused(path, "Its weights are damaged: some are no numbers.", _GET_AGAIN)
        return handle


_GET_AGAIN = "Download the file again, or remove the adapter from the chat."
_OTHER_MODEL = "Choose the model that it was made for, or another adapter."

_REASONS = (
    (
        r"arch mismatch",
        "It was made for a model of another architecture.",
        _OTHER_MODEL,
    ),
    (
        r"tensor '(?P<name>[^'\n]{1,100})' has incorrect shape",
        "It was made for a model of other dimensions: “{name}” has another shape there.",
        _OTHER_MODEL,
    ),
    (
        r"tensor '(?P<name>[^'\n]{1,100})' does not exist in base model",
        "It was made for another model: this one has no “{name}”.",
        _OTHER_MODEL,
    ),
    (
        r"expect general\.type to be 'adapter'|expect adapter\.type to be 'lora'",
        "The file is no LoRA adapter.",
        "Choose another file.",
    ),
    (
        r"failed to load lora adapter from file|not within the file bounds|unexpectedly reached end"
        r"|read error|fail(ed)? to (seek|read)",
        "The file is damaged or incomplete.",
        _GET_AGAIN,
    ),
    (
        r"failed to apply lora adapter: (?P<reason>[^\n]{1,200})",
        "The engine says: {reason}.",
        _GET_AGAIN,
    ),
)


def _reason(log: str) -> tuple[str, str]:
    """Why llama.cpp refused an adapter, by what it logged, and what to do."""
    for pattern, why, fix in _REASONS:
        found = re.search(pattern, log)
        if found:
            return why.format(**found.groupdict()), fix
    return "The engine gave no reason.", _GET_AGAIN


def _refused(path: str, why: str, fix: str) -> BadAdapter:
    return BadAdapter(f"The adapter “{Path(path).name}” can't be used.", why, fix)
