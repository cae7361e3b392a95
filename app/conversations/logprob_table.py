"""How sure the model was of each token of an answer, where that was asked for."""

import sqlite3
from collections.abc import Sequence

import msgspec

from backends.protocol import TokenLogprob

TOKENS = tuple[TokenLogprob, ...]


def save_logprobs(
    connection: sqlite3.Connection, message_seq: int, tokens: Sequence[TokenLogprob]
) -> None:
    """Keep those of an answer in place of earlier ones."""
    connection.execute(
        "INSERT OR REPLACE INTO token_logprobs (message_seq, tokens) VALUES (?, ?)",
        (message_seq, msgspec.msgpack.encode(tuple(tokens))),
    )


def logprobs_of(connection: sqlite3.Connection, message_seq: int) -> tuple[TokenLogprob, ...]:
    """Empty where none are stored, or what is stored can't be read."""
    row = connection.execute(
        "SELECT tokens FROM token_logprobs WHERE message_seq = ?", (message_seq,)
    ).fetchone()
    try:
        return msgspec.msgpack.decode(row["tokens"], type=TOKENS) if row else ()
    except (ValueError, RecursionError):
        return ()
