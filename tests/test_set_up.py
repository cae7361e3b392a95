"""The scripts that make a checkout ready. They are loaded by path: `packaging/` is no package."""

import ast
import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "packaging" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    module = load("setup_environment")
    monkeypatch.setattr(module, "VENV", tmp_path)
    monkeypatch.setattr(module, "STAMP", tmp_path / "stamp")
    python = module.venv_program("python")
    python.parent.mkdir(parents=True)
    python.touch()
    return module


def test_the_wheel_cache_is_keyed_by_version_flags_and_processor(
    set_up: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    usual = set_up.wheel_cache()
    assert usual.is_relative_to(tmp_path / "causeway" / "wheels")
    assert set_up.llama_cpp_version() in usual.name
    monkeypatch.setattr(set_up, "compiler_flags", lambda: "-O1")
    other_flags = set_up.wheel_cache()
    monkeypatch.setattr(set_up, "cpu_identity", lambda: "another processor")
    assert len({usual, other_flags, set_up.wheel_cache()}) == 3


def test_x86_64_is_built_without_amx(set_up: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_up.platform, "machine", lambda: "x86_64")
    assert "-mno-amx-tile" in set_up.compiler_flags()
    monkeypatch.setattr(set_up.platform, "machine", lambda: "arm64")
    assert set_up.compiler_flags() == ""


def test_a_set_up_with_more_serves_one_that_needs_less(set_up: ModuleType) -> None:
    assert not set_up.is_ready([])
    set_up.STAMP.write_text(set_up.wanted_stamp(["dev"]))
    assert set_up.is_ready(["dev"])
    assert set_up.is_ready([])
    assert not set_up.is_ready(["dev", "bench"])


def test_changed_requirements_are_set_up_again(
    set_up: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_up.STAMP.write_text(set_up.wanted_stamp([]))
    changed = tmp_path / "constraints.txt"
    changed.write_text("llama-cpp-python==0.0.1\n")
    monkeypatch.setattr(set_up, "CONSTRAINTS", changed)
    assert not set_up.is_ready([])


def test_every_dependency_is_pinned_exactly() -> None:
    pins = (ROOT / "constraints.txt").read_text()
    lines = [line for line in pins.splitlines() if not line.startswith("#")]
    assert lines
    assert all(re.fullmatch(r"[a-z0-9.-]+==[\w.]+", line) for line in lines)
    pyside = re.search(r"^pyside6-essentials==(\d+)\.(\d+)", pins, re.MULTILINE)
    assert pyside is not None
    assert (int(pyside[1]), int(pyside[2])) < (6, 12)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Debian's packages")
def test_missing_system_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    system_deps = load("system_deps")
    monkeypatch.setattr(system_deps, "is_loadable", lambda library: library != "xcb-cursor")
    assert "libxcb-cursor0" in system_deps.missing_packages(tests=False)
    monkeypatch.setattr(system_deps.shutil, "which", lambda program: None)
    assert {"xvfb", "xdotool"} <= set(system_deps.missing_packages(tests=True))


def test_every_library_that_the_program_imports_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.match(r"[\w.-]+", line)[0] for line in project["dependencies"]}
    declared.add("shiboken6")  # the other half of PySide6
    rooms = ("app", "backends", "catalog", "resources", "ui")
    contract = ROOT / "backends" / "testing"  # for test suites, which bring their pytest along
    files = [file for room in rooms for file in (ROOT / room).rglob("*.py")]
    files = [file for file in files if contract not in file.parents]
    names = {name for file in files for name in imported(file)}
    providers = packages_distributions()
    for name in names - set(rooms) - set(sys.stdlib_module_names):
        assert {found.lower().replace("_", "-") for found in providers[name]} & declared, name


def imported(file: Path) -> Iterator[str]:
    """The top-level names of what a file imports, wherever it does."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
