"""What a load took, as llama.cpp tells it, beside what was expected from the header alone."""

from pathlib import Path

import pytest

from backends.protocol import SessionInfo
from catalog.fit.fit import MemoryEstimate, estimate
from catalog.gguf.files import read_header
from tests.backends.conftest import OpenSession
from tests.gguf_files import write_model, write_recurrent_model
from tests.gguf_shapes import SHAPES, write_shape

WITHIN = 0.1
MIB = 1 << 20


def expected_and_taken(
    open_session: OpenSession, path: Path, n_ctx: int
) -> tuple[MemoryEstimate, SessionInfo]:
    info = open_session(path, n_ctx=n_ctx).info
    return estimate(read_header(path), path.stat().st_size, info.n_ctx), info


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_ctx", [512, 8192])
def test_every_kind_of_model_takes_what_was_expected(
    open_session: OpenSession, tmp_path: Path, shape: str, n_ctx: int
) -> None:
    path = write_shape(tmp_path / "shape.gguf", shape)
    expected, info = expected_and_taken(open_session, path, n_ctx)
    assert info.allocated is not None
    assert info.n_ctx == n_ctx
    # The log rounds each buffer to a hundredth of a MiB.
    assert info.allocated.kv_cache == pytest.approx(expected.kv_cache, abs=0.02 * MIB)
    assert info.allocated.total == pytest.approx(expected.total, rel=WITHIN)


@pytest.mark.parametrize("n_ctx", [256, 4096])
def test_so_does_every_file_that_tests_are_made_with(
    open_session: OpenSession, tmp_path: Path, n_ctx: int
) -> None:
    paths = (
        write_model(tmp_path / "tiny.gguf", context_length=8192),
        write_model(tmp_path / "tiny-q4.gguf", weights="Q4_0", n_embd=128, n_layers=3),
        write_model(tmp_path / "tiny-q8.gguf", weights="Q8_0"),
        write_recurrent_model(tmp_path / "recurrent.gguf"),
    )
    for path in paths:
        expected, info = expected_and_taken(open_session, path, n_ctx)
        assert info.allocated is not None
        assert info.allocated.total == pytest.approx(expected.total, rel=WITHIN), path.name


@pytest.mark.model
@pytest.mark.parametrize("n_ctx", [512, 2048, 8192, 16_384])
def test_so_does_the_starter(open_session: OpenSession, starter_model: Path, n_ctx: int) -> None:
    expected, info = expected_and_taken(open_session, starter_model, n_ctx)
    assert info.allocated is not None
    assert info.allocated.total == pytest.approx(expected.total, rel=WITHIN)
    assert info.allocated.kv_cache == expected.kv_cache
