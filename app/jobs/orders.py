"""What a job is asked, and what it says of itself."""

import msgspec

from app.errors import Problem
from backends.protocol import AppliedAdapter


class ConvertAdapter(msgspec.Struct, frozen=True, tag="convert"):
    """Make a GGUF adapter of the PEFT adapter in `folder`, for the model in the files `base`."""

    folder: str
    base: tuple[str, ...]
    target: str
    name: str


class Merge(msgspec.Struct, frozen=True, tag="merge"):
    """Add adapters to the weights in the files `model`."""

    model: tuple[str, ...]
    adapters: tuple[AppliedAdapter, ...]
    target: str
    name: str


class Quantize(msgspec.Struct, frozen=True, tag="quantize"):
    """Store the weights of the model, whose first file is `model`, as `quant`."""

    model: str
    quant: str
    target: str


Order = ConvertAdapter | Merge | Quantize


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of what a job says: how far it is (0…1), why it failed, or that it is done."""

    fraction: float = 0.0
    problem: Problem | None = None
    done: bool = False
