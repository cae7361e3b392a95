import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.protocol import ReasoningDelta
from backends.reasoning import REASONING_TAGS, ReasoningSplitter, opened_tag


def split(pieces: list[str], opened: str = "", *, goes_on: bool = False) -> tuple[str, str]:
    splitter = ReasoningSplitter(opened, goes_on=goes_on)
    events = [event for piece in pieces for event in splitter.feed(piece)]
    events += splitter.finish()
    assert all(event.text for event in events)
    parts = {True: "", False: ""}
    for event in events:
        parts[isinstance(event, ReasoningDelta)] += event.text
    return parts[True], parts[False]


def divided(text: str, cuts: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in itertools.pairwise(edges)]


@pytest.mark.parametrize("tags", REASONING_TAGS)
@given(cuts=st.lists(st.integers(min_value=0)))
def test_thinking_is_told_apart_however_it_arrives(tags: tuple[str, str], cuts: list[int]) -> None:
    opening, closing = tags
    text = f"\n{opening}\nFirst < this.\n{closing}\n\nThe <answer>."
    assert split(divided(text, cuts)) == ("First < this.\n", "The <answer>.")


@given(cuts=st.lists(st.integers(min_value=0)))
def test_a_tag_that_the_prompt_opened_is_only_closed(cuts: list[int]) -> None:
    assert split(divided("Hm.</think>\nYes.", cuts), "<think>") == ("Hm.", "Yes.")


@given(cuts=st.lists(st.integers(min_value=0)))
def test_a_tag_inside_of_an_answer_is_text(cuts: list[int]) -> None:
    text = "Write <think> and </think> around it."
    assert split(divided(text, cuts)) == ("", text)


@given(st.text())
def test_no_text_is_lost_but_white_space_in_front(text: str) -> None:
    thought, answer = split(list(text))
    assert len(thought) + len(answer) >= len(text.lstrip()) - len("<|START_THINKING|>") * 2
    if not text.lstrip().startswith(("<", "[")):
        assert (thought, answer) == ("", text.lstrip())


def test_thinking_that_is_never_closed_stays_thinking() -> None:
    assert split(["<think>on and on </thi"]) == ("on and on </thi", "")


def test_an_answer_that_ends_like_a_tag_is_shown() -> None:
    assert split(["<thi"]) == ("", "<thi")


def test_what_goes_on_keeps_its_white_space() -> None:
    assert split([" world <think>"], goes_on=True) == ("", " world <think>")
    assert split([" more</think> done"], "<think>", goes_on=True) == (" more", "done")


def test_finds_the_tag_that_a_prompt_leaves_open() -> None:
    assert opened_tag("<|im_start|>assistant\n<think>\n") == "<think>"
    assert opened_tag("<|im_start|>assistant\n") == ""
