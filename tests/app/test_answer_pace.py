"""How fast a prompt is read and an answer written."""

import pytest

from app.answer_pace import Pace, PaceMaker
from backends.protocol import PromptProgress, ReasoningDelta, TextDelta, Warned


def test_reading_has_a_speed_of_its_own_and_an_end() -> None:
    maker = PaceMaker()
    assert maker.note(PromptProgress(100, 1100, 100), 10.0) == Pace("reading", 1100)
    assert maker.note(PromptProgress(600, 1100, 100), 12.0) == Pace("reading", 1100, 250.0, 2.0)
    assert maker.note(PromptProgress(1100, 1100, 100), 14.0) == Pace("reading", 1100, 250.0)


def test_writing_has_another_and_counts_what_is_written() -> None:
    maker = PaceMaker()
    maker.note(PromptProgress(0, 50, 0), 0.0)
    maker.note(PromptProgress(50, 50, 0), 1.0)
    assert maker.note(ReasoningDelta("Hm"), 1.5) == Pace("writing", 51)
    assert maker.note(TextDelta("So"), 2.5) == Pace("writing", 52, 1.0)
    assert maker.note(TextDelta("."), 3.5) == Pace("writing", 53, 1.0)


def test_a_moment_is_no_measure() -> None:
    maker = PaceMaker()
    maker.note(TextDelta("a"), 0.0)
    assert maker.note(TextDelta("b"), 1e-9) == Pace("writing", 2)


def test_other_events_tell_nothing() -> None:
    assert PaceMaker().note(Warned("Careful."), 0.0) is None


@pytest.mark.parametrize("done", [0, 100])
def test_a_prompt_that_was_known_is_not_said_to_be_read_fast(done: int) -> None:
    """What was in memory already was not read."""
    maker = PaceMaker()
    maker.note(PromptProgress(done, 100, done), 0.0)
    pace = maker.note(PromptProgress(100, 100, done), 10.0)
    assert pace is not None
    assert pace.speed == pytest.approx((100 - done) / 10)
