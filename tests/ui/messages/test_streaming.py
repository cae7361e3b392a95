"""Text that streams into a view ends as if it had been there at once."""

import random

import pytest

from tests.ui.messages.test_view import EVERYTHING
from ui.messages.streaming import BUSY_SHARE, StreamingText
from ui.messages.view import MessageView


def stream(view, text: str, seed: int) -> None:
    """Feed the text in random pieces, shown at random times."""
    chance = random.Random(seed)
    streaming = StreamingText(view, 10_000, view)
    position = 0
    while position < len(text):
        size = chance.randint(1, 12)
        streaming.add(text[position : position + size])
        position += size
        if chance.random() < 0.5:
            streaming.flush()
    streaming.flush()
    assert streaming.text == text


@pytest.mark.parametrize("seed", range(8))
def test_the_final_picture_is_that_of_the_whole_text(view, theme, formulas, qtbot, seed):
    text = EVERYTHING + "\n\nThen\n" + EVERYTHING
    whole = MessageView(theme, formulas)
    qtbot.addWidget(whole)
    whole.show_text(text)
    stream(view, text, seed)
    assert view.fit(640) == whole.fit(640)
    assert view.toHtml() == whole.toHtml()
    assert view.grab().toImage() == whole.grab().toImage()
    assert view.markdown == text


def test_pieces_are_shown_together_after_the_interval(view, qtbot):
    streaming = StreamingText(view, 20, view)
    streaming.add("a ")
    streaming.add("b")
    assert view.toPlainText() == ""
    qtbot.waitUntil(lambda: view.toPlainText() == "a b", timeout=2000)


def test_a_costly_flush_makes_the_next_one_wait(view, monkeypatch):
    streaming = StreamingText(view, 20, view)
    ticks = iter([0.0, 0.25])
    monkeypatch.setattr("ui.messages.streaming.perf_counter", lambda: next(ticks))
    streaming.add("a")
    streaming.flush()
    assert streaming._timer.interval() >= int(250 / BUSY_SHARE)
