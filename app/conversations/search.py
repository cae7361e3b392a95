"""The full-text index: what it sees of a text, and of what a person types to find it.

It holds messages that are finished and the titles of conversations, by `seq`.
"""

import re
import sqlite3

# Scripts that put no spaces between words, and that the tokenizer would take for one long word:
# Thai, Lao, Burmese, Khmer, kana, Han. Each character becomes a word; a query is then a phrase.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
# The tokenizer drops symbols, and knows no emoji that is younger than itself.
_SYMBOL = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff]")


def searchable(text: str) -> str:
    """The text as it goes into the index."""
    spaced = _UNSPACED.sub(r" \g<0> ", text)
    return _SYMBOL.sub(lambda found: f" symbol{ord(found[0]):x} ", spaced)


def match_expression(query: str) -> str:
    """An FTS5 expression: every word must occur, each may be the beginning of a longer one.

    Quoted, so that no word of the person's is taken for an operator. Empty where the query has no
    word in it.
    """
    phrases = (searchable(word).strip().replace('"', '""') for word in query.split())
    return " ".join(f'"{phrase}"*' for phrase in phrases if phrase)


def index_message(connection: sqlite3.Connection, seq: int, text: str) -> None:
    """Make a message findable by this text, and by no earlier one."""
    connection.execute("DELETE FROM message_search WHERE rowid = ?", (seq,))
    connection.execute(
        "INSERT INTO message_search (rowid, text) VALUES (?, ?)", (seq, searchable(text))
    )


def index_title(connection: sqlite3.Connection, seq: int, title: str) -> None:
    """Make a conversation findable by this title, and by no earlier one."""
    connection.execute("DELETE FROM title_search WHERE rowid = ?", (seq,))
    connection.execute(
        "INSERT INTO title_search (rowid, title) VALUES (?, ?)", (seq, searchable(title))
    )
