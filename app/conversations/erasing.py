"""Erasing what was deleted, so that nothing of it is left in the file."""

import sqlite3

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
        f"DELETE FROM messages WHERE seq IN ({_ERASED_MESSAGES})",
        f"DELETE FROM conversations WHERE seq IN ({_ERASED_CONVERSATIONS})",
    ):
        erased += connection.execute(statement, {"before": before}).rowcount
    if erased:
        # The index only notes that a word is gone from a text, until its parts are merged.
        for index in ("message_search", "title_search"):
            connection.execute(f"INSERT INTO {index} ({index}) VALUES ('optimize')")
    return erased > 0
