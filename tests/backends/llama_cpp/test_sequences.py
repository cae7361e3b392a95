"""Sequences where the context refuses what it took before."""

from typing import cast

from backends.llama_cpp.context import Context
from backends.llama_cpp.parked import Parked, ParkedStates
from backends.llama_cpp.reading_plan import STEP_END, UNKNOWN, plan_for
from backends.llama_cpp.sequences import Sequences
from backends.protocol import Sampling

TOKENS = tuple(range(200))


class FullContext:
    """It takes a state once, and then never again."""

    can_cut = True
    n_slots = 8
    n_ctx = 1024

    def __init__(self) -> None:
        self.takes = 1

    def restore(self, slot: int, state: bytes) -> bool:
        self.takes -= 1
        return self.takes >= 0

    def state(self, slot: int) -> bytes:
        return b"state"

    def cut(self, slot: int, length: int) -> bool:
        return True

    def empty(self, slot: int) -> None:
        pass

    def clear(self, *, overwrite: bool = True) -> None:
        pass


def test_what_can_not_be_put_back_is_evaluated_again() -> None:
    """Else the model would go on after tokens that it does not have."""
    notes = bytes([UNKNOWN] * 127 + [STEP_END] + [UNKNOWN] * 72)
    parked = ParkedStates(1_000_000, can_cut=True)
    parked.add(Parked((), TOKENS, (), b"state", notes=notes))
    sequences = Sequences(cast(Context, FullContext()), parked, None)
    plan = plan_for(Sampling(seed=5), TOKENS, lambda token: False)
    assert plan is not None
    live = sequences.begin_alone((), TOKENS, (), plan)
    assert live is not None
    assert (live.tokens, live.orderly) == ([], True)
