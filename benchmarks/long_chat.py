"""Opens a long chat in a process of its own: prints times and memory as one line of JSON.

python -m benchmarks.long_chat DATABASE CONVERSATION_ID
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from PySide6.QtWidgets import QApplication

from app.conversations.store import ConversationStore
from ui.background import Background
from ui.chat.transcript import Transcript
from ui.garbage import GarbageCollector
from ui.theme import Theme

LIMIT_S = 30


def main(database: Path, conversation_id: str) -> int:
    app = QApplication([])
    theme = Theme("light")
    theme.apply(app)
    app.garbage = GarbageCollector(app)
    background = Background()
    store = ConversationStore(database)
    transcript = Transcript(theme, background)
    transcript.resize(980, 744)
    transcript.show()
    rest_until = time.perf_counter() + 1.5
    wait(app, lambda: time.perf_counter() > rest_until)
    process = psutil.Process()
    before = process.memory_info().rss
    began = time.perf_counter()
    page = store.page(conversation_id)
    transcript.show_page(page)
    wait(app, lambda: transcript.items[-1].view.last_paint_ms > 0)
    painted = time.perf_counter() - began
    wait(app, lambda: len(transcript.items) == len(page.messages))
    built = time.perf_counter() - began
    rest_until = time.perf_counter() + 1
    wait(app, lambda: time.perf_counter() > rest_until)
    result = {
        "first_paint_ms": painted * 1000,
        "all_built_ms": built * 1000,
        "memory_bytes": process.memory_info().rss - before,
        "messages_loaded": len(page.messages),
    }
    print(json.dumps(result), flush=True)
    background.finish(2000)
    store.close()
    return 0


def wait(app: QApplication, done: Callable[[], bool]) -> None:
    limit = time.perf_counter() + LIMIT_S
    while not done():
        app.processEvents()
        if time.perf_counter() > limit:
            raise TimeoutError("the window did not get there")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
