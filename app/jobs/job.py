"""The job's own process: carries out one order, and says on stdout how far it is."""

import os
import threading
from pathlib import Path
from typing import BinaryIO

import msgspec

from app.errors import KnownErrors, Problem, problem_from
from app.jobs.orders import ConvertAdapter, Merge, Order, Quantize, Said

_STEP = 0.005


def main(order: str) -> int:
    """Ends early where stdin closes. The exit code is 0 where all is done."""
    from backends.llama_cpp.lifeline import hold_on_to_stdin

    stdout = _take_over_stdout()
    hold_on_to_stdin()
    teller = Teller(stdout)
    try:
        _carry_out(msgspec.json.decode(order, type=Order), teller)
    except KnownErrors as error:
        problem = problem_from(error)
        assert problem is not None
        teller.say(Said(problem=problem))
        return 1
    except OSError as error:
        why = f"{error.strerror or error}."
        teller.say(Said(problem=Problem("The new file could not be written.", why, "")))
        return 1
    teller.say(Said(done=True))
    return 0


class Teller:
    """Says no more of the progress than a person can see."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._told = 0.0

    def progress(self, fraction: float) -> None:
        if fraction - self._told >= _STEP:
            self._told = fraction
            self.say(Said(fraction=fraction))

    def say(self, said: Said) -> None:
        self._stream.write(msgspec.json.encode(said) + b"\n")
        self._stream.flush()


def _carry_out(order: Order, teller: Teller) -> None:
    target = Path(order.target)
    match order:
        case ConvertAdapter(folder, base, _, name):
            from catalog.adapters.peft.convert import convert_peft
            from catalog.gguf.files import read_header

            convert_peft(
                Path(folder),
                [read_header(Path(part)) for part in base],
                target,
                name=name,
                on_progress=teller.progress,
                cancelled=threading.Event(),  # a job is cancelled by its end
            )
        case Merge(model, adapters, _, name):
            from backends.llama_cpp.merge import merge

            parts = [Path(part) for part in model]
            merge(parts, adapters, target, name=name, on_progress=teller.progress)
        case Quantize(model, name, _):
            from backends.llama_cpp.quantize import quantize
            from backends.llama_cpp.quants import quant_named

            quant = quant_named(name)
            assert quant is not None  # whoever gave the order has looked
            quantize(Path(model), target, quant, on_progress=teller.progress)


def _take_over_stdout() -> BinaryIO:
    """Keep stdout to ourselves; what a library prints goes to stderr."""
    ours = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(ours, "wb")
