"""Erasing what was deleted, so that nothing of it is left in the file."""

import sqlite3

_PAGES_IN_A_STEP = 200

_ERASED_CONVERSATIONS = "SELECT seq FROM conversations WHERE deleted_at < :before"
_ERASED_MESSAGES = f"""
    SELECT seq FROM messages
    WHERE (deleted_by IS NOT NULL AND deleted_at < :before)
       OR conversation_seq IN ({_ERASED_CONVERSATIONS})
"""


def erase_deleted(connection: sqlite3.Connection, before: float) -> bool:
    """Erase what was deleted before that moment (Unix seconds); says whether there was anything.

    What hangs on a deleted message was deleted with it or earlier, so no survivor loses its parent.
    """
    erased = 0
    for statement in (
        f"DELETE FROM message_search WHERE rowid IN ({_ERASED_MESSAGES})",
        f"DELETE FROM title_search WHERE rowid IN ({_ERASED_CONVERSATIONS})",
        f"DELETE FROM token_logprobs WHERE message_seq IN ({_ERASED_MESSAGES})",
        f"DELETE FROM messages WHERE seq IN ({_ERASED_MESSAGES})",
        f"DELETE FROM conversations WHERE seq IN ({_ERASED_CONVERSATIONS})",
    ):
        erased += connection.execute(statement, {"before": before}).rowcount
    return erased > 0


def merge_index(connection: sqlite3.Connection, *, begin: bool) -> bool:
    """Take a step in erasing words from the index; says whether there is more to do.

    The index only notes that a word is gone from a text, until its parts are merged into one. For
    years of chats that takes a second; in steps, nobody has to wait so long for their transaction.
    """
    before = connection.total_changes
    pages = -_PAGES_IN_A_STEP if begin else _PAGES_IN_A_STEP
    for index in ("message_search", "title_search"):
        connection.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('merge', ?)", (pages,))
    return connection.total_changes - before > 2  # each INSERT counts as a change itself
