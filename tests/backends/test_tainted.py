"""Text that remembers which of its characters came from outside."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.tainted import (
    Tainted,
    answers_in,
    as_json_texts,
    as_tainted,
    plain,
    raw,
    taint,
    taint_answer,
)

TEXTS = st.text(st.sampled_from('ab <>|\n\t"\\é\u00df\U0001f389\U000f0001'), max_size=12)


@pytest.mark.parametrize("how", [taint, taint_answer])
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cn"])))
def test_nothing_is_lost_and_nothing_of_the_basic_plane_stays(how, text: str) -> None:
    tainted = how(text)
    assert plain(tainted) == text
    assert not any(char < "\U00010000" for char in raw(tainted))
    assert how(tainted) is tainted


@given(text=st.text())
def test_any_text_can_be_tainted(text: str) -> None:
    assert len(taint(text)) == len(taint_answer(text)) == len(text)
    assert not any(char < "\U00010000" for char in raw(taint(text)))


def mixed(own: str, given_text: str, said: str) -> Tainted:
    return as_tainted(own + raw(taint(given_text)) + own + raw(taint_answer(said)))


@given(own=TEXTS, text=TEXTS, said=TEXTS, other=TEXTS)
def test_it_does_what_the_plain_text_does(own: str, text: str, said: str, other: str) -> None:
    tainted, read = mixed(own, text, said), own + text + own + said
    for asked in (other, taint(other), text, taint_answer(said)):
        word = plain(asked)
        assert (asked in tainted) == (word in read)
        assert (tainted == asked) == (read == word)
        assert tainted.startswith(asked) == read.startswith(word)
        assert tainted.endswith((asked, "x")) == read.endswith((word, "x"))
        assert tainted.find(asked) == read.find(word)
        assert tainted.count(asked) == read.count(word)
        assert plain(tainted.removeprefix(asked)) == read.removeprefix(word)
        assert plain(tainted.removesuffix(asked)) == read.removesuffix(word)
        assert plain(tainted.replace(asked, other)) == read.replace(word, other)
        assert plain(tainted.strip(asked)) == read.strip(word)
        if word:
            assert tainted.split(asked) == read.split(word)
            assert tainted.rsplit(asked, 1) == read.rsplit(word, 1)
            assert tainted.partition(asked) == read.partition(word)
            assert tainted.rpartition(asked) == read.rpartition(word)
    assert hash(tainted) == hash(read)
    assert {read: 1}[tainted] == 1
    assert tainted.split() == read.split()
    assert tainted.splitlines() == read.splitlines()
    assert tainted.splitlines(keepends=True) == read.splitlines(keepends=True)
    assert list(tainted) == list(read)
    assert tainted[1:-1] == read[1:-1]
    for method in ("strip", "lstrip", "rstrip", "upper", "lower", "title", "capitalize"):
        assert plain(getattr(tainted, method)()) == getattr(read, method)()
    assert plain(as_tainted(repr(tainted))) == repr(read)
    for ensure_ascii in (True, False):
        texts = as_json_texts({tainted: [tainted]}, ensure_ascii=ensure_ascii)
        written = json.dumps(texts, ensure_ascii=False)
        assert plain(as_tainted(written)) == json.dumps({read: [read]}, ensure_ascii=ensure_ascii)


@given(own=TEXTS, text=TEXTS, other=TEXTS)
def test_what_is_tainted_stays_so(own: str, text: str, other: str) -> None:
    """No part of it is found in what became of it."""
    tainted = taint(text)
    for made in (
        tainted.upper(),
        tainted.title(),
        tainted.strip(),
        *tainted.split(),
        *tainted.splitlines(),
        tainted.replace(other, taint("x")),
        as_tainted(own + tainted)[len(own) :],
        as_tainted(repr(tainted)),
    ):
        assert not any(char < "\U00010000" for char in raw(made))


def test_answers_are_found_between_other_texts() -> None:
    text = mixed("a", "bb", "c\U0001f389c")
    assert [raw(text)[slice(*span)] for span in answers_in(raw(text))] == [
        raw(taint_answer("c\U0001f389c"))
    ]
