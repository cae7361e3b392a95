"""Grammars of arguments that are no JSON: `{key:value}` with a mark for quotes, and tags.

They hold to the names, to what is required, and to the plain types of values. What is nested has the
right form, but may be anything.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from backends.errors import BadGrammar
from backends.llama_cpp.gbnf_rules import EMPTY, any_of, chars, literal, renamed, sequence
from backends.llama_cpp.schema import gbnf_of_schema

_PLAIN_TYPES = ("integer", "number", "boolean", "null")
_MOST_MEMBERS = 40
_PARAMETER_END = "\n</parameter>\n"

Schema = Mapping[str, Any]


def keyed_arguments(schema: Schema, quote: str) -> str:
    """GBNF of `{key:value}`. Raises BadGrammar or ValueError where the schema can't be held to."""
    mark = literal(quote)
    rules = [
        f"text ::= {mark} {_until(quote)} {mark}\n",
        renamed(gbnf_of_schema('{"type": ["number", "boolean", "null"]}'), "plain-"),
        'value ::= text | plain-root | "[" (value ("," value)*)? "]" | object\n',
        'object ::= "{" (key ":" value ("," key ":" value)*)? "}"\n',
        "key ::= [A-Za-z0-9_-]+\n",
    ]
    if "properties" not in schema:
        return "".join(["root ::= object\n", *rules])
    members = []
    for i, (name, value, is_required) in enumerate(
        _properties(schema, sorted(schema["properties"]))
    ):
        if _is_text(value):
            texts = [f"{mark} {literal(each)} {mark}" for each in value.get("enum", ())]
            written = any_of(texts) if texts else "text"
        elif value.get("type") in _PLAIN_TYPES:
            rules.append(renamed(gbnf_of_schema(json.dumps(value)), f"plain{i}-"))
            written = f"plain{i}-root"
        else:
            written = "value"
        rules.append(f'member{i} ::= {literal(name)} ":" {written}\n')
        members.append((f"member{i}", is_required))
    return "".join([f'root ::= "{{" {_parted(members)} "}}"\n', *rules])


def tagged_arguments(schema: Schema) -> str:
    """GBNF of values in tags with their names. Raises BadGrammar or ValueError like the other."""
    rules = [f"text ::= {_until('</parameter>')}\n"]
    if "properties" not in schema:
        names = f'"<parameter=" [A-Za-z0-9_-]+ ">\\n" text {literal(_PARAMETER_END)}'
        return "".join([f"root ::= ({names})*\n", *rules])
    members = []
    for i, (name, value, is_required) in enumerate(_properties(schema, schema["properties"])):
        written = "text"
        if _is_text(value):
            texts = [literal(each) for each in value.get("enum", ())]
            written = any_of(texts) if texts else "text"
        else:
            try:
                rules.append(renamed(gbnf_of_schema(json.dumps(value)), f"json{i}-"))
                written = f"json{i}-root"
            except BadGrammar:  # such as a reference to another place
                pass
        head = literal(f"<parameter={name}>\n")
        rules.append(f"member{i} ::= {head} {written} {literal(_PARAMETER_END)}\n")
        members.append(f"member{i}" if is_required else f"member{i}?")
    return "".join([f"root ::= {sequence(members) or EMPTY}\n", *rules])


def _properties(schema: Schema, names: Iterable[str]) -> Iterator[tuple[str, Schema, bool]]:
    """Name, schema, and whether it is required."""
    properties, required = schema["properties"], schema.get("required", [])
    if not isinstance(properties, dict) or len(properties) > _MOST_MEMBERS:
        raise ValueError("no properties, or too many")
    if not isinstance(required, list) or not set(map(str, required)) <= properties.keys():
        raise ValueError("something is required that is not described")
    for name in names:
        value = properties[name]
        yield name, value if isinstance(value, dict) else {}, name in required


def _is_text(schema: Schema) -> bool:
    texts = schema.get("enum", [""])
    is_text = schema.get("type", "string" if "enum" in schema else "") == "string"
    return is_text and isinstance(texts, list) and all(isinstance(each, str) for each in texts)


def _parted(members: Sequence[tuple[str, bool]]) -> str:
    """The members in their order with commas between them."""
    beginnings = []
    for i, (member, is_required) in enumerate(members):
        following = (
            f'"," {other}' if needed else f'("," {other})?' for other, needed in members[i + 1 :]
        )
        beginnings.append(sequence([member, *following]))
        if is_required:
            return any_of(beginnings)
    return any_of([*beginnings, EMPTY])


def _until(mark: str) -> str:
    """Any text without the mark, told by its first three characters."""
    first, second, third = mark[0], mark[1], mark[2]
    after = f"{_none_of(first + second)} | {literal(second)} {_none_of(first + third)}"
    return f"({_none_of(first)} | {literal(first)}+ ({after}))*"


def _none_of(characters: str) -> str:
    return "[^" + chars((ord(each), ord(each)) for each in characters)[1:]
