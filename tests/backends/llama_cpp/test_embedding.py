"""Vectors from a model that also writes: of its last token, beside its answers."""

import threading
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest

from backends.errors import EngineCrashed, ModelLoadError, PromptTooLong, Unsupported
from backends.llama_cpp.process import WorkerProcess, default_command
from backends.llama_cpp.session import LlamaCppSession
from backends.llama_cpp.wire import Embed, Embedded, Load, Loaded, Vector
from backends.protocol import Embeddings, Finished, LoadOptions, StateKeeping, TextDelta
from backends.testing import last, text_of
from tests.backends.conftest import OpenSession
from tests.backends.llama_cpp.conversing import adapters, evaluated, request, user
from tests.gguf_files import corrupt, write_adapter, write_model, write_recurrent_model

TEXTS = ("the cat", "a dog and the cat", "the cat", "", "ello " * 150, "✨")


@pytest.fixture(params=[write_model, write_recurrent_model], ids=["attention", "recurrent"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write: Callable[..., Path] = request.param
    return write(tmp_path / "model.gguf", context_length=8192)


def same(one: Embeddings, other: Embeddings) -> bool:
    return one.tokens == other.tokens and all(
        vector == pytest.approx(expected, abs=1e-4)
        for vector, expected in zip(one.vectors, other.vectors, strict=True)
    )


def test_a_text_has_one_vector_whatever_it_is_read_together_with(
    open_session: OpenSession, model: Path
) -> None:
    session = open_session(model)
    together = session.embed(TEXTS)
    alone = [session.embed([text]) for text in TEXTS]
    one_by_one = Embeddings(
        vectors=tuple(made.vectors[0] for made in alone), tokens=sum(made.tokens for made in alone)
    )
    assert same(together, one_by_one)
    assert together.vectors[0] == pytest.approx(together.vectors[2], abs=1e-4)
    assert together.vectors[0] != pytest.approx(together.vectors[1], abs=1e-2)
    assert {len(vector) for vector in together.vectors} == {session.info.embedding_length}


def test_an_answer_beside_which_vectors_are_made_is_the_one_without(
    open_session: OpenSession, model: Path
) -> None:
    question = request(user("Hello there"), max_tokens=200)
    expected = text_of(list(open_session(model).chat(question)))
    session = open_session(model)
    vectors = open_session(model).embed(TEXTS)
    stream = session.chat(question)
    made: list[Embeddings] = []
    embedding = threading.Thread(target=lambda: made.extend(session.embed(TEXTS) for _ in "123"))
    embedding.start()
    text = text_of(list(stream))
    embedding.join()
    assert text == expected
    assert all(same(each, vectors) for each in made)


def test_an_answer_with_adapters_goes_on_with_them_and_vectors_are_made_without(
    open_session: OpenSession, tiny_model: Path, tmp_path: Path
) -> None:
    stack = adapters((write_adapter(tmp_path / "one.gguf"), 1.0))
    question = request(user("Hello"), max_tokens=300, adapters=stack)
    session = open_session(tiny_model)
    expected, vectors = text_of(list(session.chat(question))), session.embed(TEXTS)
    stream = session.chat(question)
    first = [next(stream), next(stream)]
    made = session.embed(TEXTS)
    assert text_of([*first, *stream]) == expected
    assert same(made, vectors)


def test_what_was_read_for_a_vector_is_not_kept(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    question = request(user("the ello thing is " * 30), max_tokens=5)
    first = list(session.chat(question))
    session.embed(["the ello thing is " * 30] * 3)
    again = list(session.chat(question))
    assert text_of(again) == text_of(first)
    assert evaluated(again) <= 1, "the chat had to be read again"
    other = list(session.chat(request(user("a text of which nothing is known"), max_tokens=1)))
    assert last(other).usage.cached_tokens < 16


def test_nothing_of_a_text_goes_to_the_disk(
    open_session: OpenSession, model: Path, tmp_path: Path
) -> None:
    states = tmp_path / "states"
    keep = StateKeeping(folder=str(states), limit_bytes=2**30)
    session = open_session(model, keep=keep, memory_for_states=1)
    session.embed(["the ello thing is " * 30] * 3)
    session.close()
    assert not list(states.rglob("*.state"))
    session = open_session(model, keep=keep, memory_for_states=1)
    list(session.chat(request(user("the ello thing is " * 30))))
    session.close()
    assert list(states.rglob("*.state")), "of a chat it does"


def test_a_text_too_long_for_the_context_is_named(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model, n_ctx=256)
    with pytest.raises(PromptTooLong) as error:
        session.embed(["short", "ello " * 300, "short"])
    assert "Text 2 of 3" in error.value.what
    assert "256" in error.value.why
    assert session.embed(["short"]).vectors


def test_a_text_that_no_model_could_read_is_refused_before_it_is_tokenized(
    open_session: OpenSession, tiny_model: Path
) -> None:
    with pytest.raises(PromptTooLong):
        open_session(tiny_model, n_ctx=256).embed(["x" * 20_000_000])


def test_texts_that_are_too_much_together_never_reach_the_worker(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    with pytest.raises(PromptTooLong) as error:
        session.embed(["x" * 1_000_000] * 40)
    assert "together" in error.value.what
    assert session.alive


def test_a_text_that_fills_the_context_is_read_beside_a_chat_that_does(
    open_session: OpenSession, tiny_model: Path
) -> None:
    """One gives way to the other, and neither is told of it."""
    question = request(user("Talk"), max_tokens=220)
    text = "x" * 240
    roomy = open_session(tiny_model, n_ctx=4096)
    expected, vector = text_of(list(roomy.chat(question))), roomy.embed([text])
    session = open_session(tiny_model, n_ctx=256)
    stream = session.chat(question)
    made: list[Embeddings] = []
    embedding = threading.Thread(target=lambda: made.append(session.embed([text])))
    embedding.start()
    events = list(stream)
    embedding.join()
    assert text_of(events) == expected
    assert last(events).usage.completion_tokens == 220
    assert same(made[0], vector)


def test_texts_do_not_hold_up_an_answer(open_session: OpenSession, tiny_model: Path) -> None:
    session = open_session(tiny_model)
    embedding = threading.Thread(target=session.embed, args=([f"{i} ello" for i in range(2000)],))
    embedding.start()
    events = list(session.chat(request(user("Hello"), max_tokens=10)))
    still_embedding = embedding.is_alive()
    embedding.join()
    assert last(events).usage.completion_tokens == 10
    assert still_embedding


def test_one_text_does_not_wait_for_a_thousand_of_somebody_else(tiny_model: Path) -> None:
    process = WorkerProcess(default_command())
    try:
        _, loading = process.order(Load(str(tiny_model), LoadOptions(n_threads=1), False))
        while not isinstance(loading.get(), Loaded):
            pass
        _, many = process.order(Embed(("ello " * 100,) * 1000))
        many.get()
        _, one = process.order(Embed(("a",)))
        assert [type(one.get()) for _ in range(2)] == [Vector, Embedded]
        assert not many.ended.is_set()
    finally:
        process.close()


def test_a_cancelled_order_makes_way_for_the_next(tiny_model: Path) -> None:
    process = WorkerProcess(default_command())
    try:
        options = LoadOptions(n_threads=1)
        _, loading = process.order(Load(str(tiny_model), options, False))
        while not isinstance(loading.get(), Loaded):
            pass
        job, replies = process.order(Embed(("ello " * 1000,) * 500))
        first = replies.get()
        process.cancel(job, replies)
        _, others = process.order(Embed(("a", "b")))
        said = [first]
        while not isinstance(said[-1], Finished):
            said.append(replies.get())
        assert said[-1] == Finished("cancelled")
        assert len(said) < 100
        assert [type(others.get()) for _ in range(3)] == [Vector, Vector, Embedded]
    finally:
        process.close()


def test_closing_the_session_ends_the_texts_in_words(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model)
    errors: list[EngineCrashed] = []

    def embed() -> None:
        try:
            session.embed(["ello " * 1000] * 500)
        except EngineCrashed as error:
            errors.append(error)

    embedding = threading.Thread(target=embed)
    embedding.start()
    session.close()
    embedding.join()
    assert errors[0].what


def test_a_model_for_embedding_alone_refuses_to_chat(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model, embedding=True)
    assert same(session.embed(TEXTS), open_session(tiny_model).embed(TEXTS))
    with pytest.raises(Unsupported) as error:
        list(session.chat(request(user("Hello"))))
    assert error.value.what


@pytest.mark.parametrize("how", ["RANK", "MEAN", "LAST"])
def test_a_chat_makes_vectors_only_as_its_file_says(
    open_session: OpenSession, tmp_path: Path, how: str
) -> None:
    path = write_model(tmp_path / "model.gguf", pooling=gguf.PoolingType[how])
    session = open_session(path)
    if how == "LAST":
        assert session.embed(["the cat"]).vectors
        return
    with pytest.raises(Unsupported) as error:
        session.embed(["the cat"])
    assert error.value.what
    stream = session.chat(request(user("Hello"), max_tokens=3))
    assert any(isinstance(event, TextDelta) for event in stream)


def test_a_session_of_useless_weights_is_not_opened_for_embedding(
    open_session: OpenSession, tiny_model: Path, tmp_path: Path
) -> None:
    damaged = corrupt(tiny_model, tmp_path / "nan.gguf", "nan")
    with pytest.raises(ModelLoadError):
        open_session(damaged, embedding=True)


def test_the_texts_of_several_callers_all_get_theirs(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session: LlamaCppSession = open_session(tiny_model)
    expected = [session.embed([f"{i}", f"ello {i}"]) for i in range(6)]
    made: dict[int, Embeddings] = {}

    def embed(number: int) -> None:
        made[number] = session.embed([f"{number}", f"ello {number}"])

    threads = [threading.Thread(target=embed, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(made[i], expected[i]) for i in range(6))
