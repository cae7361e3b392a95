"""Each option of loading has its effect, in a real worker."""

import sys
from pathlib import Path

import pytest

from backends.errors import ModelLoadError
from backends.llama_cpp.backend import LlamaCppBackend
from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import CacheType, LoadOptions
from backends.testing import text_of
from catalog.fit.fit import estimate
from catalog.gguf.files import read_header
from tests.backends.conftest import OpenSession
from tests.backends.llama_cpp.conversing import assistant, evaluated, request, user
from tests.gguf_files import write_model, write_recurrent_model

N_CTX = 4096
WITHIN = 0.1
MIB = 1 << 20
BITS: dict[CacheType, float] = {"f16": 16, "q8_0": 8.5, "q4_0": 4.5}

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at the worker through /proc")

# Root may lock what it likes, so the worker must lose that right too.
UNPRIVILEGED_WORKER = """
import ctypes, resource, sys
from backends.llama_cpp import worker

version_3_of_this_thread = (ctypes.c_uint32 * 2)(0x20080522, 0)
nothing = (ctypes.c_uint32 * 6)()
assert ctypes.CDLL(None).capset(version_3_of_this_thread, nothing) == 0
resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
sys.exit(worker.main())
"""


@pytest.fixture(scope="module")
def wide_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its heads have 32 numbers, as many as a quantized block."""
    path = tmp_path_factory.mktemp("models") / "wide.gguf"
    return write_model(path, n_embd=128, context_length=N_CTX)


def kv_and_compute(session: LlamaCppSession) -> tuple[int, int]:
    allocated = session.info.allocated
    assert allocated is not None
    return allocated.kv_cache, allocated.compute


def hello(session: LlamaCppSession) -> str:
    return text_of(list(session.chat(request(user("Hello")))))


def status_of(session: LlamaCppSession, field: str) -> str:
    lines = Path(f"/proc/{session.pid}/status").read_text().splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith(f"{field}:"))


def is_mapped(session: LlamaCppSession, path: Path) -> bool:
    return str(path) in Path(f"/proc/{session.pid}/maps").read_text()


@pytest.mark.parametrize("cache_type", BITS)
def test_a_cache_takes_what_its_type_says(
    open_session: OpenSession, wide_model: Path, cache_type: CacheType
) -> None:
    plain, _ = kv_and_compute(open_session(wide_model, n_ctx=N_CTX))
    taken, _ = kv_and_compute(open_session(wide_model, n_ctx=N_CTX, cache_type=cache_type))
    assert taken == pytest.approx(plain * BITS[cache_type] / 16, abs=0.02 * MIB)


@pytest.mark.parametrize("cache_type", BITS)
@pytest.mark.parametrize("flash_attention", ["auto", "on"])
def test_what_is_taken_was_expected(
    open_session: OpenSession, wide_model: Path, cache_type: CacheType, flash_attention: str
) -> None:
    options = {"cache_type": cache_type, "flash_attention": flash_attention}
    allocated = open_session(wide_model, n_ctx=N_CTX, **options).info.allocated
    expected = estimate(
        read_header(wide_model),
        wide_model.stat().st_size,
        N_CTX,
        cache_type=cache_type,
        flash_attention=flash_attention == "on",
    )
    assert allocated is not None
    assert allocated.kv_cache == pytest.approx(expected.kv_cache, abs=0.02 * MIB)
    assert allocated.total == pytest.approx(expected.total, rel=WITHIN)


@pytest.mark.parametrize("cache_type", ["q8_0", "q4_0"])
def test_a_quantized_cache_is_gone_on_from(
    open_session: OpenSession, wide_model: Path, cache_type: CacheType
) -> None:
    session = open_session(wide_model, cache_type=cache_type)
    answer = hello(session)
    messages = (user("Hello"), assistant(answer), user("And?"))
    once = list(session.chat(request(*messages)))
    again = list(session.chat(request(*messages)))
    assert evaluated(again) < evaluated(once)
    assert text_of(again) == text_of(once)


@pytest.mark.parametrize("cache_type", ["q8_0", "q4_0"])
def test_a_recurrent_model_takes_any_type_as_it_has_no_cache(
    open_session: OpenSession, tmp_path: Path, cache_type: CacheType
) -> None:
    path = write_recurrent_model(tmp_path / "recurrent.gguf")
    assert hello(open_session(path, cache_type=cache_type)) == hello(open_session(path))


def test_flash_attention_spares_the_scores_and_is_off_on_a_processor(
    open_session: OpenSession, wide_model: Path
) -> None:
    _, on = kv_and_compute(open_session(wide_model, n_ctx=N_CTX, flash_attention="on"))
    _, off = kv_and_compute(open_session(wide_model, n_ctx=N_CTX, flash_attention="off"))
    chosen = open_session(wide_model, n_ctx=N_CTX)
    assert on < off / 2
    assert kv_and_compute(chosen)[1] == (off if chosen.info.device == "CPU" else on)


@pytest.mark.parametrize("cache_type", ["q8_0", "q4_0"])
def test_a_quantized_cache_without_flash_attention_is_refused(
    open_session: OpenSession, wide_model: Path, cache_type: CacheType
) -> None:
    with pytest.raises(ModelLoadError, match=cache_type) as error:
        open_session(wide_model, cache_type=cache_type, flash_attention="off")
    assert "auto" in error.value.fix


def test_heads_that_are_too_small_to_be_quantized_are_refused(
    open_session: OpenSession, tiny_model: Path
) -> None:
    with pytest.raises(ModelLoadError, match="heads are too small") as error:
        open_session(tiny_model, cache_type="q8_0")
    assert "f16" in error.value.fix


@pytest.mark.parametrize("options", [{"mmap": False}, {"mlock": True}, {"n_gpu_layers": 1}])
def test_how_weights_lie_in_memory_changes_no_answer(
    open_session: OpenSession, wide_model: Path, options: dict[str, object]
) -> None:
    assert hello(open_session(wide_model, **options)) == hello(open_session(wide_model))


@on_linux
def test_weights_are_mapped_from_the_file_unless_it_is_to_be_read(
    open_session: OpenSession, wide_model: Path
) -> None:
    assert is_mapped(open_session(wide_model), wide_model)
    assert not is_mapped(open_session(wide_model, mmap=False), wide_model)


@on_linux
@pytest.mark.parametrize("mmap", [True, False])
def test_locked_weights_stay_in_memory(
    open_session: OpenSession, wide_model: Path, mmap: bool
) -> None:
    assert status_of(open_session(wide_model, mmap=mmap), "VmLck") == "0 kB"
    locked = open_session(wide_model, mmap=mmap, mlock=True)
    assert status_of(locked, "VmLck") != "0 kB"
    assert locked.info.warnings == ()


@on_linux
@pytest.mark.parametrize("mmap", [True, False])
def test_a_system_that_refuses_to_lock_is_a_warning(wide_model: Path, mmap: bool) -> None:
    backend = LlamaCppBackend([sys.executable, "-c", UNPRIVILEGED_WORKER])
    options = LoadOptions(n_threads=1, mmap=mmap, mlock=True)
    session = backend.open(str(wide_model), options, lambda _: True)
    try:
        (warning,) = session.info.warnings
        assert "swapped out" in warning
        assert hello(session)
    finally:
        session.close()
