"""How the command line writes: tables and colour on a terminal, plain lines in a pipe, JSON on demand."""

import json
import shutil
import sys
from collections.abc import Sequence

import msgspec

_CONTROLS = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


def terminal_safe(text: str) -> str:
    """The text without control characters: a model must not steer the person's terminal."""
    return text.translate(_CONTROLS)


def say(text: str) -> None:
    """A line for the person, beside the output proper."""
    print(terminal_safe(text), file=sys.stderr, flush=True)


def print_json(value: object) -> None:
    # Not msgspec's own encoder, which refuses the name of a file that is no valid UTF-8.
    print(json.dumps(msgspec.to_builtins(value, enc_hook=str), ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal; in a pipe, tab-separated lines without a heading."""
    cells = [[" ".join(terminal_safe(cell).split()) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for line in cells:
            print("\t".join(line))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    for line in cells:
        table.add_row(*(Text(cell) for cell in line))
    Console().print(table)


class StatusLine:
    """One line on standard error that is written over; nothing where that is no terminal."""

    def __init__(self) -> None:
        self._shown = 0

    def show(self, text: str) -> None:
        if sys.stderr.isatty():
            # A line that wraps could not be written over.
            text = terminal_safe(text)[: shutil.get_terminal_size().columns - 1]
            print(f"\r{text:<{self._shown}}", end="", file=sys.stderr, flush=True)
            self._shown = len(text)

    def clear(self) -> None:
        if self._shown:
            print(f"\r{'':<{self._shown}}\r", end="", file=sys.stderr, flush=True)
            self._shown = 0
