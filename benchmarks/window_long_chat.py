"""Opening a conversation of 10,000 messages: time to the first paint, memory added."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from app.conversations.records import Origin
from app.conversations.store import ConversationStore
from backends.protocol import Timings, Usage
from benchmarks.harness import Row

MESSAGES = 10_000
ROUNDS = 5
PAINT_TARGET_MS = 200
MEMORY_TARGET = 60_000_000
QUESTION = "And what about station {n}? The readings of last week look odd to me."
ANSWER = """## Station {n}

The **tide** moved the salt by `{n}` metres, and $h_{k}$ metres of it stayed. Three things matter:

1. The wind, which blew from the *west* for most of the week
2. The gauge at pier {n}, which had not been calibrated since spring
3. Rounding

```python
def mean(station: int, hours: list[float]) -> float:
    \"\"\"The mean of the readings of a station.\"\"\"
    return sum(hours) / len(hours) + {n}
```

So I would read the gauge again before changing the model.
"""


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "conversations.db"
        conversation = write_chat(database)
        rounds = [opened(database, conversation) for _ in range(ROUNDS)]
    paint = statistics.median(each["first_paint_ms"] for each in rounds)
    memory = statistics.median(each["memory_bytes"] for each in rounds)
    detail: dict[str, object] = {"rounds": rounds}
    what = f"opening a chat of {MESSAGES:,} messages"
    return [
        Row(
            f"{what}: to first paint",
            paint,
            "ms",
            f"≤ {PAINT_TARGET_MS} ms",
            paint <= PAINT_TARGET_MS,
            detail,
        ),
        Row(
            f"{what}: memory added",
            memory / 1e6,
            "MB",
            f"≤ {MEMORY_TARGET / 1e6:.0f} MB",
            memory <= MEMORY_TARGET,
            detail,
        ),
    ]


def write_chat(database: Path) -> str:
    """A stored conversation of questions and answers; returns its id."""
    store = ConversationStore(database)
    origin = Origin(
        model_name="SmolLM2 135M",
        usage=Usage(900, 800, 180),
        timings=Timings(100, 120, 6000, 31.4),
    )
    conversation = store.create()
    parent = None
    for number in range(MESSAGES // 2):
        question = store.add_message(
            conversation.id, parent_id=parent, role="user", text=QUESTION.format(n=number)
        )
        answer = store.add_message(
            conversation.id,
            parent_id=question.id,
            role="assistant",
            text=ANSWER.format(n=number, k=number % 40),
            origin=origin,
        )
        parent = answer.id
    store.close()
    return conversation.id


def opened(database: Path, conversation_id: str) -> dict[str, float]:
    """The chat, opened in a process of its own."""
    env = os.environ.copy()
    env.setdefault("QT_QPA_PLATFORM", "offscreen")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.long_chat", str(database), conversation_id],
        env=env,
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout)
