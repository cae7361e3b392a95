"""The arguments of a call while the model writes them: the clients of others, and real workers."""

import json
from collections.abc import Iterator
from pathlib import Path

import anthropic
import jsonschema
import openai
import pytest

from backends.llama_cpp.backend import LlamaCppBackend
from catalog.library import Library
from tests.app.server.conftest import MakeServer, Served
from tests.backends.llama_cpp import tool_templates
from tests.gguf_files import write_model

ASK = [{"role": "user", "content": "Is it raining?"}]
SCHEMA = {
    "type": "object",
    "properties": {"city": {"enum": ["Paris", "Rome"]}, "sure": {"type": "boolean"}},
    "required": ["city", "sure"],
}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
FLAT_TOOL = {"type": "function", "name": "weather", "parameters": SCHEMA}
ANTHROPIC_TOOL = {"name": "weather", "input_schema": SCHEMA}
CALLS = ("\n<tool_call>", '\n{"name": "weather", "arguments": ', '{"city": ', '"Paris"', ', "sure"',
         ": true", "}}", "\n</tool_call>")  # fmt: skip
ARGUMENTS = '{"city": "Paris", "sure": true}'
CUT = 5
"""Tokens after which the answer is within the arguments."""


@pytest.fixture
def calling_server(make_server: MakeServer, library: Library, tmp_path: Path) -> Served:
    """Its model `calling` calls the tool by itself."""
    library.add_file(
        write_model(tmp_path / "calling.gguf", says=CALLS, template=tool_templates.HERMES)
    )
    return make_server(LlamaCppBackend())


@pytest.fixture
def openai_client(calling_server: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{calling_server.url}/v1", api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client(calling_server: Served) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=calling_server.url, api_key="none", max_retries=0) as client:
        yield client


def test_a_chat_tells_arguments_as_they_are_written(openai_client: openai.OpenAI):
    asked = {"model": "calling", "messages": ASK, "tools": [TOOL], "temperature": 0}
    whole = openai_client.chat.completions.create(**asked)
    chunks = list(openai_client.chat.completions.create(**asked, stream=True))
    first, *others = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert (first.index, first.type, first.function.name) == (0, "function", "weather")
    assert first.id
    assert len(others) > 1
    assert all((each.index, each.id, each.function.name) == (0, None, None) for each in others)
    joined = "".join(each.function.arguments for each in (first, *others))
    assert joined == ARGUMENTS == whole.choices[0].message.tool_calls[0].function.arguments
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    with openai_client.chat.completions.stream(**asked) as stream:
        (call,) = stream.get_final_completion().choices[0].message.tool_calls
    assert call.function.arguments == ARGUMENTS


def test_the_older_function_call_comes_in_pieces_too(openai_client: openai.OpenAI):
    chunks = openai_client.chat.completions.create(
        model="calling", messages=ASK, functions=[TOOL["function"]], temperature=0, stream=True
    )
    pieces = [
        chunk.choices[0].delta.function_call
        for chunk in chunks
        if chunk.choices[0].delta.function_call
    ]
    assert [piece.name for piece in pieces] == ["weather", *[None] * (len(pieces) - 1)]
    assert "".join(piece.arguments for piece in pieces) == ARGUMENTS
    assert len(pieces) > 1


def test_a_message_tells_input_as_it_is_written(anthropic_client: anthropic.Anthropic):
    with anthropic_client.messages.stream(
        model="calling",
        max_tokens=100,
        messages=ASK,
        tools=[ANTHROPIC_TOOL],
        extra_body={"temperature": 0},
    ) as stream:
        pieces = [event.partial_json for event in stream if event.type == "input_json"]
        message = stream.get_final_message()
    assert len(pieces) > 1
    assert "".join(pieces) == ARGUMENTS
    (block,) = message.content
    assert (block.type, block.name, block.input) == ("tool_use", "weather", json.loads(ARGUMENTS))
    assert message.stop_reason == "tool_use"


def test_a_response_tells_arguments_as_they_are_written(openai_client: openai.OpenAI):
    with openai_client.responses.stream(
        model="calling", input=ASK, tools=[FLAT_TOOL], temperature=0
    ) as stream:
        events = list(stream)
        final = stream.get_final_response()
    pieces = [
        event.delta for event in events if event.type == "response.function_call_arguments.delta"
    ]
    done = [event for event in events if event.type == "response.function_call_arguments.done"]
    assert len(pieces) > 1
    assert "".join(pieces) == ARGUMENTS
    assert [event.arguments for event in done] == [ARGUMENTS]
    (item,) = final.output
    assert (item.status, item.name, item.arguments) == ("completed", "weather", ARGUMENTS)
    assert final.status == "completed"


def test_a_chat_that_is_cut_off_within_a_call_ends_by_its_length(openai_client: openai.OpenAI):
    chunks = list(
        openai_client.chat.completions.create(
            model="calling",
            messages=ASK,
            tools=[TOOL],
            temperature=0,
            max_tokens=CUT,
            stream=True,
        )
    )
    assert any(chunk.choices[0].delta.tool_calls for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "length"


def test_a_chat_that_is_stopped_within_a_call_has_called_nothing(openai_client: openai.OpenAI):
    chunks = list(
        openai_client.chat.completions.create(
            model="calling", messages=ASK, tools=[TOOL], temperature=0, stop="true", stream=True
        )
    )
    assert any(chunk.choices[0].delta.tool_calls for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"


@pytest.mark.parametrize(
    ("more", "reason"),
    [({"max_tokens": CUT}, "max_tokens"), ({"stop_sequences": ["true"]}, "stop_sequence")],
)
def test_a_message_that_is_cut_off_within_a_call_has_not_called(
    anthropic_client: anthropic.Anthropic, more: dict, reason: str
):
    with anthropic_client.messages.stream(
        **{"max_tokens": 100, **more},
        model="calling",
        messages=ASK,
        tools=[ANTHROPIC_TOOL],
        extra_body={"temperature": 0},
    ) as stream:
        kinds = [event.type for event in stream]
        message = stream.get_final_message()
    assert "input_json" in kinds
    assert kinds.count("content_block_stop") == 1
    assert message.stop_reason == reason


def test_a_response_that_is_cut_off_within_a_call_is_not_gone_on_from_with_it(
    openai_client: openai.OpenAI,
):
    asked = {"model": "calling", "tools": [FLAT_TOOL], "temperature": 0}
    with openai_client.responses.stream(**asked, input=ASK, max_output_tokens=CUT) as stream:
        events = list(stream)
    kinds = [event.type for event in events]
    assert "response.function_call_arguments.delta" in kinds
    assert "response.function_call_arguments.done" not in kinds
    response = events[-1].response
    assert (response.status, response.incomplete_details.reason) == (
        "incomplete",
        "max_output_tokens",
    )
    (item,) = response.output
    assert item.status == "incomplete"
    assert ARGUMENTS.startswith(item.arguments)
    # The half call is no part of the conversation, so that nothing waits for its result.
    again = openai_client.responses.create(
        **asked, input="Then?", previous_response_id=response.id, max_output_tokens=20
    )
    assert again.output


@pytest.mark.model
def test_the_starter_writes_a_call_in_pieces(
    make_server: MakeServer, library: Library, starter_model: Path
):
    library.add_file(starter_model)
    server = make_server(LlamaCppBackend())
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        chunks = client.chat.completions.create(
            model="default",
            messages=ASK,
            temperature=0,
            tools=[TOOL],
            tool_choice="required",
            parallel_tool_calls=False,
            stream=True,
        )
        pieces = [
            call.function.arguments
            for chunk in chunks
            for call in chunk.choices[0].delta.tool_calls or ()
        ]
    assert len(pieces) > 1
    jsonschema.validate(json.loads("".join(pieces)), SCHEMA)
    with (
        anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0) as client,
        client.messages.stream(
            model="default",
            max_tokens=200,
            messages=ASK,
            tools=[ANTHROPIC_TOOL],
            tool_choice={"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
        ) as stream,
    ):
        told = [event.partial_json for event in stream if event.type == "input_json"]
        (block,) = stream.get_final_message().content
    assert len(told) > 1
    assert json.loads("".join(told)) == block.input
    jsonschema.validate(block.input, SCHEMA)
