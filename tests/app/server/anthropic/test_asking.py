"""What is made of a request of the Anthropic API."""

import base64

import msgspec
import pytest

from app.server.anthropic_api.asking import (
    asked_of,
    counted_messages,
    omits_thinking,
    shows_thinking,
)
from app.server.anthropic_api.requests import CountRequest, MessagesRequest
from app.server.asked import Asked
from app.server.failures import Failure
from backends.protocol import Grammar, Image, Message, Tool, ToolCall

WEATHER = {
    "name": "weather",
    "description": "The weather somewhere.",
    "input_schema": {"type": "object", "properties": {"place": {"type": "string"}}},
}


def parsed(**fields: object) -> MessagesRequest:
    body = {
        "model": "tiny",
        "max_tokens": 16,
        "messages": [{"role": "user", "content": "Hello"}],
        **fields,
    }
    return msgspec.json.decode(msgspec.json.encode(body), type=MessagesRequest)


def asked(**fields: object) -> Asked:
    return asked_of(parsed(**fields))


def refusal(**fields: object) -> Failure:
    with pytest.raises(Failure) as caught:
        asked(**fields)
    assert caught.value.kind == "invalid"
    return caught.value


def test_a_plain_question_becomes_a_message_and_a_length():
    request = asked()
    assert request.model == "tiny"
    assert request.messages == (Message(role="user", content="Hello"),)
    assert request.options == {"max_tokens": 16}
    assert not request.continue_last


def test_a_system_prompt_comes_as_text_or_as_blocks():
    blocks = [
        {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "Be brief."},
    ]
    assert asked(system="Be kind.").messages[0] == Message(role="system", content="Be kind.")
    assert asked(system=blocks).messages[0].content == "Be kind.\n\nBe brief."


def test_what_an_agent_says_of_itself_is_kept_out_of_the_system_prompt():
    blocks = [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1; cch=1f3a;"},
        {"type": "text", "text": "You are an agent."},
    ]
    assert asked(system=blocks).messages[0].content == "You are an agent."


def test_neighbours_of_one_role_are_joined():
    messages = [
        {"role": "user", "content": "One"},
        {"role": "user", "content": [{"type": "text", "text": "Two"}]},
    ]
    assert asked(messages=messages).messages == (Message(role="user", content="One\n\nTwo"),)


def test_an_answer_at_the_end_is_gone_on_with():
    messages = [
        {"role": "user", "content": "Count"},
        {"role": "assistant", "content": "1, 2,"},
    ]
    request = asked(messages=messages)
    assert request.continue_last
    assert request.messages[-1] == Message(role="assistant", content="1, 2,")


def test_calls_results_and_thinking_keep_their_places():
    messages = [
        {"role": "user", "content": "Weather in Bonn and Cologne?"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Look it up.", "signature": "x"},
                {"type": "redacted_thinking", "data": "zzz"},
                {"type": "text", "text": "One moment."},
                {"type": "tool_use", "id": "a", "name": "weather", "input": {"place": "Bonn"}},
                {"type": "tool_use", "id": "b", "name": "weather", "input": {"place": "Cologne"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "Rain"},
                {
                    "type": "tool_result",
                    "tool_use_id": "b",
                    "content": [{"type": "text", "text": "No such place"}],
                    "is_error": True,
                },
                {"type": "text", "text": "And now?"},
            ],
        },
    ]
    assert asked(messages=messages, tools=[WEATHER]).messages[1:] == (
        Message(
            role="assistant",
            content="One moment.",
            reasoning="Look it up.",
            tool_calls=(
                ToolCall("a", "weather", '{"place":"Bonn"}'),
                ToolCall("b", "weather", '{"place":"Cologne"}'),
            ),
        ),
        Message(role="tool", content="Rain", tool_call_id="a"),
        Message(role="tool", content="Error: No such place", tool_call_id="b"),
        Message(role="user", content="And now?"),
    )


def test_pictures_come_through_and_those_elsewhere_are_not_fetched():
    def message(source: dict[str, str]) -> list[dict[str, object]]:
        return [{"role": "user", "content": [{"type": "image", "source": source}]}]

    data = base64.b64encode(b"picture").decode()
    source = {"type": "base64", "media_type": "image/png", "data": data}
    assert asked(messages=message(source)).messages[0].images == (Image("image/png", b"picture"),)
    away = refusal(messages=message({"type": "url", "url": "http://example.com/a.png"}))
    assert away.param == "messages.0.content.0.source"
    assert "base64" in refusal(messages=message({**source, "data": "@@@"})).message


def test_documents_of_text_are_read_and_others_refused():
    def message(source: dict[str, object]) -> list[dict[str, object]]:
        block = {"type": "document", "title": "Notes", "source": source}
        return [{"role": "user", "content": [block]}]

    text = {"type": "text", "media_type": "text/plain", "data": "Buy milk."}
    assert asked(messages=message(text)).messages[0].content == "Notes\n\nBuy milk."
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}
    assert "plain text" in refusal(messages=message(pdf)).message


def test_what_other_servers_tools_left_in_the_history_is_passed_over():
    content = [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": {"type": "error"}},
        {"type": "text", "text": "It rains."},
    ]
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": "Sure?"},
    ]
    assert asked(messages=messages).messages[1] == Message(role="assistant", content="It rains.")


@pytest.mark.parametrize(
    ("choice", "tool_choice", "names"),
    [
        (None, "auto", ("weather", "clock")),
        ({"type": "auto"}, "auto", ("weather", "clock")),
        ({"type": "none"}, "none", ("weather", "clock")),
        ({"type": "any"}, "required", ("weather", "clock")),
        ({"type": "tool", "name": "clock"}, "required", ("clock",)),
    ],
)
def test_the_choice_of_a_tool(choice: object, tool_choice: str, names: tuple[str, ...]):
    clock = {"type": "custom", "name": "clock", "input_schema": {"type": "object"}}
    request = asked(tools=[WEATHER, clock], tool_choice=choice)
    assert request.tool_choice == tool_choice
    assert tuple(tool.name for tool in request.tools) == names
    assert request.parallel_tool_calls


def test_a_tool_keeps_its_words_and_its_schema():
    assert asked(tools=[WEATHER]).tools == (
        Tool(
            name="weather",
            description="The weather somewhere.",
            parameters='{"type":"object","properties":{"place":{"type":"string"}}}',
        ),
    )


def test_tools_one_after_the_other():
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    assert not asked(tools=[WEATHER], tool_choice=choice).parallel_tool_calls


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "Anthropic's own"),
        ({"tools": [{"name": "bare"}]}, "input_schema"),
        ({"tools": [{"input_schema": {}}]}, "name"),
        ({"tool_choice": {"type": "any"}}, "no tools"),
        ({"tools": [WEATHER], "tool_choice": {"type": "tool", "name": "x"}}, "“x”"),
        ({"tools": [WEATHER], "tool_choice": {"type": "some"}}, "“some”"),
        ({"messages": []}, "at least one"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "“robot”"),
        ({"messages": [{"role": "user", "content": [{"type": "smell"}]}]}, "“smell”"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]}, "its call"),
        ({"stop_sequences": [" "]}, "white space"),
        ({"stop_sequences": ["x"] * 65}, "64"),
        ({"output_config": {"format": {"type": "xml"}}}, "json_schema"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(fields: dict[str, object], word: str):
    assert word in refusal(**fields).message


def test_a_call_without_its_result_is_refused():
    call = {"type": "tool_use", "id": "a", "name": "weather", "input": {}}
    messages = [{"role": "user", "content": "x"}, {"role": "assistant", "content": [call]}]
    assert "gave back" in refusal(messages=messages, tools=[WEATHER]).message


def test_samplers_and_stops():
    request = asked(temperature=0.5, top_p=0.9, top_k=5, stop_sequences=["END"])
    assert request.options == {"max_tokens": 16, "temperature": 0.5, "top_p": 0.9, "top_k": 5}
    assert request.stop == ("END",)


def test_a_wide_top_k_is_no_error():
    assert asked(top_k=5000).options["top_k"] == 200
    assert asked(top_k=-1).options["top_k"] == 0


@pytest.mark.parametrize("place", ["output_config", "output_format"])
def test_a_schema_for_the_answer(place: str):
    wanted = {"type": "json_schema", "schema": {"type": "integer"}}
    fields = {place: {"format": wanted} if place == "output_config" else wanted}
    assert asked(**fields).grammar == Grammar("json_schema", '{"type":"integer"}')


def test_thinking_is_shown_to_those_who_ask():
    enabled = parsed(thinking={"type": "enabled", "budget_tokens": 1024})
    hidden = parsed(thinking={"type": "adaptive", "display": "omitted"})
    assert shows_thinking(enabled)
    assert not omits_thinking(enabled)
    assert omits_thinking(hidden)
    assert not shows_thinking(parsed())
    assert not shows_thinking(parsed(thinking={"type": "disabled"}))


def test_what_agents_add_is_tolerated():
    request = asked(
        metadata={"user_id": "somebody"},
        service_tier="auto",
        context_management={"edits": []},
        container=None,
        mcp_servers=[],
        betas=["a"],
        stream=True,
        thinking={"type": "enabled", "budget_tokens": 31999},
        tools=[{**WEATHER, "cache_control": {"type": "ephemeral"}, "eager_input_streaming": True}],
    )
    assert len(request.tools) == 1


def test_extensions_of_ours_are_taken():
    request = asked(causeway={"options": {"min_p": 0.2}, "grammar": 'root ::= "a"'})
    assert request.options["min_p"] == 0.2
    assert request.grammar == Grammar("gbnf", 'root ::= "a"')


def test_tools_count_as_their_schemas():
    body = {
        "model": "tiny",
        "system": "Be kind.",
        "messages": [{"role": "user", "content": "Hello"}],
        "tools": [WEATHER],
    }
    request = msgspec.json.decode(msgspec.json.encode(body), type=CountRequest)
    system, question = counted_messages(request)
    assert system.role == "system"
    assert system.content.startswith("Be kind.\n\n")
    assert "The weather somewhere." in system.content
    assert question.content == "Hello"


@pytest.mark.parametrize(
    ("fields", "option"),
    [
        ({}, None),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "on"),
        ({"thinking": {"type": "disabled"}}, "off"),
    ],
)
def test_whether_to_think_is_asked(fields, option):
    assert asked(**fields).options.get("thinking") == option
