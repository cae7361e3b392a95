"""What a program does not set is neutral, whatever the makers advise and the person likes."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.paths import Paths
from app.settings_file import SettingsFile
from backends.llama_cpp.backend import LlamaCppBackend
from backends.protocol import Sampling
from catalog.catalogues.bundled import load_bundled
from catalog.library import Library
from tests.app.server.conftest import MakeServer, Served
from tests.catalog.index_server import artifact_for
from tests.scripted_backend import ScriptedBackend

QUESTION = [{"role": "user", "content": "Go on."}]
ADVICE = {"temperature": 0.2, "top_p": 0.7, "repeat_penalty": 1.6}
MODEL = "default"

NEUTRAL = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0)
OLLAMA = msgspec.structs.replace(NEUTRAL, temperature=0.8, top_k=40, top_p=0.9)

PATHS: dict[str, tuple[str, dict[str, Any], Sampling]] = {
    "chat": ("/v1/chat/completions", {"messages": QUESTION, "max_tokens": 40}, NEUTRAL),
    "completions": ("/v1/completions", {"prompt": "Go on.", "max_tokens": 40}, NEUTRAL),
    "responses": ("/v1/responses", {"input": QUESTION, "max_output_tokens": 40}, NEUTRAL),
    "anthropic": ("/v1/messages", {"messages": QUESTION, "max_tokens": 40}, NEUTRAL),
    "ollama chat": (
        "/api/chat",
        {"messages": QUESTION, "stream": False, "options": {"num_predict": 40}},
        OLLAMA,
    ),
    "ollama generate": (
        "/api/generate",
        {"prompt": "Go on.", "stream": False, "options": {"num_predict": 40}},
        OLLAMA,
    ),
}


@pytest.fixture
def library(paths: Paths, other_model_file: Path) -> Library:
    """Has a model whose makers advise how to sample."""
    bundled = load_bundled()
    artifact = artifact_for(
        other_model_file.read_bytes(), f"pack/{other_model_file.name}", quant="F32"
    )
    entry = msgspec.structs.replace(bundled.entries[0], artifacts=(artifact,), sampling=ADVICE)
    catalogue = msgspec.structs.replace(bundled, entries=(entry,))
    library = Library(paths.models_folder, paths.library_file, catalogue)
    assert library.add_file(other_model_file).entry == entry
    return library


def ask(server: Served, name: str, **more: Any) -> dict[str, Any]:
    path, body, _ = PATHS[name]
    if "options" in body and "options" in more:
        more["options"] = {**body["options"], **more["options"]}
    headers = {"anthropic-version": "2023-06-01"} if name == "anthropic" else {}
    with server.client() as client:
        answer = client.post(path, json={"model": MODEL, **body, **more}, headers=headers)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content)


@pytest.mark.parametrize("name", PATHS)
def test_what_a_program_leaves_open_is_as_its_api_says(
    make_server: MakeServer, scripted: ScriptedBackend, paths: Paths, name: str
):
    liked = {"temperature": 0.4, "presence_penalty": 1.0, "seed": 3}
    SettingsFile(paths.settings_file).update(chat_defaults=liked)
    ask(make_server(scripted), name)
    assert scripted.requests[-1].sampling == PATHS[name][2]
    assert scripted.requests[-1].chosen == ()


@pytest.mark.parametrize("name", PATHS)
def test_a_program_can_ask_for_the_advice(
    make_server: MakeServer, scripted: ScriptedBackend, paths: Paths, name: str
):
    SettingsFile(paths.settings_file).update(chat_defaults={"temperature": 0.4})
    ask(make_server(scripted), name, causeway={"advice": True, "options": {"top_p": 0.5}})
    sampling = scripted.requests[-1].sampling
    assert (sampling.temperature, sampling.top_p, sampling.repeat_penalty) == (0.4, 0.5, 1.6)


@pytest.fixture
def real(make_server: MakeServer) -> Served:
    return make_server(LlamaCppBackend())


def test_at_temperature_0_the_likeliest_token_is_chosen(real: Served):
    chat = ask(real, "chat", temperature=0, logprobs=True, top_logprobs=2)["choices"][0]
    chosen = chat["logprobs"]["content"]
    assert len(chosen) == 40
    assert all(each["token"] == each["top_logprobs"][0]["token"] for each in chosen)

    text = ask(real, "completions", temperature=0, logprobs=2)["choices"][0]["logprobs"]
    best = [max(top.values()) for top in text["top_logprobs"]]
    assert text["token_logprobs"] == best

    greedy = {"options": {"temperature": 0}, "logprobs": True, "top_logprobs": 2}
    for name in ("ollama chat", "ollama generate"):
        answer = ask(real, name, **greedy)
        assert answer["logprobs"]
        assert all(each["token"] == each["top_logprobs"][0]["token"] for each in answer["logprobs"])


def test_apis_without_probabilities_choose_the_same_tokens(real: Served):
    chat = ask(real, "chat", temperature=0)["choices"][0]["message"]["content"]
    response = ask(real, "responses", temperature=0)
    assert response["output"][0]["content"][0]["text"] == chat
    assert ask(real, "anthropic", temperature=0)["content"][0]["text"] == chat
