"""The streaming window, in a process of its own: prints what it cost as one line of JSON.

python -m benchmarks.streamed_answer SHAPE TOKENS TOKENS_PER_SECOND
"""

import json
import sys
import time
from collections.abc import Iterator
from itertools import cycle, islice

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from app.conversations.records import Message, Page
from app.turns import TurnEnded
from backends.protocol import TextDelta
from ui.background import Background
from ui.chat.running_turn import RunningTurn
from ui.chat.transcript import Transcript
from ui.garbage import GarbageCollector
from ui.theme import Theme

BEAT_MS = 10
SENTENCE = "The **tide** comes in twice a day, and `salt` moves {n} metres with it; see [why](https://example.org). "
CODE = "    depth[{n}] = measure(station, hour={n})  # metres above datum\n"
BLOCKS = (
    "## Part {n}\n\n",
    SENTENCE * 3 + "\n\n",
    "- **Ebb {n}**, when it falls\n- **Flood {n}**, when it rises\n- Slack, for $t_{n}$ minutes\n\n",
    "```python\ndef part_{n}(depth, station):\n" + CODE * 8 + "    return depth\n```\n\n",
    "The mean is $h_{n} = a + b_{n}$ there.\n\n",
    "| Station | Depth | Hour |\n|---|--:|--:|\n" + "| Pier {n} | 3.2 | 12 |\n" * 5 + "\n",
    "> A quote, number {n}, that goes on for a line or two so that it has to wrap somewhere.\n\n",
)
SHAPES = {
    "mixed": BLOCKS,
    "prose": (SENTENCE * 4 + "\n\n",),
    "one paragraph": (SENTENCE,),
    "one list": ("- " + SENTENCE + "\n",),
    "one code block": (CODE,),
    "one table": ("| Pier {n} | **3.2** | `12` | somewhere |\n",),
}
STARTS = {
    "one code block": "```python\n",
    "one table": "| Station | Depth | Hour | Where |\n|---|--:|--:|---|\n",
}


def tokens(shape: str, count: int) -> Iterator[str]:
    """Pieces of about four characters, as many as asked for."""

    def letters() -> Iterator[str]:
        yield from STARTS.get(shape, "")
        for number, block in enumerate(cycle(SHAPES[shape])):
            yield from block.replace("{n}", str(number))

    source = letters()
    for _ in range(count):
        yield "".join(islice(source, 4))


class StreamedTurn:
    """Stands for a turn: says its tokens at an even pace, on the thread that asks for them."""

    def __init__(self, shape: str, count: int, per_second: float) -> None:
        self.conversation_id = "chat"
        self.question = None
        self.answer = message("answer", "assistant", "")
        self._tokens = list(tokens(shape, count))
        self._per_second = per_second

    def events(self) -> Iterator[TextDelta | TurnEnded]:
        began = time.perf_counter()
        for number, token in enumerate(self._tokens):
            time.sleep(max(0, began + number / self._per_second - time.perf_counter()))
            yield TextDelta(token)
        text = "".join(self._tokens)
        yield TurnEnded(message("answer", "assistant", text, status="complete"), None)

    def stop(self) -> None:
        """Runs to its end."""


class Heartbeat:
    """A timer on the main thread: as late as it is, so long could a key press have waited."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.late_ms.append(max(0.0, (now - self._last) * 1000 - BEAT_MS))
        self._last = now


def message(id_: str, role: str, text: str, status: str = "streaming") -> Message:
    return Message(
        id=id_,
        conversation_id="chat",
        parent_id=None,
        role=role,
        text=text,
        created=0,
        status=status if role == "assistant" else "complete",
    )


def main(shape: str, count: int, per_second: float) -> int:
    app = QApplication([])
    theme = Theme("light")
    theme.apply(app)
    app.garbage = GarbageCollector(app)
    background = Background()
    transcript = Transcript(theme, background)
    transcript.resize(980, 744)
    question = message("question", "user", "How do the tides work? Tell me everything.")
    transcript.show_page(Page(messages=(question,), has_earlier=False))
    transcript.show()
    turn = RunningTurn(background, StreamedTurn(shape, count, per_second))
    transcript.begin_answer(turn.turn.answer)

    def tell(conversation_id: str, event: TextDelta) -> None:
        transcript.add_text(event.text)

    def end(conversation_id: str, last: TurnEnded) -> None:
        transcript.finish_answer(last.message)
        QTimer.singleShot(200, app, app.quit)

    turn.happened.connect(tell)
    turn.ended.connect(end)
    heartbeat: list[Heartbeat] = []
    began: list[float] = []

    def start() -> None:
        heartbeat.append(Heartbeat())
        began.extend((time.perf_counter(), time.thread_time()))
        turn.start()

    # By then the window has come to rest.
    QTimer.singleShot(1500, app, start)
    app.exec()
    wall, processor = time.perf_counter() - began[0], time.thread_time() - began[1]
    heartbeat[0].stop()
    late = sorted(heartbeat[0].late_ms)
    result = {
        "busy": processor / wall,
        "longest_stall_ms": late[-1],
        "stalls_ms": [round(each) for each in late[-5:]],
        "stall_p99_ms": late[int(0.99 * len(late))],
        "seconds": wall,
    }
    print(json.dumps(result), flush=True)
    background.finish(2000)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
