"""JSON schemas as grammars."""

from backends.errors import BadGrammar


def gbnf_of_schema(text: str) -> str:
    """Raises BadGrammar."""
    raise BadGrammar("The schema can’t be used.", text)
