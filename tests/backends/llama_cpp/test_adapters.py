"""Adapters of every kind of goodness, on a real worker."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from backends.errors import BadAdapter
from backends.testing import text_of
from tests.backends.conftest import OpenSession
from tests.backends.llama_cpp.conversing import adapters, ask_together, request, user
from tests.gguf_adapters import write_adapter_for
from tests.gguf_files import CORRUPTIONS, Corruption, corrupt, write_adapter, write_projector


def renamed(source: Path, old: bytes, new: bytes) -> Path:
    source.write_bytes(source.read_bytes().replace(old, new))
    return source


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "shape": (lambda path: write_adapter(path, n_embd=32), "dimensions"),
    "architecture": (
        lambda path: renamed(write_adapter(path), b"llama", b"qwen2"),
        "another architecture",
    ),
    "layers": (lambda path: renamed(write_adapter(path), b"blk.1.", b"blk.7."), "blk.7."),
    "no adapter": (write_projector, "no LoRA adapter"),
    "missing": (lambda path: path, "can't be read"),
    "parts": (lambda path: renamed(write_adapter(path), b"lora_a", b"lora_x"), "lora_x"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_adapter_is_refused_in_words_and_the_model_goes_on(
    open_session: OpenSession, tiny_model: Path, tmp_path: Path, kind: str
) -> None:
    write, word = BAD[kind]
    path = write(tmp_path / "bad.gguf")
    session = open_session(tiny_model)
    before = text_of(list(session.chat(request(user("Hello")))))
    with pytest.raises(BadAdapter) as error:
        list(session.chat(request(user("Hello"), adapters=adapters((path, 1.0)))))
    assert "“bad.gguf”" in error.value.what
    assert word in error.value.why
    assert error.value.fix
    assert text_of(list(session.chat(request(user("Hello"))))) == before


@pytest.mark.parametrize("how", [*CORRUPTIONS, "nan"])
def test_a_damaged_adapter_is_refused_in_words(
    open_session: OpenSession, tiny_model: Path, tmp_path: Path, how: Corruption
) -> None:
    path = corrupt(write_adapter(tmp_path / "good.gguf"), tmp_path / "bad.gguf", how)
    session = open_session(tiny_model)
    with pytest.raises(BadAdapter) as error:
        list(session.chat(request(user("Hello"), adapters=adapters((path, 1.0)))))
    assert "damaged" in error.value.why
    assert session.alive


def test_a_scale_that_is_no_number_is_refused(
    open_session: OpenSession, tiny_model: Path, tmp_path: Path
) -> None:
    path = write_adapter(tmp_path / "adapter.gguf")
    with pytest.raises(BadAdapter, match="scale"):
        list(
            open_session(tiny_model).chat(
                request(user("Hello"), adapters=adapters((path, float("nan"))))
            )
        )


def test_each_scale_gives_another_answer_and_the_order_does_not_matter(
    open_session: OpenSession, tiny_model: Path, tmp_path: Path
) -> None:
    one = write_adapter(tmp_path / "one.gguf")
    other = write_adapter(tmp_path / "other.gguf", seed=2)
    session = open_session(tiny_model)

    def answer(*stack: tuple[Path, float]) -> str:
        return text_of(list(session.chat(request(user("Hello there"), adapters=adapters(*stack)))))

    given = {answer(), answer((one, 1.0)), answer((one, 2.0)), answer((one, -1.0))}
    assert len(given) == 4
    assert answer((one, 1.0), (other, 2.0)) == answer((other, 2.0), (one, 1.0))
    assert answer((one, 1.0), (one, 1.0)) == answer((one, 2.0))


def test_a_file_that_was_replaced_is_loaded_anew(
    open_session: OpenSession, tiny_model: Path, tmp_path: Path
) -> None:
    path = write_adapter(tmp_path / "adapter.gguf")
    session = open_session(tiny_model)
    asked = request(user("Hello there"), adapters=adapters((path, 2.0)))
    first = text_of(list(session.chat(asked)))
    another = write_adapter(tmp_path / "another.gguf", seed=5)
    os.utime(another, ns=(1, 1))
    another.replace(path)
    assert text_of(list(session.chat(asked))) != first


def test_the_same_file_under_another_name_is_the_same_adapter(
    open_session: OpenSession, tiny_model: Path, tmp_path: Path
) -> None:
    path = write_adapter(tmp_path / "adapter.gguf")
    session = open_session(tiny_model)
    list(session.chat(request(user("Hello"), adapters=adapters((path, 1.0)))))
    moved = path.rename(tmp_path / "moved.gguf")
    events = list(session.chat(request(user("Hello"), adapters=adapters((moved, 1.0)))))
    assert events[-1].usage.cached_tokens == events[-1].usage.prompt_tokens - 1  # type: ignore[union-attr]


def test_an_adapter_too_strong_to_compute_with_is_refused_and_spoils_no_other_answer(
    open_session: OpenSession, tiny_model: Path, tmp_path: Path
) -> None:
    path = write_adapter_for(tiny_model, tmp_path / "strong.gguf", strength=1e30)
    session = open_session(tiny_model)
    plain = [request(user("Hello"), max_tokens=60), request(user("Good evening"), max_tokens=60)]
    before = [text_of(list(session.chat(each))) for each in plain]
    strong = session.chat(request(user("Hello"), adapters=adapters((path, 1.0))))
    together = ask_together(session, plain)
    with pytest.raises(BadAdapter) as error:
        list(strong)
    assert "numbers that are none" in error.value.why
    assert [text_of(events) for events in together] == before
    assert [text_of(list(session.chat(each))) for each in plain] == before
