"""The texts that end an answer."""

from collections.abc import Sequence

from backends.reasoning import partial_match


class StopStrings:
    """Cuts a streamed text at the first of some strings, wherever its pieces are divided.

    `found` is the one that it was cut at.
    """

    def __init__(self, strings: Sequence[str]) -> None:
        self._strings = [string for string in strings if string]
        self._held = ""
        self.found = ""

    def feed(self, text: str) -> str:
        """What can be shown: all that is neither past a stop string nor perhaps the start of one."""
        if not self._strings:
            return text
        self._held += text
        hits = [(self._held.find(string), string) for string in self._strings]
        start, found = min((hit for hit in hits if hit[0] >= 0), default=(0, ""))
        if found:
            self.found = found
            shown, self._held = self._held[:start], ""
            return shown
        held = max(partial_match(self._held, string) for string in self._strings)
        return self._take(len(self._held) - held)

    def finish(self) -> str:
        return self._take(len(self._held))

    def _take(self, length: int) -> str:
        taken, self._held = self._held[:length], self._held[length:]
        return taken
