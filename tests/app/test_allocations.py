"""What loads took is kept beside what was expected, as long as the file is the same."""

import os
import threading
from pathlib import Path

import msgspec
import pytest

from app.allocations import Allocations
from app.engines import Engines
from backends.llama_cpp.backend import LlamaCppBackend
from backends.protocol import Allocation, LoadOptions, SessionInfo
from catalog.library import InstalledModel


@pytest.fixture
def allocations(tmp_path: Path) -> Allocations:
    return Allocations(tmp_path / "cache" / "allocations.json")


def info(n_ctx: int, compute: int = 5) -> SessionInfo:
    taken = Allocation(weights=1000, kv_cache=100, compute=compute)
    return SessionInfo(model="Tiny", n_ctx=n_ctx, allocated=taken)


def test_a_real_load_is_kept_and_was_expected(
    allocations: Allocations, model: InstalledModel
) -> None:
    engines = Engines(
        {"llama_cpp": LlamaCppBackend()}, unload_after=lambda: 0.0, on_load=allocations.note
    )
    try:
        with engines.use(model, LoadOptions(n_ctx=2048, n_threads=1), lambda fraction: True):
            pass
    finally:
        engines.close()
    (load,) = allocations.of(model.path)
    assert load.n_ctx == 2048
    assert load.estimated.total == pytest.approx(load.allocated.total, rel=0.1)


def test_each_length_of_context_is_kept_once(
    allocations: Allocations, model: InstalledModel
) -> None:
    for n_ctx, compute in ((4096, 1), (512, 2), (4096, 3)):
        allocations.note(model, LoadOptions(), info(n_ctx, compute))
    loads = allocations.of(model.path)
    assert [(load.n_ctx, load.allocated.compute) for load in loads] == [(512, 2), (4096, 3)]


def test_another_file_in_the_same_place_has_taken_nothing_yet(
    allocations: Allocations, model: InstalledModel
) -> None:
    allocations.note(model, LoadOptions(), info(512))
    assert allocations.of(model.path)
    before = model.path.stat()
    os.utime(model.path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000_000))
    try:
        assert allocations.of(model.path) == ()
    finally:
        os.utime(model.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert allocations.of(Path("gone.gguf")) == ()


def test_an_engine_that_does_not_tell_leaves_no_trace(
    allocations: Allocations, model: InstalledModel
) -> None:
    allocations.note(model, LoadOptions(), SessionInfo(model="Tiny", n_ctx=512))
    assert allocations.of(model.path) == ()


def test_the_oldest_are_forgotten(
    allocations: Allocations, model: InstalledModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.allocations._MOST", 3)
    for n_ctx in (256, 512, 768, 1024):
        allocations.note(model, LoadOptions(), info(n_ctx))
    assert [load.n_ctx for load in allocations.of(model.path)] == [512, 768, 1024]


def test_a_damaged_record_is_begun_anew(
    allocations: Allocations, model: InstalledModel, tmp_path: Path
) -> None:
    allocations.note(model, LoadOptions(), info(512))
    (tmp_path / "cache" / "allocations.json").write_text('{"loads": [{"path": 3}]}')
    assert allocations.of(model.path) == ()
    allocations.note(model, LoadOptions(), info(512))
    assert len(allocations.of(model.path)) == 1


def test_where_nothing_can_be_written_loads_go_on(tmp_path: Path, model: InstalledModel) -> None:
    (tmp_path / "file").write_text("in the way")
    allocations = Allocations(tmp_path / "file" / "allocations.json")
    allocations.note(model, LoadOptions(), info(512))
    assert allocations.of(model.path) == ()


def test_a_model_that_is_gone_by_then_is_no_failure(
    allocations: Allocations, model: InstalledModel, tmp_path: Path
) -> None:
    gone = msgspec.structs.replace(model, path=tmp_path / "gone.gguf")
    allocations.note(gone, LoadOptions(), info(512))
    assert allocations.of(gone.path) == ()


def test_loads_on_many_threads_are_all_kept(
    allocations: Allocations, model: InstalledModel
) -> None:
    threads = [
        threading.Thread(target=allocations.note, args=(model, LoadOptions(), info(256 * n)))
        for n in range(1, 9)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(allocations.of(model.path)) == 8
