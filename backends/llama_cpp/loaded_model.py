"""A model's weights, where they are computed with: here, on a graphics card, on other machines."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from backends.llama_cpp.devices import devices, has_graphics_card
from backends.llama_cpp.model import Model
from backends.llama_cpp.native_log import context_bytes
from backends.llama_cpp.offload import layers_that_fit
from backends.llama_cpp.remote import Machines, OnConnect
from backends.protocol import Allocation, LoadOptions, SessionInfo


class LoadedModel:
    """The model of one worker.

    Attributes:
        machines: Others that hold a part of it.
        n_threads: How many compute here.
    """

    def __init__(
        self,
        path: str,
        options: LoadOptions,
        *,
        safe_mode: bool,
        on_progress: Callable[[float], None],
        on_connect: OnConnect = lambda server, reached: None,
    ) -> None:
        """Load. Raises ModelLoadError or OutOfMemory.

        `on_connect` is told of each other machine before it is asked for anything, see `Machines`.
        """
        self._started = time.perf_counter()
        self._has_graphics_card = has_graphics_card()
        self.machines = Machines(options.rpc_servers, on_connect)
        self.n_threads = options.n_threads or default_threads()
        self._n_gpu_layers = options.n_gpu_layers
        if self._n_gpu_layers < 0:
            self._n_gpu_layers = layers_that_fit(Path(path), options, devices())
        self._wants_lock = options.mlock
        self._safe_mode = safe_mode
        self.model = Model(
            path,
            n_gpu_layers=self._n_gpu_layers,
            safe_mode=safe_mode,
            mmap=options.mmap,
            mlock=options.mlock,
            on_progress=on_progress,
        )

    def loaded_ms(self) -> float:
        """Milliseconds since loading began."""
        return (time.perf_counter() - self._started) * 1000

    def info(
        self, *, n_ctx: int, template: str, load_ms: float, warnings: tuple[str, ...]
    ) -> SessionInfo:
        """What the session says of itself; those of the `warnings` that are empty are none."""
        model = self.model
        offloads = self._has_graphics_card or len(self.machines) > 0
        return SessionInfo(
            model=model.metadata("general.name") or Path(model.path).stem,
            n_ctx=n_ctx,
            n_ctx_train=model.n_ctx_train,
            n_threads=self.n_threads,
            n_gpu_layers=self._n_gpu_layers if offloads else 0,
            device=self._device(),
            template=template,
            memory_bytes=psutil.Process().memory_info().rss,
            allocated=self._allocated(),
            load_ms=load_ms,
            safe_mode=self._safe_mode,
            embedding_length=model.n_embd,
            warnings=tuple(filter(None, (*warnings, self._lock_warning()))),
        )

    def _device(self) -> str:
        here = "GPU" if self._has_graphics_card and self._n_gpu_layers != 0 else "CPU"
        others = len(self.machines)
        return f"{here} and {others} other machine{'s' * (others > 1)}" if others else here

    def _allocated(self) -> Allocation:
        kv_cache, compute = context_bytes()
        return Allocation(weights=self.model.n_bytes, kv_cache=kv_cache, compute=compute)

    def _lock_warning(self) -> str:
        if not self._wants_lock or self.model.is_locked:
            return ""
        return (
            "The system does not let the model be kept in memory, so parts of it may be swapped out. "
            "Raise the limit of locked memory, or turn “Keep in memory” off."
        )


def default_threads() -> int:
    """All the cores this process may use but one, which keeps the computer responsive."""
    if hasattr(os, "sched_getaffinity"):
        available = len(os.sched_getaffinity(0))
    else:
        available = os.cpu_count() or 1
    return max(1, available - 1)
