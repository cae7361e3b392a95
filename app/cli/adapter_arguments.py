"""Adapters as the command line names them: ADAPTER[:SCALE]."""

from collections.abc import Sequence
from pathlib import Path

from app.options import Value, checked
from app.options.adapter_stack import AdapterStack, StackedAdapter, checked_scale, stack_text
from catalog.library import Library

_NONE = "none"


def adapter_option(values: Sequence[str] | None, library: Library) -> dict[str, Value]:
    """What `-a …` sets among the options of a chat: nothing where it is left out.

    Raises as `parse_adapters` does.
    """
    if values is None:
        return {}
    stack = parse_adapters([] if list(values) == [_NONE] else values, library)
    return {"adapters": checked("adapters", stack_text(stack))}


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
