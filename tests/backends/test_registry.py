import sys
import threading
from pathlib import Path

import pytest

from backends.registry import find_backends
from tests import scripted_backend


def install(folder: Path, name: str, reference: str) -> None:
    """Put an installed package with one entry point into a folder."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[causeway.backends]\n{name} = {reference}\n")


def test_the_programs_own_backend_is_found() -> None:
    found, broken = find_backends()
    assert found["llama_cpp"].name == "llama_cpp"
    assert broken == ()


def test_another_persons_backend_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "theirs", "tests.scripted_backend:ScriptedBackend")
    monkeypatch.syspath_prepend(tmp_path)
    found, _ = find_backends()
    assert found["theirs"].name == "scripted"


@pytest.mark.parametrize(
    ("reference", "reason"),
    [("no_such_module:Backend", "no_such_module"), ("tests.scripted_backend:Nothing", "Nothing")],
)
def test_a_broken_backend_is_reported_and_the_others_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, reason: str
) -> None:
    install(tmp_path, "broken", reference)
    monkeypatch.syspath_prepend(tmp_path)
    found, (broken,) = find_backends()
    assert "llama_cpp" in found
    assert broken.name == "broken"
    assert reason in broken.error


@pytest.mark.parametrize(("body", "reason"), [("raise SystemExit(3)", "SystemExit"), ("", "name")])
def test_one_that_leaves_or_takes_anothers_name_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, reason: str
) -> None:
    name = "leaving" if body else "llama_cpp"
    (tmp_path / "its_module.py").write_text(
        f"from tests.scripted_backend import ScriptedBackend as Backend\n{body}\n"
    )
    install(tmp_path, name, "its_module:Backend")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "its_module", raising=False)
    found, (broken,) = find_backends()
    assert found["llama_cpp"].name == "llama_cpp"
    assert broken.name == name
    assert reason in broken.error


def test_one_that_hangs_when_it_is_imported_does_not_keep_the_program_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    monkeypatch.setattr(scripted_backend, "over", over, raising=False)
    (tmp_path / "hanging_module.py").write_text(
        "from tests import scripted_backend\nscripted_backend.over.wait(60)\n"
    )
    install(tmp_path, "hanging", "hanging_module:Backend")
    monkeypatch.syspath_prepend(tmp_path)
    try:
        found, (broken,) = find_backends(patience_seconds=0.3)
    finally:
        over.set()
    assert "llama_cpp" in found
    assert broken.name == "hanging"
    assert "within 0.3 seconds" in broken.error
