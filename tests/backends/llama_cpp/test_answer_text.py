import itertools

from hypothesis import given
from hypothesis import strategies as st

from backends.llama_cpp.answer_text import AnswerText
from backends.reasoning import ReasoningSplitter
from backends.stop_strings import StopStrings


def answer(data: bytes, cuts: list[int], *stop: str) -> AnswerText:
    text = AnswerText(ReasoningSplitter(), stop)
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        list(text.feed(data[start:end]))
        if text.stopped:
            break
    list(text.finish())
    return text


@given(st.text(), st.lists(st.integers(min_value=0)))
def test_text_survives_any_division_into_bytes(content: str, cuts: list[int]) -> None:
    content = "x" + content
    assert answer(content.encode(), cuts).text == content


@given(st.lists(st.integers(min_value=0)))
def test_a_stop_string_cuts_wherever_the_text_is_divided(cuts: list[int]) -> None:
    text = answer("Hello ✨ STOP and more STOP".encode(), cuts, "STOP", "never")
    assert (text.text, text.stopped) == ("Hello ✨ ", True)


@given(st.lists(st.integers(min_value=0)))
def test_the_beginning_of_a_stop_string_is_shown_when_it_is_none(cuts: list[int]) -> None:
    text = answer(b"Hello STO", cuts, "STOP")
    assert (text.text, text.stopped) == ("Hello STO", False)


def test_a_character_cut_in_two_by_the_end_is_dropped() -> None:
    assert answer("good ✨".encode()[:-1], []).text == "good "


def test_the_earliest_of_several_stop_strings_wins() -> None:
    stop = StopStrings(["world", "lo"])
    assert stop.feed("hello world") == "hel"
    assert stop.found


def test_an_empty_stop_string_stops_nothing() -> None:
    stop = StopStrings([""])
    assert stop.feed("hello") == "hello"
    assert not stop.found
