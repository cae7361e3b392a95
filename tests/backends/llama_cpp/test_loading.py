import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backends.errors import EngineCrashed, LoadCancelled, ModelLoadError, OutOfMemory
from backends.llama_cpp.backend import LlamaCppBackend
from backends.protocol import ChatRequest, LoadOptions, Message
from backends.testing import HELLO, text_of
from tests.backends.conftest import OpenSession
from tests.gguf_files import (
    CORRUPTIONS,
    Corruption,
    Weights,
    corrupt,
    write_adapter,
    write_model,
    write_projector,
)

FAULTY_WORKER = """
import os, signal, sys
from backends.llama_cpp import worker
from backends.llama_cpp.engine import Engine

def die(engine):
    if not engine.info.safe_mode or {always}:
        os.kill(os.getpid(), {signal})

Engine.self_test = die
sys.exit(worker.main())
"""


def load_error(path: Path, **options: int) -> ModelLoadError | OutOfMemory:
    with pytest.raises((ModelLoadError, OutOfMemory)) as error:
        LlamaCppBackend().open(str(path), LoadOptions(**options), lambda _: True)
    assert error.value.what
    assert error.value.why
    return error.value


def faulty_backend(kill_with: signal.Signals, *, always: bool = False) -> LlamaCppBackend:
    code = FAULTY_WORKER.format(signal=int(kill_with), always=always)
    return LlamaCppBackend([sys.executable, "-c", code])


@pytest.mark.parametrize("weights", ["F32", "Q8_0", "Q4_0"])
def test_loads_every_kind_of_weights(
    open_session: OpenSession, tmp_path: Path, weights: Weights
) -> None:
    session = open_session(write_model(tmp_path / "tiny.gguf", weights=weights))
    assert len(text_of(list(session.chat(HELLO)))) > 10
    assert not session.info.safe_mode


def test_says_what_it_loaded(open_session: OpenSession, tmp_path: Path) -> None:
    path = write_model(tmp_path / "tiny.gguf", name="Little one", context_length=16_384)
    info = open_session(path, n_threads=2).info
    assert (info.model, info.n_ctx, info.n_ctx_train) == ("Little one", 8192, 16_384)
    assert (info.n_threads, info.template, info.warnings) == (2, "from the file", ())
    assert info.memory_bytes > 1_000_000
    assert info.load_ms > 0


def test_a_longer_context_than_the_model_was_made_for_is_said(
    open_session: OpenSession, tmp_path: Path
) -> None:
    path = write_model(tmp_path / "tiny.gguf", context_length=512)
    (warning,) = open_session(path, n_ctx=1024).info.warnings
    assert "512" in warning


@pytest.mark.parametrize("n_ctx", [1, 300])
def test_a_context_of_an_odd_length_can_be_filled(
    open_session: OpenSession, tiny_model: Path, n_ctx: int
) -> None:
    session = open_session(tiny_model, n_ctx=n_ctx)
    assert session.info.n_ctx >= n_ctx
    request = ChatRequest(messages=(Message(role="user", content="a" * (n_ctx + 20)),))
    assert text_of(list(session.chat(request)))


def test_loads_a_split_model(open_session: OpenSession, tmp_path: Path) -> None:
    session = open_session(write_model(tmp_path / "tiny.gguf", split_tensors=8))
    assert text_of(list(session.chat(HELLO)))


def test_a_file_name_of_any_script_is_no_problem(open_session: OpenSession, tmp_path: Path) -> None:
    session = open_session(write_model(tmp_path / "größe [1] 模型.gguf"))
    assert text_of(list(session.chat(HELLO)))


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    first = write_model(tmp_path / "tiny.gguf", split_tensors=8)
    next(tmp_path.glob("*-00002-of-*")).unlink()
    assert "missing" in load_error(first).why


@pytest.mark.parametrize("how", CORRUPTIONS)
def test_a_damaged_file_is_refused_in_words(
    tiny_model: Path, tmp_path: Path, how: Corruption
) -> None:
    error = load_error(corrupt(tiny_model, tmp_path / "damaged.gguf", how))
    assert "damaged.gguf" in error.what


def test_weights_that_are_no_numbers_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    error = load_error(corrupt(tiny_model, tmp_path / "nan.gguf", "nan"))
    assert "weights are damaged" in error.why


def test_an_unknown_architecture_is_named(tmp_path: Path) -> None:
    error = load_error(write_model(tmp_path / "new.gguf", architecture="nonesuch"))
    assert "“nonesuch”" in error.why


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    load_error(write_adapter(tmp_path / "adapter.gguf"))
    load_error(write_projector(tmp_path / "projector.gguf"))


def test_a_context_that_fits_nowhere_is_refused_in_words(tiny_model: Path) -> None:
    error = load_error(tiny_model, n_ctx=2**31 - 1)
    assert isinstance(error, OutOfMemory)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "gone.gguf" in load_error(tmp_path / "gone.gguf").what


def test_an_engine_that_does_not_start_is_said(tiny_model: Path, tmp_path: Path) -> None:
    backend = LlamaCppBackend([str(tmp_path / "no-such-program")])
    with pytest.raises(ModelLoadError, match="could not be started"):
        backend.open(str(tiny_model), LoadOptions(), lambda _: True)


def test_cancelling_in_the_middle_of_a_load_ends_the_worker(tiny_model: Path) -> None:
    calls = 0

    def cancel_at_third(_: float) -> bool:
        nonlocal calls
        calls += 1
        return calls < 3

    with pytest.raises(LoadCancelled):
        LlamaCppBackend().open(str(tiny_model), LoadOptions(), cancel_at_third)


@pytest.mark.skipif(os.name != "posix", reason="dies by a signal")
def test_a_worker_that_dies_in_its_self_test_is_started_in_safe_mode(tiny_model: Path) -> None:
    session = faulty_backend(signal.SIGSEGV).open(str(tiny_model), LoadOptions(), lambda _: True)
    try:
        assert session.info.safe_mode
        assert any("safe mode" in warning for warning in session.info.warnings)
        assert text_of(list(session.chat(HELLO)))
    finally:
        session.close()


@pytest.mark.skipif(os.name != "posix", reason="dies by a signal")
@pytest.mark.parametrize(
    ("kill_with", "word"),
    [(signal.SIGSEGV, "fault in the engine"), (signal.SIGILL, "processor"), (9, "memory")],
)
def test_a_worker_that_dies_for_good_is_reported_in_words(
    tiny_model: Path, kill_with: int, word: str
) -> None:
    backend = faulty_backend(signal.Signals(kill_with), always=True)
    with pytest.raises(EngineCrashed) as error:
        backend.open(str(tiny_model), LoadOptions(), lambda _: True)
    assert word in error.value.why


def test_the_program_itself_never_loads_the_native_library() -> None:
    code = (
        "import sys, backends.registry; found, broken = backends.registry.find_backends();"
        "assert found['llama_cpp'] and not broken; sys.exit('llama_cpp' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
