from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.turns import TurnEvent, Waiting
from backends.protocol import PromptProgress, ReasoningDelta, TextDelta
from ui.chat.running_turn import merged

EVENTS = st.one_of(
    st.text(max_size=4).map(TextDelta),
    st.text(max_size=4).map(ReasoningDelta),
    st.just(Waiting()),
    st.builds(PromptProgress, done=st.just(1), total=st.just(2), cached=st.just(0)),
)


def text_of(events: list[TurnEvent], kind: type) -> str:
    return "".join(event.text for event in events if isinstance(event, kind))


@given(st.lists(EVENTS, max_size=30))
def test_merging_loses_nothing_and_leaves_no_neighbours(events: list[TurnEvent]) -> None:
    result = list(merged(events))
    for kind in (TextDelta, ReasoningDelta):
        assert text_of(result, kind) == text_of(events, kind)
    others = [event for event in events if not isinstance(event, TextDelta | ReasoningDelta)]
    assert [e for e in result if not isinstance(e, TextDelta | ReasoningDelta)] == others
    for one, other in pairwise(result):
        assert not (isinstance(one, TextDelta) and isinstance(other, TextDelta))
        assert not (isinstance(one, ReasoningDelta) and isinstance(other, ReasoningDelta))
