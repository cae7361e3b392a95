"""Markdown that arrives in pieces: what is settled is never parsed again."""

from ui.messages.blocks import Block
from ui.messages.markdown import Resume, parse
from ui.messages.untrusted import clean


class GrowingMarkdown:
    """The blocks of a text that grows at its end.

    Attributes:
        blocks: What the text says so far; after every `feed` the same as a parse of all of it.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._settled = 0
        self._tail = ""
        self._resume: Resume = None
        self._ended_on_return = False

    def feed(self, text: str) -> int:
        """Add a piece; returns the index of the first block that is new or has changed."""
        self._tail += clean(self._with_plain_breaks(text))
        parsed = parse(self._tail, self._resume)
        before = self.blocks[self._settled :]
        same = 0
        while same < min(len(before), len(parsed.blocks)) and before[same] == parsed.blocks[same]:
            same += 1
        first_changed = self._settled + same
        self.blocks[first_changed:] = parsed.blocks[same:]
        complete = self._tail.count("\n")
        firm = [seam for seam in parsed.seams if seam.firm <= complete]
        if firm:
            seam = firm[-1]
            self._settled += seam.blocks
            self._resume = seam.resume
            self._tail = self._tail[_start_of_line(self._tail, seam.line) :]
        return first_changed

    def _with_plain_breaks(self, text: str) -> str:
        """Line feeds for all line ends, also where a piece ends between `\\r` and `\\n`."""
        if not text:
            return ""
        ended_on_return, self._ended_on_return = self._ended_on_return, text.endswith("\r")
        if ended_on_return:
            text = text.removeprefix("\n")
        return text.replace("\r\n", "\n").replace("\r", "\n")


def _start_of_line(text: str, line: int) -> int:
    position = 0
    for _ in range(line):
        position = text.index("\n", position) + 1
    return position
