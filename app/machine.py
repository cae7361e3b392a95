"""This computer, as far as it decides which models run on it and how fast."""

import contextlib
import ctypes
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import psutil

from app.system_memory import available_memory, total_memory
from app.worker_tools import run_in_worker
from backends.errors import EngineCrashed
from catalog.fit.fit import Memory
from catalog.whole_file import write_whole

_FILE = "machine.json"
_PROBE_SECONDS = 60.0
_FRESH_SECONDS = 1.0
_DEVICE_SECONDS = 30.0

_COPIED_BYTES = 128 << 20  # more than any cache of a processor holds
_LEAST_BYTES = 8 << 20
_ROUNDS = 4  # the first only warms up
_SHARE_OF_COPYING = 0.7
_BYTES_PER_THREAD = 8e9
"""What one core of 2023 works off a second of weights of four bits, measured; it bounds small computers."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes and counts. `device` is the graphics card that models run on, empty where there is none.

    `disk_free` is where models are kept. `processor` is what it calls itself.
    """

    memory: Memory
    cores: int
    device: str = ""
    disk_free: int = 0
    processor: str = ""


class GraphicsCard(msgspec.Struct, frozen=True):
    """What the engine can compute on beside the processor. Bytes."""

    name: str
    free: int
    total: int
    shared: bool


class _Probed(msgspec.Struct, frozen=True):
    gpu_offload: bool = False
    graphics: tuple[GraphicsCard, ...] = ()


class _Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What does not change from day to day, and for which computer and engine it holds."""

    processor: str
    cores: int
    engine: str
    bandwidth: float
    has_graphics: bool


class ThisMachine:
    """Looks at this computer again at each call, from any thread.

    The first call ever takes a second: it measures the memory's speed and starts the engine to ask
    for graphics cards. That is kept in `cache_folder`; what changes is looked at anew.
    """

    def __init__(self, models_folder: Callable[[], Path], cache_folder: Path) -> None:
        self._models_folder = models_folder
        self._file = cache_folder / _FILE
        self._lock = threading.Lock()
        self._measured: _Measured | None = None
        self._card: GraphicsCard | None = None
        self._card_time = -_DEVICE_SECONDS
        self._machine: Machine | None = None
        self._machine_time = 0.0

    def __call__(self) -> Machine:
        with self._lock:
            now = time.monotonic()
            if self._machine is None or now - self._machine_time > _FRESH_SECONDS:
                self._machine, self._machine_time = self._look(), time.monotonic()
            return self._machine

    def latest(self) -> Machine:
        """As the last look found it, with the memory that is free now. It waits for nothing.

        Before the first look, only what the system says at once.
        """
        known = self._machine
        free, total = available_memory(), total_memory()
        if known is None:
            return Machine(memory=Memory(free=free, total=total), cores=usable_cores())
        memory = msgspec.structs.replace(known.memory, free=free, total=total)
        return msgspec.structs.replace(known, memory=memory)

    def _look(self) -> Machine:
        measured = self._measured = self._measured or self._measure()
        card = self._graphics_card(measured)
        memory = Memory(
            free=available_memory(),
            total=total_memory(),
            vram_free=card.free if card else 0,
            vram_total=card.total if card else 0,
            vram_shared=bool(card and card.shared),
            bandwidth=measured.bandwidth,
        )
        return Machine(
            memory=memory,
            cores=measured.cores,
            device=card.name if card else "",
            disk_free=disk_free(self._models_folder()),
            processor=measured.processor,
        )

    def _measure(self) -> _Measured:
        from app.versions import installed_version  # takes long to import

        processor, cores = processor_name(), usable_cores()
        engine = installed_version("llama-cpp-python") or ""
        with contextlib.suppress(OSError, ValueError, RecursionError):
            known = msgspec.json.decode(self._file.read_bytes(), type=_Measured)
            if (known.processor, known.cores, known.engine) == (processor, cores, engine):
                return known
        self._card, probed = _ask_engine()
        self._card_time = time.monotonic()
        measured = _Measured(
            processor=processor,
            cores=cores,
            engine=engine,
            bandwidth=measure_bandwidth(max(1, cores - 1)),
            has_graphics=self._card is not None,
        )
        if probed:
            with contextlib.suppress(OSError):
                write_whole(self._file, msgspec.json.encode(measured))
        return measured

    def _graphics_card(self, measured: _Measured) -> GraphicsCard | None:
        if measured.has_graphics and time.monotonic() - self._card_time > _DEVICE_SECONDS:
            self._card, _ = _ask_engine()
            self._card_time = time.monotonic()
        return self._card


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_name() -> str:
    """Linux knows its name only from a file; elsewhere `platform` does."""
    import platform  # not needed for the first window

    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            name, colon, value = line.partition(":")
            if colon and name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def disk_free(folder: Path) -> int:
    """Bytes free where the folder lies or will lie, 0 where that can't be told."""
    for place in (folder, *folder.parents):
        if os.path.isdir(place):  # noqa: PTH112 (the method of a Path raises where it may not look)
            with contextlib.suppress(OSError):
                return int(psutil.disk_usage(str(place)).free)
    return 0


def measure_bandwidth(n_threads: int) -> float:
    """Bytes a second that generation with so many threads gets from memory, about.

    A share of what copying large blocks reads and writes, the best of three rounds. Takes some
    hundredths of a second.
    """
    size = max(_LEAST_BYTES, _COPIED_BYTES // n_threads)
    blocks = [
        (ctypes.create_string_buffer(size), ctypes.create_string_buffer(size))
        for _ in range(n_threads)
    ]
    for source, _ in blocks:
        ctypes.memset(source, 1, size)  # untouched memory is no memory yet
    quickest = min([_copy_all(blocks, size) for _ in range(_ROUNDS)][1:])
    copied = 2 * size * n_threads / max(quickest, 1e-9)
    return min(_SHARE_OF_COPYING * copied, _BYTES_PER_THREAD * n_threads)


def _copy_all(
    blocks: list[tuple["ctypes.Array[ctypes.c_char]", "ctypes.Array[ctypes.c_char]"]], size: int
) -> float:
    """Seconds that copying all blocks at once takes. The interpreter's lock is not held meanwhile."""
    threads = [
        threading.Thread(target=ctypes.memmove, args=(target, source, size), name="memory-speed")
        for source, target in blocks
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def _ask_engine() -> tuple[GraphicsCard | None, bool]:
    """The graphics card with the most memory, if any, and whether the engine could be asked."""
    try:
        probed = run_in_worker("probe", [], _Probed, timeout=_PROBE_SECONDS)
    except EngineCrashed:
        return None, False
    if not probed.gpu_offload:
        return None, True
    return max(probed.graphics, key=lambda card: card.total, default=None), True
