"""How much of a context a chat uses: what is known, what is being typed, what is being written."""

_BYTES_A_TOKEN = 4
"""About as many as a token has in most languages, in UTF-8."""


def estimated_tokens(text: str) -> int:
    """Tokens that a text comes to, roughly and at once; none for white space."""
    data = text.strip().encode("utf-8", "replace")
    return -(-len(data) // _BYTES_A_TOKEN)


class ContextUse:
    """The tokens of a chat and of the draft below it.

    The draft counts by an estimate, or, as soon as one is known, by its difference from the newest
    exact count.
    """

    def __init__(self) -> None:
        self._base = 0
        self._drafted = 0
        self._exact: tuple[int, int] | None = None
        self._running = 0

    @property
    def tokens(self) -> int:
        if self._running:
            return self._running + self._drafted
        if not self._drafted or self._exact is None:
            return self._base + self._drafted
        drafted, tokens = self._exact
        return max(tokens + self._drafted - drafted, 0)

    def know(self, tokens: int) -> None:
        """What the chat came to when its newest answer had ended; 0 where there is none."""
        if tokens != self._base:
            self._base = tokens
            self._exact = None

    def draft(self, text: str) -> None:
        """What stands in the field."""
        self._drafted = estimated_tokens(text)

    def count_exactly(self, draft: str, tokens: int) -> None:
        """The chat and this draft come to so many tokens, as the model counts."""
        self._exact = (estimated_tokens(draft), tokens)

    def run(self, tokens: int) -> None:
        """Tokens of the prompt and the answer that is being made; 0 where none is."""
        self._running = tokens
