"""Bodies that nobody means well with, on every path of the Ollama and Anthropic APIs."""

import json
from collections.abc import Iterator
from typing import get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.server.apis import ANTHROPIC, APIS, OLLAMA
from app.server.ollama_api.requests import ModelOptions

PATHS = [
    operation.path
    for api in (OLLAMA, ANTHROPIC)
    for operation in api.operations
    if operation.request is not None
]
MODEL = {"model": "polite", "max_tokens": 5}
DEEP = "[" * 50_000 + "]" * 50_000
HUGE = "1" * 400
BODIES = {
    "nothing": "",
    "no JSON": "model=polite",
    "no object": "[1, 2]",
    "null": "null",
    "half": '{"model": "polite", ',
    "deep": DEEP,
    "deep within": f'{{"model": "polite", "max_tokens": 5, "messages": {DEEP}, "format": {DEEP}}}',
    "half a character": '{"model": "\\ud800", "prompt": "\\ud800", "input": "\\ud800"}',
    "no UTF-8": b'{"model": "\xff\xfe"}',
    "a NUL": json.dumps({**MODEL, "model": "polite\0", "prompt": "x", "input": "x"}),
    "a path": json.dumps({"model": "../../etc/passwd", "prompt": "x", "input": "x"}),
    "wrong kinds": json.dumps(
        {"model": 7, "messages": "x", "prompt": [], "input": {}, "options": 1, "stream": "yes"}
    ),
    "null everywhere": json.dumps(
        dict.fromkeys(("model", "messages", "prompt", "input", "max_tokens", "options", "tools"))
    ),
    "endless numbers": '{"model": "polite", "max_tokens": 1e999, "prompt": "x", '
    '"options": {"seed": 1e999, "num_predict": 123456789012345678901234567890}}',
    "odd messages": json.dumps(
        {**MODEL, "messages": [{"role": "user", "content": [{"type": "text", "text": None}]}]}
    ),
    "an odd schema": json.dumps(
        {
            **MODEL,
            "messages": [{"role": "user", "content": "x"}],
            "prompt": "x",
            "input": 5,
            "format": {"$ref": "#/nowhere"},
            "output_config": {"format": {"type": "json_schema", "schema": {"$ref": "#/nowhere"}}},
            "options": {"temperature": -1},
        }
    ),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_each_is_refused_in_the_api_s_shape(server, body: str | bytes):
    with server.client() as client:
        for path in PATHS:
            answer = client.post(path, content=body if isinstance(body, bytes) else body.encode())
            if answer.status_code == 200:  # to this path it means no harm
                continue
            assert 400 <= answer.status_code < 500, (path, answer.text)
            said = answer.json()["error"]
            message = said["message"] if path.startswith("/v1/") else said
            assert message
            assert len(message) < 2_000
    assert len(server.backend.sessions) <= 1


@pytest.mark.parametrize("path", PATHS)
def test_other_methods_are_refused(server, path: str):
    with server.client() as client:
        answer = client.put(path, content=b"{}")
    assert answer.status_code == 405
    assert answer.json()["error"]


def test_who_looks_whether_somebody_answers_hears_ollama_s_words(server):
    with server.client() as client:
        assert client.get("/").text == "Ollama is running"
        assert client.head("/").status_code == 200
        page = client.get("/", headers={"accept": "text/html"})
        assert page.headers["location"] == "/docs"
        assert client.get("/api/version").json()["version"].count(".") == 2
        assert client.head(f"/api/blobs/sha256:{'0' * 64}").status_code in (400, 404, 405)


@pytest.mark.parametrize("path", ["/api/chat", "/api/generate"])
@pytest.mark.parametrize("option", [*ModelOptions.__struct_fields__, "causeway"])
def test_a_number_of_any_length_is_refused_in_words_or_means_the_most_there_is(
    server, path: str, option: str
):
    said = f'"causeway": {{"options": {{"min_p": {HUGE}}}}}'
    if option != "causeway":
        said = f'"options": {{"{option}": {HUGE}}}'
    with server.client() as client:
        answer = client.post(
            path,
            content=f'{{"model": "polite", "stream": false, {said}, "prompt": "Hi", '
            '"messages": [{"role": "user", "content": "Hi"}]}',
        )
    if answer.status_code != 200:
        assert answer.status_code == 400
        assert ("min_p" if option == "causeway" else option) in answer.json()["error"]
        assert len(answer.text) < 1_000


ASKED = {
    "model": "polite",
    "max_tokens": 2,
    "stream": False,
    "messages": [{"role": "user", "content": "Hi"}],
    "prompt": "Hi",
    "input": "Hi",
}
LEAVES = (
    *(HUGE, f"-{HUGE}", "9" * 4_000, str(2**31), str(2**63), str(2**64), str(-(2**63) - 1)),
    *("1e308", "-1e308", "5e-324", "0.5", "-1", "0", "true", "null", "1e999", f"[{HUGE}]"),
    *('""', '"\\u0000"', '"\\ud800"', f'"{"x" * 400}"', f'"{HUGE}"', '"nan"', "[]", "{}"),
    *("[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900, f'{{"a": {HUGE}}}'),
    f'{{"type": "object", "properties": {{"a": {{"type": "integer", "minimum": {HUGE}}}}}}}',
    f'{{"type": "string", "pattern": "a{{{"9" * 4_400}}}", "minLength": {HUGE}}}',
)


def fields_of(kind: object, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The places of all fields of a request, as deep as four names."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            place = (*before, field.encode_name)
            yield place
            if len(place) < 4:
                yield from fields_of(field.type, place)
    for argument in get_args(kind):
        yield from fields_of(argument, before)


PLACES = [
    (operation.path, place)
    for api in APIS
    for operation in api.operations
    if operation.request is not None
    for place in dict.fromkeys(fields_of(operation.request))
]


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(PLACES), st.sampled_from(LEAVES))
def test_no_value_of_any_field_is_a_failure_of_ours(server, where, leaf: str):
    path, place = where
    body = json.loads(json.dumps(ASKED))
    within = body
    for name in place[:-1]:
        found = within.get(name)
        if isinstance(found, list) and found:
            found = found[0]
        if not isinstance(found, dict):
            found = within[name] = {}
        within = found
    within[place[-1]] = "here"
    with server.client() as client:
        answer = client.post(path, content=json.dumps(body).replace('"here"', leaf))
    assert answer.status_code < 500, answer.text
    assert answer.status_code == 200 or len(answer.text) < 2_500
