"""Memory of the window's process with one chat open, against a bare PySide6 window."""

import tempfile
from pathlib import Path

import psutil

from app.conversations.records import Origin
from app.conversations.store import ConversationStore
from app.paths import paths_under
from app.settings_file import SettingsFile
from backends.protocol import Usage
from benchmarks.harness import Row, alternate, ratio
from benchmarks.window_start import next_event, window

TARGET = 2.0
ROUNDS = 5
EXCHANGES = 10
ANSWER = """## An answer of the usual kind

A paragraph with **bold** words, `code` and a [link](https://example.org).

1. First
2. Second, with a longer line that has to be wrapped somewhere before the column ends

```python
def greet(name: str) -> str:
    return f"Hello, {name}"
```
"""


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_chat(home)
        memory = alternate(
            {kind: lambda kind=kind: resident(kind, home) for kind in ("causeway", "bare")},
            rounds=ROUNDS,
        )
    value = ratio(memory["causeway"], memory["bare"])
    return [
        Row(
            "memory of the window's process, one chat open / bare PySide6 window",
            value,
            "×",
            f"≤ {TARGET} ×",
            value <= TARGET,
            {"bytes": memory},
        )
    ]


def resident(kind: str, home: Path) -> float:
    """Resident bytes once the window has come to rest."""
    with window(kind, home) as process:
        next_event(process)
        next_event(process)
        return float(psutil.Process(process.pid).memory_info().rss)


def write_chat(home: Path) -> None:
    """A chat of some exchanges, which the next start of the window shows."""
    paths = paths_under(home)
    store = ConversationStore(paths.database_file)
    conversation = store.create()
    parent = None
    for number in range(EXCHANGES):
        question = store.add_message(
            conversation.id, parent_id=parent, role="user", text=f"Question {number}?"
        )
        answer = store.add_message(
            conversation.id,
            parent_id=question.id,
            role="assistant",
            text=ANSWER,
            origin=Origin(usage=Usage(100, 0, 100)),
        )
        parent = answer.id
    store.close()
    settings = SettingsFile(paths.settings_file)
    settings.update(window={"chat": conversation.id})
