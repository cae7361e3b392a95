"""The progress of a long piece of work on a terminal; nothing where standard error is none."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.cli.output import StatusLine
from app.making import OnProgress


@contextmanager
def shown_progress(title: str) -> Iterator[OnProgress]:
    """What to tell the progress (0…1) to, inside the block."""
    line = StatusLine()

    def show(fraction: float) -> None:
        line.show(f"{title}: {fraction:.0%}")

    try:
        yield show
    finally:
        line.clear()
