"""The stream and the message of the Anthropic API, from the events of an answer."""

import msgspec
import pytest

from app.server.anthropic_api.answer import AnswerStream, WholeAnswer
from app.server.anthropic_api.errors import error_body
from app.server.anthropic_api.responses import (
    AnsweredMessage,
    Ping,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    Usage,
    server_sent,
)
from app.server.failures import Failure
from backends import protocol
from backends.protocol import (
    Event,
    Finished,
    PromptProgress,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)

USAGE = protocol.Usage(prompt_tokens=10, cached_tokens=4, completion_tokens=3)
END = Finished("stop", usage=USAGE)


def streamed(*events: Event, thinking: bool = False, omitted: bool = False):
    stream = AnswerStream("tiny", shows_thinking=thinking, omits_thinking=omitted)
    return [told for event in events for told in stream.feed(event)]


def shapes(*events: Event, thinking: bool = False) -> list[object]:
    told = msgspec.to_builtins(streamed(*events, thinking=thinking))
    return [(each["type"], each["index"]) if "index" in each else each["type"] for each in told]


def message(*events: Event, thinking: bool = False, omitted: bool = False) -> AnsweredMessage:
    whole = WholeAnswer()
    for event in streamed(*events, thinking=thinking, omitted=omitted):
        whole.feed(event)
    return whole.message()


def test_text_comes_in_one_block():
    assert shapes(TextDelta("a"), TextDelta("b"), END) == [
        "message_start",
        ("content_block_start", 0),
        ("content_block_delta", 0),
        ("content_block_delta", 0),
        ("content_block_stop", 0),
        "message_delta",
        "message_stop",
    ]


def test_blocks_follow_each_other_closed():
    events = (
        ReasoningDelta("Hm"),
        TextDelta("a"),
        ToolCall("1", "t", "{}"),
        ToolCall("2", "t", ""),
    )
    told = shapes(*events, END, thinking=True)
    starts = [each for each in told if each[0] == "content_block_start"]
    assert starts == [("content_block_start", index) for index in range(4)]
    opened: set[object] = set()
    for kind, index in (each for each in told if isinstance(each, tuple)):
        if kind == "content_block_start":
            assert not opened
            opened.add(index)
        elif kind == "content_block_stop":
            opened.remove(index)
        else:
            assert opened == {index}
    assert not opened


def test_the_prompt_is_counted_before_it_is_read():
    start = streamed(PromptProgress(done=4, total=10, cached=4))[0]
    assert start.message.usage == Usage(input_tokens=6, cache_read_input_tokens=4)


def test_a_message_has_what_was_streamed():
    answer = message(
        ReasoningDelta("Hm"),
        ReasoningDelta("."),
        TextDelta("It "),
        TextDelta("rains."),
        ToolCall("t1", "weather", '{"place": "Bonn"}'),
        END,
        thinking=True,
    )
    assert answer.content == (
        ThinkingBlock("Hm."),
        TextBlock("It rains."),
        ToolUseBlock("t1", "weather", {"place": "Bonn"}),
    )
    assert answer.stop_reason == "tool_use"
    assert answer.usage == Usage(input_tokens=6, cache_read_input_tokens=4, output_tokens=3)
    assert answer.id.startswith("msg_")


def test_thinking_is_left_out_unless_asked_for():
    assert message(ReasoningDelta("Hm"), TextDelta("a"), END).content == (TextBlock("a"),)


def test_thinking_can_come_without_its_text():
    answer = message(ReasoningDelta("Hm"), TextDelta("a"), END, thinking=True, omitted=True)
    assert answer.content == (ThinkingBlock(""), TextBlock("a"))


@pytest.mark.parametrize(
    ("finished", "reason", "stop"),
    [
        (Finished("stop"), "end_turn", None),
        (Finished("length"), "max_tokens", None),
        (Finished("stop", stop_text="END"), "stop_sequence", "END"),
    ],
)
def test_why_it_ended(finished: Finished, reason: str, stop: str | None):
    answer = message(TextDelta("a"), finished)
    assert (answer.stop_reason, answer.stop_sequence) == (reason, stop)


def test_an_answer_that_was_broken_off_is_an_error():
    with pytest.raises(Failure, match="stopped"):
        message(TextDelta("a"), Finished("cancelled"))
    with pytest.raises(Failure, match="too soon"):
        message(TextDelta("a"))


@pytest.mark.parametrize("arguments", ['{"place": ', "[1]", "[" * 100_000])
def test_no_tool_is_called_with_arguments_that_nobody_can_read(arguments: str):
    with pytest.raises(Failure, match="weather"):
        streamed(ToolCall("1", "weather", arguments))


def test_an_event_names_itself_twice():
    assert server_sent(Ping()) == b'event: ping\ndata: {"type":"ping"}\n\n'


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Failure("unauthorized", "x"), "authentication_error"),
        (Failure("too_large", "x"), "request_too_large"),
        (Failure("busy", "x"), "rate_limit_error"),
        (Failure("unavailable", "x"), "api_error"),
        (Failure("unavailable", "x", retry_after=1), "overloaded_error"),
    ],
)
def test_errors_have_that_api_s_shape(failure: Failure, kind: str):
    assert error_body(failure) == {"type": "error", "error": {"type": kind, "message": "x"}}


def pieces(call_id: str, *arguments: str) -> list[Event]:
    return [ToolCallDelta(call_id, "weather", piece) for piece in arguments]


def test_a_call_in_pieces_is_one_block():
    call = ToolCall("1", "weather", '{"place": "Bonn"}')
    events = (TextDelta("a"), *pieces("1", '{"place": ', '"Bonn"}'), call, END)
    assert shapes(*events)[4:] == [
        ("content_block_start", 1),
        ("content_block_delta", 1),
        ("content_block_delta", 1),
        ("content_block_stop", 1),
        "message_delta",
        "message_stop",
    ]
    answer = message(*events)
    assert answer.content[1] == ToolUseBlock("1", "weather", {"place": "Bonn"})
    assert answer.stop_reason == "tool_use"


@pytest.mark.parametrize(
    ("finished", "reason"), [(Finished("length"), "max_tokens"), (Finished("stop"), "end_turn")]
)
def test_an_answer_that_ends_within_a_call_asks_for_no_tool(finished: Finished, reason: str):
    told = streamed(ToolCall("1", "weather", "{}"), *pieces("2", '{"pl'), finished)
    assert told[-2].delta.stop_reason == reason
    with pytest.raises(Failure):
        streamed(*pieces("2", '{"pl'), Finished("cancelled"))
