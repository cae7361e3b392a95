"""The parts of an answer in the Ollama API, from its events."""

import msgspec
import pytest

from app.server.failures import Failure
from app.server.ollama_api.answer import AnswerPieces, Piece, chat_part, generate_part, whole
from app.server.ollama_api.responses import CalledFunction, ToolCall, line, moment
from backends import protocol
from backends.protocol import (
    Event,
    Finished,
    HistoryTrimmed,
    Logprobs,
    PromptProgress,
    ReasoningDelta,
    TextDelta,
    Timings,
    TokenLogprob,
)

END = Finished(
    "stop",
    usage=protocol.Usage(prompt_tokens=10, cached_tokens=4, completion_tokens=3),
    timings=Timings(prompt_ms=2.5, generation_ms=7.0),
)


def pieces(*events: Event, thinking: bool = True, alternatives: int = -1) -> list[Piece]:
    feeding = AnswerPieces(shows_thinking=thinking, alternatives=alternatives)
    return [piece for event in events if (piece := feeding.feed(event))]


def as_json(part: msgspec.Struct) -> dict[str, object]:
    return msgspec.json.decode(line(part))


def test_a_part_says_no_more_than_it_has():
    (piece,) = pieces(PromptProgress(done=1, total=2, cached=0), TextDelta("Hello"))
    body = as_json(chat_part("tiny", piece))
    assert body.pop("created_at").endswith("Z")
    assert body == {
        "model": "tiny",
        "message": {"role": "assistant", "content": "Hello"},
        "done": False,
    }


def test_the_last_part_counts_and_measures():
    body = as_json(generate_part("tiny", pieces(HistoryTrimmed(2), END)[-1]))
    assert (body["response"], body["done"], body["done_reason"]) == ("", True, "stop")
    assert (body["prompt_eval_count"], body["eval_count"]) == (10, 3)
    assert (body["prompt_eval_duration"], body["eval_duration"]) == (2_500_000, 7_000_000)
    assert body["total_duration"] == body["load_duration"] + 9_500_000
    assert body["causeway"] == {"cached_tokens": 4, "messages_left_out": 2}


def test_all_parts_make_one_answer():
    call = protocol.ToolCall("", "weather", '{"place": "Bonn"}')
    piece = whole(
        pieces(ReasoningDelta("H"), ReasoningDelta("m"), TextDelta("a"), TextDelta("b"), call, END)
    )
    assert (piece.thinking, piece.text) == ("Hm", "ab")
    (made,) = piece.calls
    assert made.function == CalledFunction(0, "weather", {"place": "Bonn"})
    assert made.id.startswith("call_")
    body = as_json(chat_part("tiny", piece))
    assert body["message"]["thinking"] == "Hm"
    assert body["done_reason"] == "stop"


def test_calls_are_numbered():
    calls = (protocol.ToolCall("a", "x", ""), protocol.ToolCall("b", "y", "{}"))
    assert [piece.calls[0] for piece in pieces(*calls)] == [
        ToolCall("a", CalledFunction(0, "x", {})),
        ToolCall("b", CalledFunction(1, "y", {})),
    ]


def test_thinking_is_left_out_where_it_is_not_wanted():
    assert not pieces(ReasoningDelta("Hm"), thinking=False)


def test_log_probabilities_come_where_they_were_asked_for():
    event = Logprobs((TokenLogprob("é", -0.5, (("é", -0.5), ("e", -1.5))),))
    assert not pieces(event)
    (piece,) = pieces(event, alternatives=1)
    assert msgspec.to_builtins(piece.logprobs) == (
        {
            "token": "é",
            "logprob": -0.5,
            "bytes": (195, 169),
            "top_logprobs": ({"token": "é", "logprob": -0.5, "bytes": (195, 169)},),
        },
    )


def test_an_answer_that_was_broken_off_is_an_error():
    with pytest.raises(Failure, match="stopped"):
        pieces(Finished("cancelled"))
    with pytest.raises(Failure, match="too soon"):
        whole(pieces(TextDelta("a")))


@pytest.mark.parametrize("arguments", ['{"place": ', "[1]", "[" * 100_000])
def test_no_tool_is_called_with_arguments_that_nobody_can_read(arguments: str):
    with pytest.raises(Failure, match="weather"):
        pieces(protocol.ToolCall("1", "weather", arguments))


def test_moments_are_written_in_utc():
    assert moment(0) == "1970-01-01T00:00:00Z"
