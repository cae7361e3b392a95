"""Vectors by the official client of Ollama."""

import math

import msgspec
import ollama
import pytest

from app.models import OfferedModel
from backends.errors import PromptTooLong
from backends.protocol import Embeddings
from tests.scripted_backend import ScriptedBackend, ScriptedSession

FINDER = OfferedModel(
    id="test:finder",
    name="Finder",
    backend="vectors",
    model="finder",
    source="Test",
    leaves=False,
    embeds=True,
)
LONGEST_TEXT = 100


class VectorSession(ScriptedSession):
    """Makes vectors of four numbers."""

    def embed(self, texts):
        if any(len(text) > LONGEST_TEXT for text in texts):
            raise PromptTooLong("The text is too long.")
        return Embeddings(vectors=((0.5, 0.5, 0.5, 0.5),) * len(texts), tokens=3 * len(texts))


class VectorBackend(ScriptedBackend):
    def __init__(self) -> None:
        super().__init__()
        self.capabilities = msgspec.structs.replace(self.capabilities, embed=True)

    def open(self, model, options, on_progress):
        return VectorSession(self, model, options)


@pytest.fixture
def client(make_server, scripted, model):
    server = make_server(
        scripted, offers=(FINDER,), backends={"vectors": VectorBackend()}, serve_connections=True
    )
    with ollama.Client(server.url) as client:
        yield client


def test_texts_become_vectors(client):
    answer = client.embed("test:finder", ["one", "two"])
    assert [list(vector) for vector in answer.embeddings] == [[0.5] * 4] * 2
    assert answer.prompt_eval_count == 6
    assert len(client.embed("test:finder", "one").embeddings) == 1
    assert list(client.embed("test:finder", []).embeddings) == []


def test_vectors_are_cut_to_the_length_that_is_asked_for(client):
    (vector,) = client.embed("test:finder", "one", dimensions=2).embeddings
    assert list(vector) == pytest.approx([math.sqrt(0.5)] * 2)


def test_older_clients_get_theirs(client):
    assert list(client.embeddings("test:finder", "one").embedding) == [0.5] * 4
    assert list(client.embeddings("test:finder", "").embedding) == []


def test_the_model_is_shown_as_one_for_vectors(client):
    assert client.show("test:finder").capabilities == ["embedding"]
    with pytest.raises(ollama.ResponseError, match="vectors") as caught:
        client.generate("test:finder", "one")
    assert caught.value.status_code == 400
    with pytest.raises(ollama.ResponseError, match="vectors"):
        client.generate("test:finder", "")


def test_a_text_that_is_too_long_is_refused(client):
    with pytest.raises(ollama.ResponseError, match="too long") as caught:
        client.embed("test:finder", "x" * 200)
    assert caught.value.status_code == 400
