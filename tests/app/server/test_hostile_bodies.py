"""Bodies that nobody means well with, on every path of the Ollama and Anthropic APIs."""

import json

import pytest

from app.server.apis import ANTHROPIC, OLLAMA

PATHS = [
    operation.path
    for api in (OLLAMA, ANTHROPIC)
    for operation in api.operations
    if operation.request is not None
]
MODEL = {"model": "polite", "max_tokens": 5}
DEEP = "[" * 50_000 + "]" * 50_000
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
