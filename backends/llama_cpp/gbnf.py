"""Whether llama.cpp's grammar engine can work with a grammar."""

from backends.errors import BadGrammar


def check_gbnf(text: str) -> None:
    """Raises BadGrammar."""
    if not text.strip():
        raise BadGrammar("The grammar is empty.")
