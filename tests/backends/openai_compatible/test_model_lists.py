import msgspec
import pytest

from backends.errors import BackendError, BadAnswer
from backends.openai_compatible.model_list import models_in
from backends.openai_compatible.providers import provider_of
from tests.backends.openai_compatible.conftest import backend_at
from tests.backends.openai_compatible.openai_server import OpenAIServer, Reply

LISTS = {
    "openai": (
        {"data": [{"id": "gpt-5"}, {"id": "whisper-1"}, {"id": "text-embedding-3-small"},
                  {"id": "gpt-image-1"}, {"id": "omni-moderation-latest"}]},
        [("gpt-5", 0, False), ("text-embedding-3-small", 0, True)],
    ),
    "anthropic": (
        {"data": [{"id": "claude-x", "type": "model", "display_name": "Claude X"}]},
        [("claude-x", 0, False)],
    ),
    "mistral": (
        {"data": [
            {"id": "mistral-large", "max_context_length": 131072,
             "capabilities": {"completion_chat": True}},
            {"id": "mistral-embed", "capabilities": {"completion_chat": False}},
            {"id": "voxtral-tts", "capabilities": {"completion_chat": False}}]},
        [("mistral-embed", 0, True), ("mistral-large", 131072, False)],
    ),
    "groq": (
        {"data": [{"id": "llama", "active": True, "context_window": 8192},
                  {"id": "gone", "active": False}, {"id": "whisper-large"}]},
        [("llama", 8192, False)],
    ),
    "openrouter": (
        {"data": [
            {"id": "a/b", "name": "A: B", "context_length": 200000,
             "architecture": {"output_modalities": ["text"]}},
            {"id": "a/draws", "name": "Draws", "architecture": {"output_modalities": ["image"]}}]},
        [("a/b", 200000, False)],
    ),
    "together": (
        [{"id": "m", "type": "chat", "context_length": 4096}, {"id": "i", "type": "image"},
         {"id": "bge", "type": "embedding"}],
        [("bge", 0, True), ("m", 4096, False)],
    ),
    "vllm": ({"data": [{"id": "q", "max_model_len": 32768}]}, [("q", 32768, False)]),
    "llama-server": (
        {"models": [{"name": "x"}], "data": [{"id": "x", "meta": {"n_ctx": 2048}}]},
        [("x", 2048, False)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("provider", LISTS)
def test_the_models_of_a_service_that_can_be_used_are_listed(
    server: OpenAIServer, provider: str
) -> None:
    server.models, expected = LISTS[provider]
    found = backend_at(server.url, provider=provider, key="sk-key").models()
    assert [(model.id, model.context_length, model.embeds) for model in found] == expected


def test_models_have_the_names_that_the_service_shows(server: OpenAIServer) -> None:
    server.models, _ = LISTS["anthropic"]
    found = backend_at(server.url, provider="anthropic", key="sk-key").models()
    assert found[0].name == "Claude X"
    assert server.requests[0].path == "/v1/models?limit=1000"


@pytest.mark.parametrize(
    ("id", "name"),
    [
        ("/srv/models/tiny.gguf", "tiny.gguf"),
        (r"C:\models\tiny.gguf", "tiny.gguf"),
        ("acme/tiny", "acme/tiny"),
        ("/models/", "/models/"),
    ],
)
def test_a_model_that_is_called_by_its_path_is_shown_by_its_file(id: str, name: str) -> None:
    (model,) = models_in(
        msgspec.json.encode({"data": [{"id": id}]}), provider_of("custom").model_list, ""
    )
    assert (model.id, model.name) == (id, name)


@pytest.mark.parametrize(
    "item",
    [None, 5, "x", [], {}, {"id": 3}, {"id": ""}, {"id": "x" * 5000}, {"id": "a\nb"},
     {"id": "a\u202eb"}, {"name": "no id"}],
)  # fmt: skip
def test_what_is_no_model_is_passed_over(item: object) -> None:
    import msgspec

    body = msgspec.json.encode({"data": [item, {"id": "good", "context_length": "long"}]})
    found = models_in(body, provider_of("custom").model_list, "")
    assert [(model.id, model.context_length) for model in found] == [("good", 0)]


@pytest.mark.parametrize("body", [b"", b"{}", b"5", b'{"data": 3}', b"<html>", b"[" * 99_999])
def test_what_is_no_list_is_said_to_be_none(server: OpenAIServer, body: bytes) -> None:
    server.script = [Reply(body=body)]
    with pytest.raises(BadAnswer, match="lists no models"):
        backend_at(server.url).models()


@pytest.mark.parametrize("fault", ["huge", "mute", "drip headers", "no http", "redirect loop"])
def test_a_list_that_does_not_come_is_given_up(server: OpenAIServer, fault: str) -> None:
    from tests.backends.openai_compatible.conftest import QUICK, replaced

    server.script = [fault]
    patience = replaced(QUICK, listing=0.5) if fault != "huge" else QUICK
    with pytest.raises(BackendError):
        backend_at(server.url, patience=patience).models()


def test_an_address_without_a_list_is_said_to_be_wrong(server: OpenAIServer) -> None:
    with pytest.raises(BadAnswer, match="address"):
        backend_at(f"{server.origin}/other").models()
