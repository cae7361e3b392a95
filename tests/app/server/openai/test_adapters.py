"""Adapters by request, on a real worker."""

import openai
import pytest

from backends.llama_cpp.backend import LlamaCppBackend
from tests.app.server.conftest import MakeServer
from tests.gguf_adapters import write_adapter_for
from tests.gguf_files import write_model

ASK = [{"role": "user", "content": "hello"}]


@pytest.fixture
def client(make_server: MakeServer, library, other_model, tmp_path):
    library.add_file(write_adapter_for(other_model.path, tmp_path / "terse.gguf"))
    server = make_server(LlamaCppBackend())
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        yield client


def _answer(client: openai.OpenAI, *adapters: dict) -> str:
    answer = client.chat.completions.create(
        model="talkative",
        messages=ASK,
        temperature=0,
        max_tokens=12,
        extra_body={"causeway": {"adapters": list(adapters)}},
    )
    return answer.choices[0].message.content


def test_an_adapter_acts_in_its_request_alone(client: openai.OpenAI):
    plain = _answer(client)
    assert _answer(client, {"adapter": "terse", "scale": 1.0}) != plain
    assert _answer(client, {"adapter": "terse", "scale": 0.0}) == plain
    assert _answer(client) == plain


def test_one_that_is_named_twice_is_refused(client: openai.OpenAI):
    with pytest.raises(openai.BadRequestError, match="only once"):
        _answer(client, {"adapter": "terse"}, {"adapter": "terse"})


def test_one_that_is_too_strong_is_refused(client: openai.OpenAI):
    with pytest.raises(openai.BadRequestError) as caught:
        _answer(client, {"adapter": "terse", "scale": 9})
    assert caught.value.param == "causeway.adapters[0].scale"


def test_one_that_does_not_fit_is_refused(client: openai.OpenAI, library, tmp_path):
    wide = write_model(tmp_path / "wide.gguf", n_embd=128)
    library.add_file(write_adapter_for(wide, tmp_path / "broad.gguf"))
    with pytest.raises(openai.BadRequestError, match="left out"):
        _answer(client, {"adapter": "broad"})
