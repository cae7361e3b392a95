"""Guessing what comes next from what was written: only what was, and only while it pays."""

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from backends.llama_cpp.lookup import LONGEST_DRAFT, PromptLookup

PLAIN, CHECKED = 1.0, 0.6
"""Seconds of a step, and what each guessed token adds."""


def knowing(tokens: Sequence[int]) -> PromptLookup:
    """One that knows how long a step takes."""
    lookup = PromptLookup(tokens)
    for _ in range(10):
        lookup.note(0, 0, PLAIN)
    return lookup


def write(lookup: PromptLookup, answer: Sequence[int]) -> float:
    """The seconds that an answer takes."""
    seconds = 0.0
    written = 0
    while written < len(answer):
        draft = lookup.draft(len(answer) - written - 1)
        accepted = 0
        while accepted < len(draft) and draft[accepted] == answer[written + accepted]:
            accepted += 1
        for token in answer[written : written + accepted + 1]:
            lookup.feed(token)
        written += accepted + 1
        step = PLAIN + CHECKED * len(draft)
        lookup.note(len(draft), accepted, step)
        seconds += step
    return seconds


def test_what_followed_last_time_is_guessed() -> None:
    lookup = knowing([1, 2, 3, 4, 5, 6, 7, 8, 9, 99, 1, 2, 3, 4, 5])
    assert list(lookup.draft()) == [6, 7, 8, 9]


def test_the_latest_occurrence_counts() -> None:
    lookup = knowing([1, 2, 3, 4, 5, 6, 99, 1, 2, 3, 4, 5, 7, 98, 1, 2, 3, 4, 5])
    assert lookup.draft()[0] == 7


def test_nothing_is_guessed_from_nothing() -> None:
    assert not knowing([]).draft()
    assert not knowing([1, 2]).draft()
    assert not knowing(list(range(100))).draft()
    assert not PromptLookup([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5]).draft()


def test_copying_is_quicker() -> None:
    code = random.Random(1).sample(range(1000), 300)
    assert write(knowing(code), code) < 0.75 * len(code) * PLAIN


def test_guesses_that_go_wrong_cost_little() -> None:
    # Short phrases come again all the time, each time with something else after them.
    rng = random.Random(2)
    answer = []
    for _ in range(60):
        answer += [1, 2, 3, 4, 5, 6, rng.randrange(10, 1000)]
    assert write(knowing(answer), answer) <= 1.05 * len(answer) * PLAIN


def test_after_a_bad_time_it_is_tried_again() -> None:
    code = random.Random(3).sample(range(1000, 2000), 200)
    lookup = knowing(code)
    for _ in range(3):
        lookup.note(LONGEST_DRAFT, 0, 9.0)
    assert not lookup.draft()
    write(lookup, [random.Random(i).randrange(1000) for i in range(1500)])
    assert write(lookup, code) < len(code) * PLAIN


@given(
    tokens=st.lists(st.integers(0, 3), max_size=60),
    most=st.integers(-1, 20),
    notes=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.floats(0, 1e6))),
)
def test_a_guess_is_something_that_was_written(
    tokens: list[int], most: int, notes: list[tuple[int, int, float]]
) -> None:
    lookup = knowing(tokens)
    for drafted, accepted, seconds in notes:
        lookup.note(drafted, min(drafted, accepted), seconds)
    draft = list(lookup.draft(most))
    assert len(draft) <= max(0, min(most, LONGEST_DRAFT))
    assert not draft or any(
        tokens[i : i + len(draft)] == draft for i in range(len(tokens) - len(draft) + 1)
    )
