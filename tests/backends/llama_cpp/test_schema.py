"""Every text that a schema's grammar allows is valid by that schema; the rest is refused in words."""

import json
import random
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backends.errors import BadGrammar
from backends.llama_cpp.gbnf_check import check_gbnf
from backends.llama_cpp.grammar import compile_grammar
from backends.llama_cpp.model import Model
from backends.llama_cpp.sampling import Chooser
from backends.llama_cpp.schema import gbnf_of_schema
from backends.protocol import Grammar, Sampling
from tests.backends.llama_cpp.evaluated import Evaluated
from tests.backends.llama_cpp.gbnf_texts import GbnfTexts

Schema = Any

_NODE = {
    "type": "object",
    "properties": {
        "value": {"type": "integer", "minimum": 0, "maximum": 9},
        "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
    },
    "required": ["value", "next"],
}


def _kind(name: str, **properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {"kind": {"const": name}, **properties},
        "required": ["kind"],
    }


GOOD: dict[str, Schema] = {
    "anything": {},
    "true": True,
    "any object": {"type": "object"},
    "any array": {"type": "array"},
    "annotated": {"title": "T", "description": "D", "default": 1, "$comment": "C", "type": "null"},
    "several types": {"type": ["string", "null", "integer", "number"]},
    "implied type": {"minLength": 2},
    "person": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 9},
            "age": {"type": "integer", "minimum": 0, "maximum": 150},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 3},
        },
        "required": ["name", "age"],
        "additionalProperties": False,
    },
    "nothing required": {"properties": {"a": {"type": "null"}, "b": {"type": "boolean"}}},
    "strange names": {"properties": {'"': {"type": "null"}, "ä\n/~": {}}, "required": ['"']},
    "forbidden property": {"type": "object", "properties": {"a": False, "b": {"const": 1}}},
    "required only": {"type": "object", "required": ["z"]},
    "map": {"additionalProperties": {"type": "boolean"}, "minProperties": 1, "maxProperties": 3},
    "named and others": {
        "type": "object",
        "properties": {"abc": {"type": "null"}, "abd": {"type": "null"}, "": {"type": "null"}},
        "additionalProperties": {"type": "boolean"},
    },
    "nothing unevaluated": {"type": "object", "unevaluatedProperties": False},
    "enum": {"enum": ["red", 'gr"een', 1, 1.5, None, True, [1, "x"], {"a": "é\n"}]},
    "enum of a type": {"type": "string", "enum": ["a", 1, None]},
    "const": {"const": {"deep": [None, False]}},
    "short": {"type": "string", "maxLength": 3},
    "empty text": {"type": "string", "maxLength": 0},
    "long": {"type": "string", "minLength": 40, "maxLength": 300},
    "date": {"type": "string", "format": "date"},
    "date and time": {"type": "string", "format": "date-time"},
    "uuid": {"type": "string", "format": "uuid"},
    "pattern": {"type": "string", "pattern": r"^[A-Z]{2}-\d{3,5}(a|b\.c)?$"},
    "pattern somewhere": {"type": "string", "pattern": r"fo+|^\s*bar"},
    "pattern of sets": {"type": "string", "pattern": r"^[^\w\s][^a-z\"\\]*?(?:\u00e9|\/|\D)+.$"},
    "integers": {"type": "integer", "exclusiveMinimum": -17, "maximum": 1234},
    "negative": {"type": "integer", "maximum": -5},
    "numbers": {"type": "number", "minimum": -2.5, "exclusiveMaximum": 7.25},
    "positive": {"type": "number", "exclusiveMinimum": 0},
    "tuple": {"prefixItems": [{"type": "integer"}, {"type": "boolean"}], "items": False},
    "tuple and more": {
        "prefixItems": [{"type": "null"}],
        "items": {"type": "boolean"},
        "minItems": 3,
        "maxItems": 40,
    },
    "no items": {"type": "array", "maxItems": 0},
    "many items": {"type": "array", "items": {"const": 1}, "minItems": 30, "maxItems": 70},
    "recursive": {"$defs": {"node": _NODE}, "$ref": "#/$defs/node"},
    "itself": {"type": "object", "properties": {"child": {"$ref": "#"}}},
    "any of": {"anyOf": [{"type": "integer", "minimum": 3}, {"const": "x"}, False]},
    "one of types": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
    "one of kinds": {"oneOf": [_kind("a", x={"type": "null"}), _kind("b", y={"type": "null"})]},
    "all of": {
        "allOf": [
            {"properties": {"a": {"type": "integer", "minimum": 2}}, "required": ["a"]},
            {"properties": {"a": {"maximum": 9}, "b": {"type": "null"}}, "type": "object"},
        ]
    },
    "choice beside": {
        "type": "object",
        "properties": {"p": {"type": "null"}},
        "anyOf": [{"required": ["p"]}, {"properties": {"q": {"const": 1}}, "required": ["q"]}],
    },
    "reference beside": {"$defs": {"n": {"type": "integer"}}, "$ref": "#/$defs/n", "minimum": 3},
}


def _doubled(key: str) -> Schema:
    """A small schema that stands for countless combinations."""
    definitions: Schema = {
        f"d{i}": {key: [{"$ref": f"#/$defs/d{i + 1}"}, {"$ref": f"#/$defs/d{i + 1}"}]}
        for i in range(14)
    }
    definitions["d14"] = {"type": "object", "properties": {"a": {}}}
    return {"$defs": definitions, "$ref": "#/$defs/d0", "properties": {"b": {}}}


def _choices(depth: int) -> Schema:
    if not depth:
        return {"const": 1}
    return {
        "properties": {"a": _choices(depth - 1)},
        "anyOf": [{"required": [name]} for name in "abcd"],
    }


BAD: dict[str, tuple[Schema, str]] = {
    "no schema": ([], "no schema"),
    "false": (False, "nothing is allowed"),
    "unknown type": ({"properties": {"a": {"type": "text"}}}, "#/properties/a, “text” is no type"),
    "empty enum": ({"enum": []}, "“enum”"),
    "no value of the type": ({"enum": [1], "type": "string"}, "nothing is allowed"),
    "const not in enum": ({"enum": [1], "const": 2}, "“const”"),
    "bounds of integers": ({"type": "integer", "minimum": 3, "maximum": 2}, "bounds"),
    "bounds of numbers": ({"type": "number", "minimum": 0.5, "maximum": 0.6}, "too close"),
    "bounds of lengths": ({"minLength": 3, "maxLength": 2}, "“minLength” is above “maxLength”"),
    "bounds of items": ({"minItems": 3, "maxItems": 2}, "“minItems” is above “maxItems”"),
    "no number": ({"minimum": True}, "“minimum” is not a number"),
    "negative length": ({"maxLength": -1}, "“maxLength”"),
    "items that are not allowed": ({"minItems": 1, "items": False}, "“minItems”"),
    "unique items": ({"type": "array", "uniqueItems": True}, "“uniqueItems”"),
    "remote": ({"$ref": "https://example.org/schema"}, "leads out of the schema"),
    "nowhere": ({"items": {"$ref": "#/$defs/x"}}, "#/items, the reference “#/$defs/x” leads nowhere"),
    "endless": ({"properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "never comes to an end"),
    "only itself": ({"$ref": "#"}, "never comes to an end"),
    "itself beside": ({"allOf": [{"$ref": "#"}, {"type": "object"}]}, "refers to itself"),
    "overlap": ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, "several of “oneOf”"),
    "overlapping objects": ({"oneOf": [_kind("a"), {"type": "object"}]}, "several of “oneOf”"),
    "contradiction": ({"allOf": [{"type": "string"}, {"type": "null"}]}, "nothing is allowed"),
    "required and forbidden": (
        {"required": ["a"], "additionalProperties": False, "type": "object"},
        "“a” is required",
    ),
    "look-ahead": ({"pattern": "(?=a)b"}, "look-arounds"),
    "back reference": ({"pattern": r"(a)\1"}, r"“\1”"),
    "open group": ({"pattern": "(a"}, "not closed"),
    "pattern and length": ({"pattern": "a", "minLength": 2}, "“pattern”"),
    "unknown format": ({"format": "email"}, "“email”"),
    "deep": (json.loads('{"items":' * 200 + "{}" + "}" * 200), "nested"),
    "combinations of all": (_doubled("allOf"), "too many combinations"),
    "combinations of any": (_doubled("anyOf"), "too many combinations"),
    "nested choices": (_choices(20), "too many combinations"),
    "many alternatives": ({"oneOf": [{"const": i} for i in range(400)]}, "too many alternatives"),
    "long": ({"enum": ["a" * 400_000]}, ""),
    "number of properties": ({"additionalProperties": True, "minProperties": 2}, "“minProperties”"),
    **{
        key: ({key: value}, f"“{key}” can’t be enforced")
        for key, value in {
            "not": {}, "if": {}, "dependentRequired": {}, "patternProperties": {}, "contains": {},
            "propertyNames": {}, "multipleOf": 2, "unevaluatedItems": False, "$dynamicRef": "#a",
        }.items()
    },
}  # fmt: skip


def texts_of(schema: Schema, count: int, seed: int = 0) -> list[str]:
    gbnf = gbnf_of_schema(json.dumps(schema))
    check_gbnf(gbnf)
    texts = GbnfTexts(gbnf, random.Random(seed))
    return [texts.text() for _ in range(count)]


def assert_valid(schema: Schema, text: str) -> None:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    validator = jsonschema.Draft202012Validator(schema, format_checker=checker)
    validator.validate(json.loads(text))


@pytest.mark.parametrize("name", GOOD)
def test_what_the_grammar_allows_is_valid(name: str) -> None:
    for text in texts_of(GOOD[name], 60):
        assert_valid(GOOD[name], text)


@pytest.mark.parametrize("name", BAD)
def test_what_can_not_be_held_to_is_refused_in_words(name: str) -> None:
    schema, why = BAD[name]
    with pytest.raises(BadGrammar) as caught:
        texts_of(schema, 1)
    assert why in caught.value.why


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"type": "string"', "[" * 100_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(BadGrammar):
        gbnf_of_schema(text)


def test_optional_properties_come_and_go() -> None:
    schema = {"properties": {name: {"const": 1} for name in "abc"}, "required": ["b"]}
    seen = {tuple(json.loads(text)) for text in texts_of(schema, 200)}
    assert seen == {("b",), ("a", "b"), ("b", "c"), ("a", "b", "c")}


def test_every_integer_within_bounds_may_come_and_no_other() -> None:
    texts = texts_of({"type": "integer", "minimum": -12, "maximum": 45}, 9000)
    assert set(map(int, texts)) == set(range(-12, 46))


def test_nullable_allows_null() -> None:
    assert "null" in texts_of({"type": "boolean", "nullable": True}, 50)


def test_white_space_is_bounded() -> None:
    for text in texts_of({"type": "object", "properties": {"a": {"type": "array"}}}, 200):
        assert not re.search(r"\s{26}", text)


def leaves() -> st.SearchStrategy[Schema]:
    bounds = st.integers(-30, 30)
    lengths = st.integers(0, 30)
    return st.one_of(
        st.sampled_from(
            [{"type": "null"}, {"type": "boolean"}, {"type": "number"}, {"type": "string"}]
        ),
        st.builds(lambda a, b: {"type": "integer", "minimum": a, "maximum": b}, bounds, bounds),
        st.builds(
            lambda a, b: {"type": "number", "exclusiveMinimum": a, "maximum": b}, bounds, bounds
        ),
        st.builds(
            lambda a, b: {"type": "string", "minLength": a, "maxLength": b}, lengths, lengths
        ),
        st.builds(
            lambda values: {"enum": values},
            st.lists(st.one_of(st.none(), st.booleans(), bounds, st.text(max_size=4)), min_size=1),
        ),
        st.sampled_from([{"type": "string", "format": "date"}, {"pattern": "^a+[^b]$"}]),
    )


def containers(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    names = st.text(alphabet='ab"é', max_size=3)
    counts = st.integers(0, 4)
    return st.one_of(
        st.builds(
            lambda properties, required, others: {
                "type": "object", "properties": properties, "required": required, **others,
            },
            st.dictionaries(names, inner, max_size=4),
            st.lists(names, max_size=2),
            st.one_of(st.just({}), st.builds(lambda s: {"additionalProperties": s}, inner | st.booleans())),
        ),
        st.builds(
            lambda items, a, b: {"type": "array", "items": items, "minItems": a, "maxItems": b},
            inner, counts, counts,
        ),
        st.builds(lambda first, rest: {"prefixItems": first, "items": rest}, st.lists(inner, min_size=1, max_size=3), inner | st.booleans()),
        st.builds(
            lambda key, branches: {key: branches},
            st.sampled_from(["anyOf", "oneOf", "allOf"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
    )  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(schema=st.recursive(leaves(), containers, max_leaves=8), seed=st.integers(0, 1000))
def test_whatever_the_schema_the_texts_are_valid_or_it_is_refused(
    schema: Schema, seed: int
) -> None:
    try:
        texts = texts_of(schema, 12, seed)
    except BadGrammar:
        assume(False)
    for text in texts:
        assert_valid(schema, text)


@pytest.fixture(scope="module")
def evaluated(model: Model) -> Iterator[Evaluated]:
    with Evaluated(model) as evaluated:
        yield evaluated


@pytest.mark.parametrize(
    "sampling",
    [Sampling(temperature=2.0, top_k=0, top_p=1.0, min_p=0.0), Sampling(), Sampling(temperature=0)],
)
@pytest.mark.parametrize(
    "name",
    [
        "person",
        "named and others",
        "one of kinds",
        "recursive",
        "pattern",
        "numbers",
        "date and time",
    ],
)
def test_an_answer_of_a_model_is_valid(
    model: Model, evaluated: Evaluated, name: str, sampling: Sampling
) -> None:
    grammar = compile_grammar(model, Grammar("json_schema", json.dumps(GOOD[name])))
    finished = 0
    for seed in range(5):
        evaluated.start_over()
        chooser = Chooser(model, sampling, seed, [], grammar=grammar)
        said = b""
        for _ in range(250):
            token = chooser.choose(evaluated.handle, -1)
            if model.is_end(token):
                assert_valid(GOOD[name], said.decode())
                finished += 1
                break
            said += model.piece(token)
            evaluated.evaluate([token])
        chooser.close()
    assert finished or name in ("named and others", "recursive")
