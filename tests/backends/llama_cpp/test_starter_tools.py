"""Tools and the starter model, whose template knows none."""

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from backends.llama_cpp.backend import LlamaCppBackend
from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import ChatRequest, LoadOptions, Message, Sampling, Tool, ToolCall
from backends.testing import last, text_of

pytestmark = pytest.mark.model

SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"enum": ["Paris", "Rome"]},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
    },
    "required": ["city"],
}
WEATHER = Tool(
    name="get_weather",
    description="Get the current weather of a city.",
    parameters=json.dumps(SCHEMA),
)
QUESTION = Message(role="user", content="What is the weather in Paris?")


@pytest.fixture(scope="module")
def session(starter_model: Path) -> Iterator[LlamaCppSession]:
    session = LlamaCppBackend().open(str(starter_model), LoadOptions(n_ctx=2048), lambda _: True)
    yield session
    session.close()


def test_a_required_call_is_valid_and_known_when_it_comes_back(session: LlamaCppSession) -> None:
    events = list(
        session.chat(
            ChatRequest(
                messages=(QUESTION,),
                sampling=Sampling(temperature=0),
                tools=(WEATHER,),
                tool_choice="required",
                parallel_tool_calls=False,
                max_tokens=200,
            )
        )
    )
    call = next(event for event in events if isinstance(event, ToolCall))
    assert call.name == "get_weather"
    arguments = json.loads(call.arguments)
    jsonschema.validate(arguments, SCHEMA)
    assert text_of(events) == ""
    answer = Message(role="assistant", content="", tool_calls=(call,))
    result = Message(role="tool", content='{"sky": "clear"}', tool_call_id=call.id)
    again = list(
        session.chat(
            ChatRequest(
                messages=(QUESTION, answer, result),
                sampling=Sampling(temperature=0),
                tools=(WEATHER,),
                max_tokens=5,
            )
        )
    )
    usage = last(events).usage
    assert last(again).usage.cached_tokens > usage.prompt_tokens
