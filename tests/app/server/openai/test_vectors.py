"""OpenAI's client asks for vectors."""

import math
from pathlib import Path

import openai
import pytest

from backends.llama_cpp.backend import LlamaCppBackend
from catalog.library import Library
from tests.app.server.conftest import MakeServer
from tests.gguf_encoders import write_encoder


@pytest.fixture
def embedder(library: Library, tmp_path: Path, make_server: MakeServer):
    library.add_file(write_encoder(tmp_path / "finder.gguf"))
    server = make_server(LlamaCppBackend())
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        yield client


def test_vectors_come_in_the_order_of_the_texts(embedder: openai.OpenAI):
    made = embedder.embeddings.create(model="finder", input=["hello", "the eighth"])
    again = embedder.embeddings.create(model="finder", input="the eighth", encoding_format="float")
    assert [each.index for each in made.data] == [0, 1]
    for each in made.data:
        assert math.isclose(math.hypot(*each.embedding), 1, abs_tol=1e-4)
    assert made.data[1].embedding == pytest.approx(again.data[0].embedding, abs=1e-4)
    assert made.data[0].embedding != pytest.approx(made.data[1].embedding, abs=1e-3)
    assert made.usage.prompt_tokens > 0


def test_shorter_vectors_are_of_norm_one_again(embedder: openai.OpenAI):
    made = embedder.embeddings.create(model="finder", input="hello", dimensions=8)
    assert len(made.data[0].embedding) == 8
    assert math.isclose(math.hypot(*made.data[0].embedding), 1, abs_tol=1e-4)


@pytest.mark.parametrize(
    ("field", "value"),
    [("dimensions", 100_000), ("input", [1, "a"]), ("input", ""), ("input", ["a"] * 2049)],
)
def test_what_can_not_be_is_refused(embedder: openai.OpenAI, field, value):
    asked = {"model": "finder", "input": "hello", field: value}
    with pytest.raises(openai.BadRequestError) as caught:
        embedder.embeddings.create(**asked)
    assert caught.value.param == field


def test_a_model_that_chats_makes_no_vectors(client: openai.OpenAI):
    with pytest.raises(openai.BadRequestError, match="makes no vectors"):
        client.embeddings.create(model="polite", input="hello")


def test_a_model_for_vectors_does_not_chat(embedder: openai.OpenAI):
    with pytest.raises(openai.BadRequestError, match="can't answer"):
        embedder.chat.completions.create(
            model="finder", messages=[{"role": "user", "content": "hello"}]
        )


def test_documents_are_ordered_by_how_near_they_come(embedder: openai.OpenAI):
    asked = {"model": "finder", "query": "hello", "documents": ["the eighth", {"text": "hello"}]}
    ranking = embedder.post("/rerank", body=asked, cast_to=object)
    assert ranking["scored_by"] == "cosine"
    assert [each["index"] for each in ranking["results"]] == [1, 0]
    best, other = (each["relevance_score"] for each in ranking["results"])
    assert best == pytest.approx(1, abs=1e-3)
    assert best > other
    assert ranking["usage"]["prompt_tokens"] > 0
    only = embedder.post(
        "/rerank", body={**asked, "top_n": 1, "return_documents": True}, cast_to=object
    )
    assert [each["document"] for each in only["results"]] == [{"text": "hello"}]


@pytest.mark.parametrize(
    ("field", "value"),
    [("query", " "), ("documents", []), ("documents", [""]), ("top_n", 0), ("model", "")],
)
def test_what_can_not_be_ordered_is_refused(embedder: openai.OpenAI, field, value):
    asked = {"model": "finder", "query": "hello", "documents": ["a"], field: value}
    with pytest.raises(openai.BadRequestError):
        embedder.post("/rerank", body=asked, cast_to=object)


def test_a_base_address_may_lack_its_version(embedder: openai.OpenAI):
    bare = embedder.with_options(base_url=str(embedder.base_url).removesuffix("v1/"))
    assert bare.embeddings.create(model="finder", input="hello").data
    assert [model.id for model in bare.models.list()] == ["finder"]
