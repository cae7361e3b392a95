"""Adapters as the command line names them: ADAPTER[:SCALE]."""

from collections.abc import Sequence
from pathlib import Path

from app.options.adapter_stack import AdapterStack, StackedAdapter, checked_scale
from catalog.library import Library


def parse_adapters(values: Sequence[str], library: Library) -> AdapterStack:
    """The stack that the arguments name: adapters of the library, or files outside it.

    Raises `CatalogError` for what is no adapter, and `AppError` for a strength out of range.
    """
    return tuple(_parse(value, library) for value in values)


def _parse(value: str, library: Library) -> StackedAdapter:
    name, scale = _split(value)
    adapter = library.find_adapter(name)
    installed = any(adapter.id == other.id for other in library.adapters())
    ref = adapter.id if installed else str(adapter.path)
    return StackedAdapter(ref, checked_scale(adapter.name, scale))


def _split(value: str) -> tuple[str, float]:
    """Names may hold colons, and so do paths on Windows: only a number after the last one counts."""
    name, colon, number = value.rpartition(":")
    if colon and name and not Path(value).exists():
        try:
            return name, float(number)
        except ValueError:
            pass
    return value, 1.0
