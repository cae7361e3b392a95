"""An answer as it streams: its text on standard output, all else on standard error."""

import sys

from app.cli.output import StatusLine, say, terminal_safe
from app.turns import ModelLoading, TurnEvent, Waiting
from backends.protocol import PromptProgress, ReasoningDelta, TextDelta, Warned

_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


class AnswerScreen:
    """Shows the events of a turn. With `quiet` the text is left out, for `--json`.

    Thinking is shown, dimmed, only where standard error is a terminal.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._status = StatusLine()
        self._to_terminal = sys.stdout.isatty()
        self._thinks_aloud = sys.stderr.isatty() and not quiet
        self._in_line = False

    def show(self, event: TurnEvent) -> None:
        match event:
            case Waiting():
                self._status.show("Another answer is being written first …")
            case ModelLoading(name, fraction):
                self._status.show(f"Loading {name} … {fraction:.0%}")
            case PromptProgress(done, total):
                self._status.show(f"Reading … {done / max(total, 1):.0%}")
            case ReasoningDelta(text) if self._thinks_aloud:
                self._status.clear()
                print(f"{_DIM}{terminal_safe(text)}{_PLAIN}", end="", file=sys.stderr, flush=True)
            case TextDelta(text) if not self._quiet:
                self._status.clear()
                print(terminal_safe(text) if self._to_terminal else text, end="", flush=True)
                self._in_line = True
            case Warned(text):
                self.end()
                say(text)

    def end(self) -> None:
        """Leave the line that is being written."""
        self._status.clear()
        if self._in_line:
            print(flush=True)
            self._in_line = False
