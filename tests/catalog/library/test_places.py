"""The folders of other programs are found by their settings, and hostile settings do no harm."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.library import known_places
from catalog.library.program_settings import first_line, json_text, qt_ini_text

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=60)
fuzzing = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def places(home: Path, environment: dict[str, str] | None = None) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for place in known_places(home, environment or {}, root=home / "root"):
        found.setdefault(place.kind, []).append(place.folder)
    return found


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def test_where_nothing_is_installed_there_are_no_places(tmp_path: Path) -> None:
    assert places(tmp_path) == {}


@pytest.mark.parametrize(
    ("kind", "folder"),
    [
        ("lm_studio", ".lmstudio/models"),
        ("lm_studio", ".cache/lm-studio/models"),
        ("gpt4all", ".local/share/nomic.ai/GPT4All"),
        ("gpt4all", "Library/Application Support/nomic.ai/GPT4All"),
        ("gpt4all", ".cache/gpt4all"),
        ("hub_cache", ".cache/huggingface/hub"),
        ("llama_cpp", ".cache/llama.cpp"),
        ("llama_cpp", "Library/Caches/llama.cpp"),
    ],
)
def test_the_usual_folders_are_found(tmp_path: Path, kind: str, folder: str) -> None:
    made(tmp_path / folder)
    assert places(tmp_path) == {kind: [tmp_path / folder]}


def test_ollama_is_found_where_it_keeps_manifests(tmp_path: Path) -> None:
    made(tmp_path / ".ollama" / "models" / "blobs")
    assert places(tmp_path) == {}
    made(tmp_path / ".ollama" / "models" / "manifests")
    service = tmp_path / "root" / "usr" / "share" / "ollama" / ".ollama" / "models"
    made(service / "manifests")
    assert places(tmp_path) == {"ollama": [tmp_path / ".ollama" / "models", service]}


@pytest.mark.parametrize(
    ("variable", "kind", "below"),
    [
        ("OLLAMA_MODELS", "ollama", "."),
        ("HF_HUB_CACHE", "hub_cache", "."),
        ("HUGGINGFACE_HUB_CACHE", "hub_cache", "."),
        ("HF_HOME", "hub_cache", "hub"),
        ("XDG_CACHE_HOME", "hub_cache", "huggingface/hub"),
        ("LLAMA_CACHE", "llama_cpp", "."),
        ("LOCALAPPDATA", "llama_cpp", "llama.cpp"),
        ("LOCALAPPDATA", "gpt4all", "nomic.ai/GPT4All"),
        ("XDG_DATA_HOME", "gpt4all", "nomic.ai/GPT4All"),
    ],
)
def test_variables_move_them(tmp_path: Path, variable: str, kind: str, below: str) -> None:
    moved = made(tmp_path / "moved" / below / "manifests").parent
    assert places(tmp_path, {variable: str(tmp_path / "moved")}) == {kind: [moved]}


def test_lm_studio_tells_where_it_downloads_to(tmp_path: Path) -> None:
    chosen = made(tmp_path / "disk" / "models")
    for settings_file in (".lmstudio", ".config/LM Studio"):
        made(tmp_path / settings_file)
        (tmp_path / settings_file / "settings.json").write_text(
            json.dumps({"other": [1], "downloadsFolder": str(chosen)})
        )
    assert places(tmp_path) == {"lm_studio": [chosen]}


def test_lm_studio_can_have_moved_altogether(tmp_path: Path) -> None:
    moved = made(tmp_path / "elsewhere" / "models")
    (tmp_path / ".lmstudio-home-pointer").write_text(f"{tmp_path / 'elsewhere'}\n")
    assert places(tmp_path) == {"lm_studio": [moved]}


def test_gpt4all_tells_where_its_models_are(tmp_path: Path) -> None:
    chosen = made(tmp_path / "Modèles, all")
    made(tmp_path / ".config" / "nomic.ai")
    (tmp_path / ".config" / "nomic.ai" / "GPT4All.ini").write_text(
        f'[network]\nmodelPath=/nowhere\n[General]\nmodelPath="{tmp_path}/Mod\\xe8les, all/"\n'
    )
    assert places(tmp_path) == {"gpt4all": [chosen]}


def test_a_folder_that_two_programs_share_is_one_place(tmp_path: Path) -> None:
    real = made(tmp_path / ".lmstudio" / "models")
    made(tmp_path / ".cache")
    (tmp_path / ".cache" / "gpt4all").symlink_to(real)
    assert places(tmp_path) == {"lm_studio": [real]}


@pytest.mark.parametrize("chosen", ["/", "~/", "relative/models", "C:\\models", "", "/nul\0"])
def test_a_setting_that_is_no_models_folder_is_passed_over(tmp_path: Path, chosen: str) -> None:
    made(tmp_path / ".lmstudio")
    (tmp_path / ".lmstudio" / "settings.json").write_text(json.dumps({"downloadsFolder": chosen}))
    assert places(tmp_path) == {}


def test_a_home_that_is_above_everything_is_no_models_folder(tmp_path: Path) -> None:
    assert places(tmp_path, {"LLAMA_CACHE": str(tmp_path)}) == {}


@fuzzing
@given(st.binary(max_size=300))
def test_settings_may_hold_anything(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings"
    path.write_bytes(content)
    for text in (
        json_text(path, "downloadsFolder"),
        qt_ini_text(path, "General", "modelPath"),
        first_line(path),
    ):
        assert "\0" not in text
        os.fsencode(text)


@fuzzing
@given(st.recursive(st.none() | st.integers() | ANY_TEXT, st.lists, max_leaves=5))
def test_a_json_setting_may_be_of_any_type(tmp_path: Path, value: object) -> None:
    path = tmp_path / "settings"
    path.write_text(json.dumps({"downloadsFolder": value}), errors="surrogatepass")
    text = json_text(path, "downloadsFolder")
    is_plain = isinstance(value, str) and "\0" not in value and value.isprintable()
    assert text == value if is_plain else True
    assert isinstance(text, str)


@fuzzing
@given(st.text(st.characters(min_codepoint=32, max_codepoint=0xFFFF, exclude_categories=["Cs"])))
def test_what_qt_escapes_is_read_as_it_was_meant(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.ini"
    plain = all(char.isalnum() and char.isascii() for char in text)
    # A letter that could belong to the number before it is escaped too, as Qt does.
    escaped = "".join(
        char if char.isascii() and char.isalnum() and plain else f"\\x{ord(char):04x}"
        for char in text
    )
    path.write_text(f'[General]\nmodelPath="{escaped}"\n')
    assert qt_ini_text(path, "General", "modelPath") == (text if len(text) <= 4096 else "")


def test_settings_that_never_end_are_read_to_a_bound(tmp_path: Path) -> None:
    path = tmp_path / "settings"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert json_text(path, "downloadsFolder") == ""
    assert first_line(path) == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_in_place_of_settings_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "settings.json")
    assert json_text(tmp_path / "settings.json", "downloadsFolder") == ""
