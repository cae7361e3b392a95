import pytest

from backends.errors import EngineCrashed
from backends.protocol import ChatRequest, LoadOptions, Message, ReasoningDelta, TextDelta
from backends.testing import HELLO, BackendContract, last, text_of
from tests.scripted_backend import Script, ScriptedBackend


class TestContract(BackendContract):
    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls) -> ScriptedBackend:
        return ScriptedBackend(Script(tokens=tuple("word " for _ in range(400)), delay=0.001))

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls) -> str:
        return "scripted"

    @pytest.fixture
    def long_request(self) -> ChatRequest:
        return ChatRequest(messages=(Message(role="user", content="Talk"),))


def test_crashes_and_hangs_where_the_script_says() -> None:
    backend = ScriptedBackend(Script(reasoning=("hm",), crash_at=2))
    session = backend.open("scripted", LoadOptions(), lambda _: True)
    stream = session.chat(HELLO)
    received = []
    with pytest.raises(EngineCrashed):
        received.extend(iter(lambda: next(stream), None))
    assert not session.alive

    backend.script = Script(hang_at=1)
    session = backend.open("scripted", LoadOptions(), lambda _: True)
    stream = session.chat(HELLO)
    events = []
    for event in stream:
        events.append(event)
        if isinstance(event, TextDelta):
            stream.close()
    assert text_of(events) == "Hello"
    assert last(events).reason == "cancelled"


def test_reasoning_comes_before_the_text() -> None:
    backend = ScriptedBackend(Script(reasoning=("a", "b")))
    events = list(backend.open("scripted", LoadOptions(), lambda _: True).chat(HELLO))
    kinds = [type(event) for event in events if isinstance(event, (ReasoningDelta, TextDelta))]
    assert kinds[:3] == [ReasoningDelta, ReasoningDelta, TextDelta]
