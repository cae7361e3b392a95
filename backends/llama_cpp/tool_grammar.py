"""Grammars of tool calls: an answer that must be one, with the arguments that the tool's schema allows."""

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from backends.errors import BadGrammar
from backends.llama_cpp.gbnf_check import check_gbnf
from backends.llama_cpp.gbnf_rules import EMPTY, any_of, literal, renamed, sequence
from backends.llama_cpp.grammar import CompiledGrammar
from backends.llama_cpp.schema import gbnf_of_schema
from backends.llama_cpp.unquoted_grammar import keyed_arguments, tagged_arguments
from backends.protocol import ChatRequest, Grammar, Tool
from backends.tool_calls.call_format import CallFormat

_ANY_OBJECT = '{"type": "object"}'
_REMEMBERED = 16
_LINE_BREAKS = '("\\n" "\\n"?)?'


class ToolGrammar(msgspec.Struct, frozen=True):
    """GBNF, and the names of the tools whose schemas it can't hold: they are given any object."""

    gbnf: str
    loose: tuple[str, ...] = ()


@functools.lru_cache(_REMEMBERED)
def calls_grammar(tools: tuple[Tool, ...], form: CallFormat, *, several: bool) -> ToolGrammar:
    """An answer that is a call of one of the tools, or of `several`. Raises BadGrammar."""
    texts = list(_arguments(tools, form))
    try:
        check_gbnf(_written(tools, form, texts, several=several))
    except BadGrammar:
        # Each may be small enough, and all of them together not.
        texts = [None] * len(tools)
        check_gbnf(_written(tools, form, texts, several=several))
    loose = tuple(tool.name for tool, text in zip(tools, texts, strict=True) if text is None)
    return ToolGrammar(_written(tools, form, texts, several=several), loose)


def answer_grammar(
    request: ChatRequest, form: CallFormat | None
) -> tuple[Grammar | None, Sequence[str]]:
    """What the answer is held to, and warnings. `form` is that of the offered tools, if there are some.

    Raises BadGrammar.
    """
    asked = request.grammar
    if form is None or (asked is None and request.tool_choice != "required"):
        return asked, ()
    if asked is not None and request.tool_choice == "required":
        raise BadGrammar(
            "The answer can’t be held to a grammar and be a tool call too.",
            "The request asks for both.",
            "Leave one of them out.",
        )
    calls = calls_grammar(request.tools, form, several=request.parallel_tool_calls)
    warnings = [
        f"The arguments of the tool “{name}” can be any object: its schema can’t be held to "
        "while an answer is written."
        for name in calls.loose
    ]
    if asked is None:
        return Grammar("gbnf", calls.gbnf), warnings
    text = gbnf_of_schema(asked.text) if asked.kind == "json_schema" else asked.text
    check_gbnf(text)
    return Grammar("gbnf", or_calls(text, calls.gbnf)), warnings


def begun_call_grammar(
    request: ChatRequest, form: CallFormat, begun: str
) -> CompiledGrammar | None:
    """What a call must be that has `begun` in a free answer; None, if it may still be plain text."""
    # An opening alone may be spoken of, and a brace may open whatever is JSON.
    if not any(
        begun[len(opening) :].strip() for opening in form.openings if begun.startswith(opening)
    ):
        return None
    # Where calls are parted by nothing that the answer's reader can see, they are one to it.
    several = request.parallel_tool_calls and bool(form.frame.last)
    try:
        return CompiledGrammar(calls_grammar(request.tools, form, several=several).gbnf)
    except BadGrammar:
        return None


def or_calls(answer: str, calls: str) -> str:
    """GBNF of what either the one or the other allows."""
    rules = renamed(answer, "answer-") + "\n" + renamed(calls, "calls-")
    return f"root ::= answer-root | calls-root\n{rules}"


def _written(
    tools: Sequence[Tool], form: CallFormat, texts: Sequence[str | None], *, several: bool
) -> str:
    frame = form.frame
    calls = any_of([f"call{i}" for i in range(len(tools))])
    others = ""
    if several and frame.between is not None:
        others = f"({_sequence(literal(frame.between), calls)})*"
    root = _sequence(_LINE_BREAKS, literal(frame.first), calls, others, literal(frame.last))
    rules = [f"root ::= {root}\n"]
    for i, (tool, text) in enumerate(zip(tools, texts, strict=True)):
        head, tail = literal(frame.name(tool.name)), literal(frame.after)
        rules.append(f"call{i} ::= {_sequence(head, f'arguments{i}-root', tail)}\n")
        rules.append(renamed(text or gbnf_of_schema(_ANY_OBJECT), f"arguments{i}-"))
    return "".join(rules)


def _arguments(tools: Sequence[Tool], form: CallFormat) -> Iterator[str | None]:
    """A grammar of each tool's arguments, None where its schema can't be held to."""
    for tool in tools:
        try:
            schema = _object_schema(tool.parameters)
            match form.notation:
                case "json":
                    gbnf = gbnf_of_schema(json.dumps(schema))
                case "keyed":
                    gbnf = keyed_arguments(schema, form.quote)
                case "tagged":
                    gbnf = tagged_arguments(schema)
            check_gbnf(gbnf)
        except (BadGrammar, ValueError, RecursionError):
            yield None
        else:
            yield gbnf


def _object_schema(text: str) -> Mapping[str, Any]:
    """Raises ValueError for what is no schema of an object."""
    schema = json.loads(text)
    if not isinstance(schema, dict):
        raise ValueError("no object")
    if not schema.keys() & {"type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"}:
        return {"type": "object", **schema}
    if schema.get("type", "object") != "object":
        raise ValueError("no schema of an object")
    return schema


def _sequence(*parts: str) -> str:
    return sequence(part for part in parts if part != EMPTY)
