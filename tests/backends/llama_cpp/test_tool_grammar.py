"""Answers that must be tool calls: of whatever a model would say, only that is left."""

import json
from collections.abc import Iterator

import jsonschema
import pytest

from backends.errors import BadGrammar
from backends.llama_cpp.grammar import GrammarState, compile_grammar
from backends.llama_cpp.model import Model
from backends.llama_cpp.sampling import Chooser
from backends.llama_cpp.tool_grammar import answer_grammar, calls_grammar
from backends.protocol import ChatRequest, Grammar, Sampling, TextDelta, Tool, ToolCall
from backends.tool_calls.call_format import Call, CallFormat
from backends.tool_calls.formats import FORMATS
from backends.tool_calls.marked_json import HERMES
from backends.tool_calls.splitter import ToolCallSplitter
from tests.backends.llama_cpp.evaluated import Evaluated
from tests.gguf_files import CONTROL_TOKENS

OPEN = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0)
SCHEMA = {
    "type": "object",
    "properties": {
        "unit": {"type": "string", "enum": ["C", "F"]},
        "days": {"type": "integer", "minimum": 1, "maximum": 9},
        "wet": {"type": "boolean"},
    },
    "required": ["days"],
    "additionalProperties": False,
}
TOOLS = (
    Tool(name="weather", parameters=json.dumps(SCHEMA)),
    Tool(name="clock", parameters='{"type": "object", "properties": {}, "additionalProperties": false}'),
)  # fmt: skip
SCHEMAS = {"weather": SCHEMA, "clock": {"type": "object", "maxProperties": 0}}


@pytest.fixture(scope="module")
def evaluated(model: Model) -> Iterator[Evaluated]:
    with Evaluated(model) as evaluated:
        yield evaluated


def answer(model: Model, evaluated: Evaluated, gbnf: str, seed: int, longest: int = 500) -> str:
    evaluated.start_over()
    chooser = Chooser(model, OPEN, seed, [], grammar=compile_grammar(model, Grammar("gbnf", gbnf)))
    pieces = []
    try:
        for _ in range(longest):
            token = chooser.choose(evaluated.handle, -1)
            if model.is_end(token):
                break
            pieces.append(model.piece(token))
            evaluated.evaluate([token])
    finally:
        chooser.close()
    return b"".join(pieces).decode("utf-8", "ignore")


def byte_token(byte: int) -> int:
    return len(CONTROL_TOKENS) + byte


def read(form: CallFormat, text: str) -> tuple[str, list[ToolCall]]:
    splitter = ToolCallSplitter(form, TOOLS, several=True)
    events = [*splitter.feed(text), *splitter.finish()]
    shown = "".join(event.text for event in events if isinstance(event, TextDelta))
    return shown.strip(), [event for event in events if isinstance(event, ToolCall)]


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_required_call_is_one_that_the_tool_s_schema_allows(
    model: Model, evaluated: Evaluated, form: CallFormat
) -> None:
    made = calls_grammar(TOOLS, form, several=False)
    assert made.loose == ()
    for seed in range(5):
        shown, calls = read(form, answer(model, evaluated, made.gbnf, seed))
        assert shown == ""
        assert len(calls) == 1
        jsonschema.validate(json.loads(calls[0].arguments), SCHEMAS[calls[0].name])


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_several_calls_are_allowed_where_they_are_wanted(
    model: Model, evaluated: Evaluated, form: CallFormat
) -> None:
    made = calls_grammar(TOOLS, form, several=True)
    counts = {len(read(form, answer(model, evaluated, made.gbnf, seed))[1]) for seed in range(12)}
    assert 0 not in counts
    assert (max(counts) > 1) == (form.frame.between is not None)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_what_a_form_writes_its_grammar_allows(model: Model, form: CallFormat) -> None:
    tools = (Tool(name="write", parameters=json.dumps(
        {"type": "object", "properties": {"code": {"type": "string"}, "line": {"type": "integer"}}}
    )),)  # fmt: skip
    text = form.write([Call("write", '{"code": "a < b <i>c</i> | d", "line": 3}')])
    gbnf = calls_grammar(tools, form, several=False).gbnf
    state = GrammarState(model, compile_grammar(model, Grammar("gbnf", gbnf)))
    try:
        for token in map(byte_token, text.encode()):
            assert state.allows(token), model.piece(token)
            state.accept(token)
    finally:
        state.close()


@pytest.mark.parametrize(
    "parameters",
    ['{"type": "object", "properties": {"a": {"not": {}}}}', "[]", "nonsense", '{"type": "string"}',
     '{"a":' * 20_000],
)  # fmt: skip
def test_a_schema_that_can_t_be_held_to_leaves_any_object_and_says_so(
    model: Model, evaluated: Evaluated, parameters: str
) -> None:
    made = calls_grammar((Tool(name="clock", parameters=parameters),), HERMES, several=False)
    assert made.loose == ("clock",)
    compile_grammar(model, Grammar("gbnf", made.gbnf))


def test_too_many_large_schemas_leave_any_object() -> None:
    properties = {f"p{i}": {"type": "string", "maxLength": 40 + i} for i in range(150)}
    schema = json.dumps({"type": "object", "properties": properties})
    made = calls_grammar(
        tuple(Tool(name=f"t{i}", parameters=schema) for i in range(12)), HERMES, several=True
    )
    assert len(made.loose) == 12


def test_a_schema_with_definitions_is_held_to(model: Model, evaluated: Evaluated) -> None:
    schema = {
        "$defs": {"place": {"enum": ["here", "there"]}},
        "type": "object",
        "properties": {"at": {"$ref": "#/$defs/place"}},
        "required": ["at"],
    }
    tools = tuple(Tool(name=name, parameters=json.dumps(schema)) for name in ("weather", "clock"))
    made = calls_grammar(tools, HERMES, several=False)
    assert made.loose == ()
    _, (call,) = read(HERMES, answer(model, evaluated, made.gbnf, 1))
    jsonschema.validate(json.loads(call.arguments), schema)


def test_an_answer_held_to_a_grammar_may_be_a_call_instead(
    model: Model, evaluated: Evaluated
) -> None:
    request = ChatRequest(
        tools=TOOLS,
        grammar=Grammar("gbnf", 'root ::= "yes" | other # don\'t "quote"\nother ::= "no"'),
    )
    grammar, warnings = answer_grammar(request, HERMES)
    assert grammar is not None
    assert not warnings
    answers = [read(HERMES, answer(model, evaluated, grammar.text, seed)) for seed in range(30)]
    assert all((shown in ("yes", "no")) != bool(calls) for shown, calls in answers)
    assert any(calls for _, calls in answers)
    assert any(shown for shown, _ in answers)


def test_a_grammar_and_a_required_call_exclude_each_other() -> None:
    request = ChatRequest(
        tools=TOOLS, tool_choice="required", grammar=Grammar("gbnf", 'root ::= "yes"')
    )
    with pytest.raises(BadGrammar) as error:
        answer_grammar(request, HERMES)
    assert error.value.fix
