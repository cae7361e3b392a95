"""What models write when they call tools, in each of the forms, in any number of pieces."""

import itertools
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.protocol import TextDelta, Tool, ToolCall, ToolCallDelta
from backends.tool_calls.call_format import Call, CallFormat
from backends.tool_calls.deepseek import DEEPSEEK, DEEPSEEK_FENCED
from backends.tool_calls.formats import FORMATS
from backends.tool_calls.gemma import FUNCTION_GEMMA, GEMMA_4
from backends.tool_calls.marked_json import HERMES, LLAMA_3
from backends.tool_calls.mistral import MISTRAL_LIST, MISTRAL_NAMED
from backends.tool_calls.qwen_coder import QWEN_CODER
from backends.tool_calls.splitter import Part, ToolCallSplitter

TOOLS = (
    Tool(
        name="weather",
        parameters=json.dumps(
            {
                "type": "object",
                "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            }
        ),
    ),
    Tool(name="time"),
)
PARIS = ("weather", {"city": "Paris", "days": 2})
NOW: tuple[str, object] = ("time", {})

Said = tuple[str, list[tuple[str, object]]]


def split(
    form: CallFormat, text: str, cuts: Sequence[int] = (), *, several: bool = True
) -> tuple[str, list[ToolCall]]:
    """The text and the calls that an answer comes to, fed in pieces."""
    splitter = ToolCallSplitter(form, TOOLS, several=several)
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    events: list[TextDelta | ToolCallDelta | ToolCall] = []
    for start, end in itertools.pairwise(edges):
        events += splitter.feed(text[start:end])
    events += splitter.finish()
    shown = "".join(event.text for event in events if isinstance(event, TextDelta))
    return shown, [event for event in events if isinstance(event, ToolCall)]


def said(form: CallFormat, text: str, cuts: Sequence[int] = (), *, several: bool = True) -> Said:
    shown, calls = split(form, text, cuts, several=several)
    return shown, [(call.name, json.loads(call.arguments)) for call in calls]


CALL = '{"name": "weather", "arguments": {"city": "Paris", "days": 2}}'
LLAMA_CALL = CALL.replace("arguments", "parameters")
CASES: list[tuple[CallFormat, str, Said]] = [
    (HERMES, f"<tool_call>\n{CALL}\n</tool_call>", ("", [PARIS])),
    (
        HERMES,
        f'Let me see.\n<tool_call>{CALL}</tool_call>\n<tool_call>\n{{"name": "time"}}\n</tool_call>',
        ("Let me see.", [PARIS, NOW]),
    ),
    (HERMES, f"<tool_call>\n{CALL}", ("", [PARIS])),
    (HERMES, f"<tool_call>\n{CALL}}}\n</tool_call>\nDone.", ("Done.", [PARIS])),
    (HERMES, CALL, ("", [PARIS])),
    (HERMES, f"```json\n{CALL}\n```", ("", [PARIS])),
    (HERMES, "The mark <tool_call> is no call.", ("The mark <tool_call> is no call.", [])),
    (
        HERMES,
        '<tool_call>\n{"name": "rm", "arguments": {}}\n</tool_call>',
        ('<tool_call>\n{"name": "rm", "arguments": {}}\n</tool_call>', []),
    ),
    (
        HERMES,
        '<tool_call>\n{"name": "time", "arguments": [1]}\n</tool_call>',
        ('<tool_call>\n{"name": "time", "arguments": [1]}\n</tool_call>', []),
    ),
    (HERMES, '<tool_call>\n{"name": "ti', ('<tool_call>\n{"name": "ti', [])),
    (HERMES, '{"answer": {"name": "time"}}', ('{"answer": {"name": "time"}}', [])),
    (HERMES, 'It is:\n```json\n{"a": 1}\n```\n', ('It is:\n```json\n{"a": 1}\n```\n', [])),
    (
        HERMES,
        '<tool_call>{"arguments": {"city": "a } </tool_call> \\" b"}, "name": "weather"}</tool_call>',
        ("", [("weather", {"city": 'a } </tool_call> " b'})]),
    ),
    (
        HERMES,
        '<tool_call>{"name": "weather", "arguments": {"city": "two\nlines"}}</tool_call>',
        ("", [("weather", {"city": "two\nlines"})]),
    ),
    (
        HERMES,
        '<tool_call>{"name": "weather", "arguments": "{\\"days\\": 1}"}</tool_call>',
        ("", [("weather", {"days": 1})]),
    ),
    (
        HERMES,
        '<tool_call>{"type": "function", "function": {"name": "time", "arguments": {}}}</tool_call>',
        ("", [NOW]),
    ),
    (LLAMA_3, LLAMA_CALL, ("", [PARIS])),
    (LLAMA_3, f"<|python_tag|>{LLAMA_CALL}", ("", [PARIS])),
    (
        LLAMA_3,
        f'{LLAMA_CALL}; {{"name": "time", "parameters": {{}}}}',
        ("", [PARIS, NOW]),
    ),
    (LLAMA_3, f"As in {LLAMA_CALL}", (f"As in {LLAMA_CALL}", [])),
    (
        MISTRAL_LIST,
        f'[TOOL_CALLS] [{CALL}, {{"name": "time", "arguments": {{}}}}]',
        ("", [PARIS, NOW]),
    ),
    (MISTRAL_LIST, f"Well. [TOOL_CALLS][{CALL}", ("Well.", [PARIS])),
    (MISTRAL_LIST, "[TOOL_CALLS][1]", ("[TOOL_CALLS][1]", [])),
    (
        MISTRAL_NAMED,
        '[TOOL_CALLS]weather[ARGS]{"city": "Paris", "days": 2}[TOOL_CALLS]time[ARGS]{}',
        ("", [PARIS, NOW]),
    ),
    (MISTRAL_NAMED, '[TOOL_CALLS]weather{"city": "Paris", "days": 2}', ("", [PARIS])),
    (MISTRAL_NAMED, "[TOOL_CALLS]rm[ARGS]{}", ("[TOOL_CALLS]rm[ARGS]{}", [])),
    (
        FUNCTION_GEMMA,
        "<start_function_call>call:weather{city:<escape>Paris<escape>,days:2}<end_function_call>"
        "<start_function_call>call:time{}<end_function_call>",
        ("", [PARIS, NOW]),
    ),
    (
        GEMMA_4,
        '<|tool_call>call:weather{city:<|"|>a, } b<|"|>, more:[1, {x:true}, null]}<tool_call|>',
        ("", [("weather", {"city": "a, } b", "more": [1, {"x": True}, None]})]),
    ),
    (GEMMA_4, "<|tool_call>call:weather{city:Paris,days:2}<tool_call|>", ("", [PARIS])),
    (GEMMA_4, "<|tool_call>call:weather{{{<tool_call|>", ("<|tool_call>call:weather{{{<tool_call|>", [])),
    (
        QWEN_CODER,
        "<tool_call>\n<function=weather>\n<parameter=city>\nParis\n</parameter>\n"
        "<parameter=days>\n2\n</parameter>\n</function>\n</tool_call>",
        ("", [PARIS]),
    ),
    (
        QWEN_CODER,
        "<function=weather><parameter=city>12</parameter></function>\nSo.",
        ("So.", [("weather", {"city": "12"})]),
    ),
    (
        DEEPSEEK,
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>time<｜tool▁sep｜>{}<｜tool▁call▁end｜>"
        '<｜tool▁call▁begin｜>weather<｜tool▁sep｜>{"city": "Paris", "days": 2}<｜tool▁call▁end｜>'
        "<｜tool▁calls▁end｜>",
        ("", [NOW, PARIS]),
    ),
    (
        DEEPSEEK_FENCED,
        "Yes.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n```json\n"
        '{"city": "Paris", "days": 2}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
        ("Yes.", [PARIS]),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("form", "text", "expected"), CASES)
def test_calls_are_told_from_text(form: CallFormat, text: str, expected: Said) -> None:
    assert said(form, text) == expected
    assert said(form, text, range(len(text))) == expected


@given(st.sampled_from(CASES), st.lists(st.integers(min_value=0)))
def test_any_division_into_pieces_gives_the_same(
    case: tuple[CallFormat, str, Said], cuts: list[int]
) -> None:
    form, text, expected = case
    assert said(form, text, cuts) == expected


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_JSON_FORMATS = [form for form in FORMATS if form.notation == "json"]


@given(
    st.sampled_from(_JSON_FORMATS),
    st.lists(st.dictionaries(st.text(), _JSON, max_size=3), min_size=1, max_size=3),
    st.lists(st.integers(min_value=0)),
)
def test_what_a_form_writes_it_reads(
    form: CallFormat, arguments: list[dict[str, object]], cuts: list[int]
) -> None:
    if form.frame.between is None:
        arguments = arguments[:1]
    texts = dict.fromkeys(json.dumps(each, ensure_ascii=False) for each in arguments)
    calls = [Call("weather", text) for text in texts]
    shown, found = split(form, form.write(calls), cuts)
    assert shown == ""
    assert [call.arguments for call in found] == [call.arguments for call in calls]


@given(st.sampled_from(FORMATS), st.lists(st.integers(min_value=0)))
def test_simple_arguments_survive_in_every_form(form: CallFormat, cuts: list[int]) -> None:
    call = Call("weather", '{"city": "São Paulo, <BR>", "days": -3}')
    assert said(form, form.write([call]), cuts) == (
        "",
        [("weather", {"city": "São Paulo, <BR>", "days": -3})],
    )


_PIECES = st.sampled_from(
    [
        "{", "}", '"', "[", "]", ":", ",", " ", "\n", "<", "name", '"name": "time"', '"arguments": {}',
        "weather", "call:", "<function=", "<parameter=a>", "</parameter>", "</function>", ">", "```",
        "json", "\\", *{mark for form in FORMATS for mark in (*form.openings, *form.marks)},
    ]
)  # fmt: skip


@given(st.sampled_from(FORMATS), st.lists(_PIECES, max_size=30), st.lists(st.integers(min_value=0)))
def test_garbage_is_text_or_calls_however_it_is_divided(
    form: CallFormat, pieces: list[str], cuts: list[int]
) -> None:
    text = "".join(pieces)
    once = said(form, text)
    assert said(form, text, cuts) == once
    if not once[1]:
        assert once[0] == text


@pytest.mark.parametrize("form", FORMATS)
def test_with_one_call_wanted_the_answer_ends_after_it(form: CallFormat) -> None:
    splitter = ToolCallSplitter(form, TOOLS, several=False)
    text = form.write([Call("time", "{}")] * (1 if form.frame.between is None else 2))
    calls = [*splitter.feed(f"{text} and more"), *splitter.finish()]
    assert [call.name for call in calls if isinstance(call, ToolCall)] == ["time"]
    assert splitter.ended


def test_text_before_a_call_is_shown_at_once_without_a_mark() -> None:
    splitter = ToolCallSplitter(HERMES, TOOLS, several=True)
    assert list(splitter.feed("Wait")) == [TextDelta("Wait")]
    assert list(splitter.feed(" a bit. <tool")) == [TextDelta(" a bit.")]
    assert list(splitter.feed("_call>")) == []
    assert list(splitter.feed("s are marks")) == [
        TextDelta(" <tool_call>"),
        TextDelta("s are marks"),
    ]


def test_an_id_is_the_model_s_own_only_where_it_is_one() -> None:
    call = '{"name": "time", "arguments": {"a": %d}, "id": "%s"}'
    texts = [call % made for made in ((1, "abc123DEF"), (2, "abc123DEF"), (3, "x"))]
    _, (own, again, other) = split(MISTRAL_LIST, f"[TOOL_CALLS][{', '.join(texts)}]")
    assert own.id == "abc123DEF"
    assert again.id.startswith("call_")
    assert other.id.startswith("call_")
    assert again.id != other.id


@pytest.mark.parametrize("form", FORMATS)
def test_deep_nesting_is_no_call_and_no_failure(form: CallFormat) -> None:
    text = form.frame.first + form.frame.name("time") + '{"a":' * 30_000
    assert said(form, text) == (text, [])
    assert said(form, text + "}" * 30_001 + form.frame.after)[1] == []


def test_an_answer_that_repeats_a_call_ends_there() -> None:
    one = f"<tool_call>\n{CALL}\n</tool_call>\n"
    other = '<tool_call>\n{"name": "time"}\n</tool_call>\n'
    assert said(HERMES, one + other + one + other + "more") == ("", [PARIS, NOW])


def test_a_call_that_is_only_spaced_otherwise_is_the_same() -> None:
    spaced = CALL.replace("{", "{\n  ").replace(": ", " :  ")
    assert spaced != CALL
    one, again = (f"<tool_call>\n{call}\n</tool_call>\n" for call in (CALL, spaced))
    assert said(HERMES, one + again + "more") == ("", [PARIS])


def told_bound(form: CallFormat, text: str) -> list[Part]:
    """What comes of calls that a grammar holds, fed character by character."""
    splitter = ToolCallSplitter(form, TOOLS, several=True, bound=True)
    events = [event for character in text for event in splitter.feed(character)]
    return [*events, *splitter.finish()]


@pytest.mark.parametrize("form", _JSON_FORMATS)
def test_a_bound_call_comes_in_pieces_and_then_whole(form: CallFormat) -> None:
    arguments = '{"city": "S\u00e3o [}\\" Paulo", "days": 2}'
    *pieces, call = told_bound(form, form.write([Call("weather", arguments)]))
    assert isinstance(call, ToolCall)
    assert len(pieces) == len(arguments)
    assert {(type(each), each.id, each.name) for each in pieces} == {
        (ToolCallDelta, call.id, "weather")
    }
    assert "".join(each.arguments for each in pieces) == call.arguments == arguments


@pytest.mark.parametrize("form", [form for form in FORMATS if form.notation != "json"])
def test_what_is_not_written_as_json_comes_whole(form: CallFormat) -> None:
    (call,) = told_bound(form, form.write([Call("weather", '{"city": "Paris"}')]))
    assert isinstance(call, ToolCall)


def test_a_second_call_of_a_tool_comes_whole_for_it_may_be_a_repetition() -> None:
    calls = [Call("time", '{"a": 1}'), Call("weather", "{}"), Call("time", '{"a": 2}')]
    events = told_bound(HERMES, HERMES.write(calls))
    assert [(type(each), each.name) for each in events if not isinstance(each, TextDelta)] == [
        *[(ToolCallDelta, "time")] * 8,
        (ToolCall, "time"),
        *[(ToolCallDelta, "weather")] * 2,
        (ToolCall, "weather"),
        (ToolCall, "time"),
    ]


@pytest.mark.parametrize("form", _JSON_FORMATS)
def test_a_bound_call_that_is_cut_off_is_no_call_and_no_text(form: CallFormat) -> None:
    arguments = '{"city": "Paris"}'
    text = form.write([Call("weather", arguments)])
    start = text.index(arguments)
    for end in range(start + 1, start + len(arguments)):
        events = told_bound(form, text[:end])
        assert all(isinstance(event, ToolCallDelta) for event in events)
        assert "".join(each.arguments for each in events) == text[start:end]


def test_a_bound_call_that_can_t_be_read_ends_the_answer_as_no_call() -> None:
    deep = '{"a":' * 30_000 + "1" + "}" * 30_000
    splitter = ToolCallSplitter(HERMES, TOOLS, several=True, bound=True)
    text = HERMES.write([Call("time", deep)])
    events = [*splitter.feed(text[:60]), *splitter.feed(text[60:]), *splitter.finish()]
    assert [type(event) for event in events] == [ToolCallDelta]
    assert splitter.ended


def test_a_call_is_bound_from_when_it_is_said_and_no_longer_than_it_lasts() -> None:
    splitter = ToolCallSplitter(HERMES, TOOLS, several=True)
    first, second = (f"<tool_call>\n{call}\n</tool_call>\n" for call in (CALL, CALL))
    second = second.replace("weather", "time")
    assert not list(splitter.feed(first[:50]))
    splitter.bind()
    assert [type(event) for event in splitter.feed(first[50:60])] == [ToolCallDelta]
    assert [type(event) for event in splitter.feed(first[60:])] == [ToolCallDelta, ToolCall]
    assert not list(splitter.feed(second[:60]))
    assert [type(event) for event in splitter.feed(second[60:])] == [ToolCall]
