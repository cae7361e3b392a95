"""The memory that was expected, against what the worker allocated."""

import tempfile
from pathlib import Path

from backends.llama_cpp.backend import LlamaCppBackend
from backends.protocol import LoadOptions
from benchmarks.harness import Row
from benchmarks.starter import starter_model
from catalog.fit.fit import estimate
from catalog.gguf.files import read_header
from tests.gguf_files import write_model, write_recurrent_model
from tests.gguf_shapes import SHAPES, write_shape

_WITHIN = 0.1
_FIXTURE_CONTEXTS = (512, 4096)
_STARTER_CONTEXTS = (512, 2048, 8192, 32_768)


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fixtures = {
            "tiny": write_model(folder / "tiny.gguf", context_length=8192),
            "tiny, Q4_0": write_model(folder / "q4.gguf", weights="Q4_0", context_length=8192),
            "tiny, Q8_0": write_model(folder / "q8.gguf", weights="Q8_0", context_length=8192),
            "tiny recurrent": write_recurrent_model(folder / "recurrent.gguf"),
        }
        off = {
            f"{title}, {n_ctx:,}": _off(path, n_ctx)
            for title, path in fixtures.items()
            for n_ctx in _FIXTURE_CONTEXTS
        }
        for shape in SHAPES:
            path = write_shape(folder / "shape.gguf", shape)
            off |= {f"{shape}, {n_ctx:,}": _off(path, n_ctx) for n_ctx in _FIXTURE_CONTEXTS}
            path.unlink()
    starter = starter_model()
    off_starter = {f"{n_ctx:,}": _off(starter, n_ctx) for n_ctx in _STARTER_CONTEXTS}
    return [
        _row(f"memory estimate against the worker, worst of {len(off)} loads of fixtures", off),
        _row("memory estimate against the worker, starter at four contexts", off_starter),
    ]


def _off(path: Path, n_ctx: int) -> float:
    """Estimate / truth - 1."""
    session = LlamaCppBackend().open(str(path), LoadOptions(n_ctx=n_ctx), lambda fraction: True)
    try:
        allocated = session.info.allocated
    finally:
        session.close()
    assert allocated is not None
    return estimate(read_header(path), path.stat().st_size, n_ctx).total / allocated.total - 1


def _row(measure: str, off: dict[str, float]) -> Row:
    worst = max(map(abs, off.values()))
    return Row(measure, worst * 100, "%", "within 10 %", worst <= _WITHIN, {"off": off})
