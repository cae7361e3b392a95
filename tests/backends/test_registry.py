from pathlib import Path

import pytest

from backends.registry import find_backends


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
