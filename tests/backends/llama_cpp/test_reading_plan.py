"""The steps in which a prompt is read depend on its tokens alone."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backends.llama_cpp.prefix import common_length
from backends.llama_cpp.reading_plan import GENERATED, UNKNOWN, ReadingPlan, plan_for
from backends.protocol import Sampling

END = 0
"""The token that ends a message."""

prompts = st.lists(st.sampled_from([END, *range(1, 40)]), min_size=1, max_size=600)


def plan_of(tokens: Sequence[int], *, only_read: bool = False) -> ReadingPlan:
    return ReadingPlan(tokens, lambda token: token == END, only_read=only_read)


def steps(plan: ReadingPlan, start: int = 0) -> list[int]:
    """Where the steps end, from that place on."""
    ends: list[int] = []
    while (end := plan.step_end(start)) > start:
        ends.append(end)
        start = end
    return ends


def notes_of(tokens: Sequence[int], generated: int = 0) -> bytearray:
    """What is noted of a prompt that was read by plan, and of an answer to it."""
    plan = plan_of(tokens)
    notes = bytearray([UNKNOWN] * len(tokens))
    for start, end in pairwise([0, *steps(plan)]):
        notes[end - 1] = plan.note(start, end)
    return notes + bytes([GENERATED] * generated)


@given(prompts)
def test_a_prompt_is_read_to_its_end_and_the_last_token_alone(tokens: list[int]) -> None:
    ends = steps(plan_of(tokens))
    assert ends[-1] == len(tokens)
    assert max(end - start for start, end in zip([0, *ends], ends, strict=False)) <= 128
    assert len(tokens) == 1 or ends[-2] == len(tokens) - 1


@given(prompts, prompts, prompts)
@example([END], [END], [END, END])
def test_what_is_known_of_another_prompt_was_read_in_the_same_steps(
    beginning: list[int], one: list[int], other: list[int]
) -> None:
    known, wanted = beginning + one, beginning + other
    common = common_length(known, wanted, len(wanted) - 1)
    usable = plan_of(wanted).usable(notes_of(known), common)
    assert usable <= common
    assert steps(plan_of(wanted))[: len([e for e in steps(plan_of(known)) if e <= usable])] == [
        end for end in steps(plan_of(known)) if end <= usable
    ]


@given(prompts)
def test_an_equal_prompt_is_known_but_for_its_last_token(tokens: list[int]) -> None:
    notes = notes_of(tokens, generated=3)
    for only_read in (False, True):
        plan = plan_of(tokens, only_read=only_read)
        assert plan.usable(notes, len(tokens) - 1) == len(tokens) - 1


@given(prompts, prompts)
def test_an_answer_that_comes_back_counts_unless_all_must_be_read(
    tokens: list[int], question: list[int]
) -> None:
    answer = [50] * 20
    notes = notes_of(tokens, len(answer))
    wanted = [*tokens, *answer, *question]
    length = len(tokens) + len(answer) - (0 if len(question) > 1 else 1)
    assert plan_of(wanted).usable(notes, length) == length
    assert plan_of(wanted, only_read=True).usable(notes, length) < len(tokens)


def test_what_was_read_without_a_plan_does_not_count() -> None:
    tokens = list(range(1, 300))
    assert plan_of(tokens).usable(bytes([UNKNOWN] * 299), 298) == 0


@pytest.mark.parametrize(
    ("sampling", "has_plan"),
    [
        (Sampling(temperature=1), False),
        (Sampling(temperature=1, seed=0), True),
        (Sampling(temperature=0), True),
    ],
)
def test_only_an_answer_that_is_not_left_to_chance_has_a_plan(
    sampling: Sampling, has_plan: bool
) -> None:
    assert (plan_for(sampling, [1, 2], lambda token: False) is not None) == has_plan
