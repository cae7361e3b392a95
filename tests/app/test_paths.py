from pathlib import Path

import msgspec

from app.paths import Paths, default_paths


def places(paths: Paths) -> list[Path]:
    return list(msgspec.structs.asdict(paths).values())


def test_one_variable_moves_everything_under_one_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSEWAY_HOME", str(tmp_path / "portable"))
    paths = default_paths()
    assert paths.home == tmp_path / "portable"
    assert all(place.is_relative_to(paths.home) for place in places(paths))
    assert len(set(places(paths))) == 10
    assert not paths.home.exists()  # naming a place does not make it


def test_the_variable_may_be_relative_or_begin_at_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAUSEWAY_HOME", "here")
    assert default_paths().home == tmp_path / "here"
    monkeypatch.setenv("CAUSEWAY_HOME", "~/there")
    assert default_paths().home == Path.home() / "there"


def test_without_it_the_platforms_own_folders_are_used(monkeypatch):
    monkeypatch.delenv("CAUSEWAY_HOME")
    own = places(default_paths())
    assert all(place.is_absolute() and "causeway" in str(place).lower() for place in own)
    monkeypatch.setenv("CAUSEWAY_HOME", "  ")
    assert places(default_paths()) == own
