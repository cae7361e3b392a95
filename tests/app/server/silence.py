"""Whether answers end when nobody listens any more."""

import time

from app.server.journal import Journal

_PATIENCE_SECONDS = 5.0


def falls_silent(journal: Journal) -> bool:
    """Whether every answer ends soon, though its script goes on for much longer."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any(row.runs for row in journal.rows()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
