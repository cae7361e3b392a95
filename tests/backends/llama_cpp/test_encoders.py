"""Models that make vectors and nothing else."""

import contextlib
import threading
from collections.abc import Sequence
from pathlib import Path

import gguf
import pytest

from backends.errors import BackendError, ModelLoadError, OutOfMemory, PromptTooLong, Unsupported
from backends.protocol import Embeddings, Session
from tests.backends.conftest import OpenSession
from tests.backends.llama_cpp.conversing import request, user
from tests.gguf_encoders import write_encoder
from tests.gguf_files import write_model

TEXTS = ("the cat", "a dog is on the sea", "the cat", "", "cat " * 90, "✨")

NEARLY = 2e-3
"""Attention is computed with 16 bits, in another order in another batch."""


@pytest.fixture(params=["MEAN", "CLS", "LAST", None])
def encoder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    pooling = gguf.PoolingType[request.param] if request.param else None
    return write_encoder(tmp_path / "encoder.gguf", pooling=pooling)


def vectors_alone(session: Session, texts: Sequence[str]) -> list[tuple[float, ...]]:
    return [session.embed([text]).vectors[0] for text in texts]


def test_a_text_has_one_vector_whatever_it_is_read_together_with(
    open_session: OpenSession, encoder: Path
) -> None:
    session = open_session(encoder, embedding=True)
    together = session.embed(TEXTS)
    for vector, alone in zip(together.vectors, vectors_alone(session, TEXTS), strict=True):
        assert vector == pytest.approx(alone, abs=NEARLY)
    assert together.vectors[0] == pytest.approx(together.vectors[2], abs=NEARLY)
    assert together.vectors[0] != pytest.approx(together.vectors[1], abs=1e-2)
    assert {len(vector) for vector in together.vectors} == {64}
    assert session.info.embedding_length == 64


def test_the_pooling_is_the_files_and_else_the_mean(
    open_session: OpenSession, tmp_path: Path
) -> None:
    vectors = {}
    for pooling in (gguf.PoolingType.MEAN, gguf.PoolingType.CLS, gguf.PoolingType.LAST, None):
        path = write_encoder(tmp_path / f"{pooling}.gguf", pooling=pooling)
        vectors[pooling] = open_session(path, embedding=True).embed(["a cat"]).vectors[0]
    assert vectors[None] == pytest.approx(vectors[gguf.PoolingType.MEAN], abs=1e-6)
    assert len({vector[:1] for vector in vectors.values()}) == 3


def test_a_model_that_writes_makes_the_mean_where_its_file_says_so(
    open_session: OpenSession, tmp_path: Path
) -> None:
    last = write_model(tmp_path / "last.gguf", pooling=gguf.PoolingType.LAST)
    mean = write_model(tmp_path / "mean.gguf", pooling=gguf.PoolingType.MEAN)
    session = open_session(mean, embedding=True)
    together = session.embed(TEXTS)
    for vector, alone in zip(together.vectors, vectors_alone(session, TEXTS), strict=True):
        assert vector == pytest.approx(alone, abs=NEARLY)
    of_last = open_session(last, embedding=True).embed(TEXTS)
    assert together.vectors[0] != pytest.approx(of_last.vectors[0], abs=1e-2)
    assert together.tokens == of_last.tokens


def test_long_texts_are_read_among_short_ones(open_session: OpenSession, tmp_path: Path) -> None:
    path = write_encoder(tmp_path / "encoder.gguf", context_length=2048)
    session = open_session(path, embedding=True)
    texts = ["the cat", "cat " * 1500, "a dog", "dog " * 800, *["sea"] * 100, "cat " * 2046]
    together = session.embed(texts)
    for vector, alone in zip(together.vectors, vectors_alone(session, texts), strict=True):
        assert vector == pytest.approx(alone, abs=NEARLY)


def test_a_text_longer_than_the_table_of_positions_is_named(
    open_session: OpenSession, tmp_path: Path
) -> None:
    path = write_encoder(tmp_path / "encoder.gguf", context_length=100)
    session = open_session(path, embedding=True, n_ctx=4096)
    assert session.info.n_ctx == 100
    assert session.embed(["cat " * 98]).tokens == 100
    with pytest.raises(PromptTooLong) as error:
        session.embed(["cat", "cat " * 99])
    assert "Text 2 of 2" in error.value.what
    assert session.embed(["cat"]).vectors


def test_a_context_can_be_set_shorter(open_session: OpenSession, tmp_path: Path) -> None:
    session = open_session(write_encoder(tmp_path / "e.gguf"), embedding=True, n_ctx=64)
    assert session.info.n_ctx == 64
    with pytest.raises(PromptTooLong):
        session.embed(["cat " * 100])


def test_an_encoder_does_not_chat(open_session: OpenSession, tmp_path: Path) -> None:
    path = write_encoder(tmp_path / "encoder.gguf")
    with pytest.raises(ModelLoadError) as refused:
        open_session(path)
    assert refused.value.what == "This model can't chat."
    session = open_session(path, embedding=True)
    with pytest.raises(Unsupported) as unsupported:
        list(session.chat(request(user("Hello"))))
    assert unsupported.value.what
    assert session.embed(["cat"]).vectors


def test_a_model_that_ranks_is_refused_in_words(open_session: OpenSession, tmp_path: Path) -> None:
    path = write_encoder(tmp_path / "ranks.gguf", pooling=gguf.PoolingType.RANK)
    with pytest.raises(Unsupported) as error:
        open_session(path, embedding=True)
    assert "ranks" in error.value.why


def test_useless_weights_are_found_before_the_first_text(
    open_session: OpenSession, tmp_path: Path
) -> None:
    with pytest.raises(ModelLoadError) as error:
        open_session(write_encoder(tmp_path / "nan.gguf", damaged=True), embedding=True)
    assert "damaged" in error.value.why


def test_a_vocabulary_too_large_for_a_long_text_costs_that_text_alone(
    open_session: OpenSession, tmp_path: Path
) -> None:
    """llama.cpp makes room for the scores of each token in the vocabulary, for each of the text."""
    path = write_encoder(
        tmp_path / "many.gguf", context_length=2048, n_embd=32, n_layers=1, filler_words=150_000
    )
    session = open_session(path, embedding=True)
    texts = ["cat " * 300, *["a dog"] * 40]
    with contextlib.suppress(OutOfMemory):
        assert len(session.embed(texts).vectors) == 41
    assert session.embed(["a dog"]).vectors


def test_callers_at_once_all_get_their_vectors(open_session: OpenSession, tmp_path: Path) -> None:
    session = open_session(write_encoder(tmp_path / "encoder.gguf"), embedding=True)
    expected = [session.embed([f"cat {i}", "dog"]) for i in range(6)]
    made: dict[int, Embeddings | BackendError] = {}

    def embed(number: int) -> None:
        try:
            made[number] = session.embed([f"cat {number}", "dog" if number else "cat " * 9999])
        except BackendError as error:
            made[number] = error

    threads = [threading.Thread(target=embed, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert isinstance(made[0], PromptTooLong)
    for i in range(1, 6):
        one = made[i]
        assert isinstance(one, Embeddings)
        assert one.vectors[0] == pytest.approx(expected[i].vectors[0], abs=NEARLY)


def test_tokens_of_messages_are_counted_without_a_template(
    open_session: OpenSession, tmp_path: Path
) -> None:
    session = open_session(write_encoder(tmp_path / "encoder.gguf"), embedding=True)
    assert session.count_tokens([user("the cat")]) == 4
