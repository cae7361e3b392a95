"""A name from outside is used only if it can do no harm on any platform."""

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.safe_names import is_model_file_name, is_repository, is_safe_name, is_safe_path


@pytest.mark.parametrize(
    "name",
    [
        "model.gguf",
        "Model (1) [x], ü+v.gguf",
        "模型.gguf",
        "a",
        "con1.gguf",
        "null.gguf",
        "COM.gguf",
    ],
)
def test_what_every_platform_allows_is_safe(name: str) -> None:
    assert is_safe_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".hidden",
        " a",
        "a ",
        "a.",
        "a/b",
        "a\\b",
        "a:b",
        "a\0b",
        "a\nb",
        "a\u202eb",
        "a\u200bb",
        "nul",
        "NUL.gguf",
        "nul .gguf",
        "Aux.tar.gguf",
        "lpt9.gguf",
        "COM¹.gguf",
        "conin$",
        "e\u0301.gguf",
        "\ud800.gguf",
        "x" * 201,
        "ü" * 101,
    ],
)
def test_what_any_platform_refuses_or_changes_is_not(name: str) -> None:
    assert not is_safe_name(name)


@given(st.text(max_size=40))
@example("a/../../b")
@example("c:/windows")
@example("a/\ud800")
def test_a_safe_path_leads_down_only(path: str) -> None:
    if not is_safe_path(path):
        return
    for flavour in (PurePosixPath, PureWindowsPath):
        pure = flavour("base") / path
        assert pure.parts[0] == "base"
        assert ".." not in pure.parts
        assert not pure.is_absolute()
        assert len(pure.parts) == 1 + len(path.split("/"))


def test_paths_are_bounded() -> None:
    assert is_safe_path("a/b/c.gguf")
    assert not is_safe_path("/".join("a" * 17))
    assert not is_safe_path("/".join(["x" * 150] * 4))


def test_a_model_file_is_a_gguf() -> None:
    assert is_model_file_name("a.GGUF")
    assert not is_model_file_name("a.exe")
    assert not is_model_file_name(".gguf")
    assert not is_model_file_name("gguf")


@pytest.mark.parametrize(
    ("repo", "expected"),
    [
        ("owner/name", True),
        ("Owner-1/na.me_GGUF", True),
        ("owner", False),
        ("owner/", False),
        ("/name", False),
        ("a/b/c", False),
        ("../name", False),
        ("owner/..", False),
        ("owner/name.", False),
        ("con/name", False),
        ("owner/na me", False),
    ],
)
def test_a_repository_is_an_owner_and_a_name(repo: str, expected: bool) -> None:
    assert is_repository(repo) == expected
