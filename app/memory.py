"""Does a model fit in this computer's memory? Asked before it is loaded."""

from collections.abc import Callable

from app.formatting import bytes_text
from app.machine import Machine
from app.system_memory import available_memory, free_swap, total_memory
from backends.errors import OutOfMemory
from backends.protocol import DEFAULT_CONTEXT, LoadOptions
from catalog.fit.fit import MemoryEstimate, estimate
from catalog.gguf.files import GgufHeader, check_gguf_file, check_model_file
from catalog.library import InstalledModel

_TIGHT = 0.9
"""Share of the free memory above which a model is loaded with a warning."""


def check_memory(
    model: InstalledModel,
    options: LoadOptions,
    *,
    freed: int,
    available: Callable[[], int] = available_memory,
    swap: Callable[[], int] = free_swap,
    machine: Callable[[], Machine] | None = None,
) -> str:
    """A warning in words where the model will be tight, empty where it fits.

    Weights that are larger than the memory are read from the disk again and again: slow, but a
    person may want it. What the context takes can't be, so only that is refused. `freed` bytes are
    in use by a model that makes room for this one. `machine` is asked for a graphics card, which
    all of the model goes to unless the options say otherwise. Nothing is said of a model that other
    machines hold parts of. Raises `OutOfMemory`, and `BadModelFile` where the file is none.
    """
    # One that only makes vectors is no model to chat with, and sound nevertheless.
    header = (check_gguf_file if options.embedding else check_model_file)(model.path)
    if options.rpc_servers:
        return ""
    n_ctx = options.n_ctx or min(header.context_length or DEFAULT_CONTEXT, DEFAULT_CONTEXT)
    memory = machine().memory if machine and options.n_gpu_layers < 0 else None
    if memory is not None and memory.vram_total:
        on_card = expected_memory(header, model.size_bytes, n_ctx, options, on_card=True)
        return _warning_of_card(model, on_card, memory.vram_free + freed)
    needed = expected_memory(header, model.size_bytes, n_ctx, options)
    # Of what is freed, mapped weights were available all along.
    free = min(available() + freed, total_memory())
    context = needed.kv_cache + needed.compute
    if context > free + swap():
        raise OutOfMemory(
            f"{model.name} does not fit in memory.",
            f"A context of {n_ctx:,} tokens needs about {bytes_text(context)} beside the weights, and"
            f" {bytes_text(free)} are free.",
            "Set a shorter context length, or close other programs.",
        )
    if needed.total > free * _TIGHT:
        return (
            f"Memory is tight: {model.name} needs about {bytes_text(needed.total)}, and"
            f" {bytes_text(free)} are free. It may be very slow. Close other programs, take a smaller"
            " model, or set a shorter context length."
        )
    return ""


def expected_memory(
    header: GgufHeader,
    weights_bytes: int,
    n_ctx: int,
    options: LoadOptions,
    *,
    on_card: bool = False,
) -> MemoryEstimate:
    """What a load with these options is expected to take."""
    flash = options.flash_attention == "on" or (on_card and options.flash_attention == "auto")
    return estimate(
        header, weights_bytes, n_ctx, cache_type=options.cache_type, flash_attention=flash
    )


def _warning_of_card(model: InstalledModel, needed: MemoryEstimate, free: int) -> str:
    if needed.total <= free * _TIGHT:
        return ""
    return (
        f"Graphics memory is tight: {model.name} needs about {bytes_text(needed.total)}, and"
        f" {bytes_text(free)} are free. The layers that find no room are left to the processor, which"
        " is slower. Take a smaller model, or set a shorter context length."
    )
