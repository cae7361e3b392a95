"""Values that nobody means well with, wherever a person or a file can give one."""

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.allocations import Allocations
from app.conversations.store import ConversationStore
from app.errors import AppError
from app.lending.addresses import Addresses
from app.options import CHAT_OPTIONS, checked, effective
from app.profiles import Profiles
from app.prompts import chat_request, load_options
from app.settings import SETTINGS, checked_setting
from app.settings_file import SettingsFile
from backends.protocol import Allocation, LoadOptions, SessionInfo
from catalog.catalogues.catalogue_check import check_catalogue
from catalog.downloads.part_file import read_sidecar, sidecar_path
from catalog.gguf.files import read_header
from catalog.gguf.header_cache import HeaderCache
from catalog.library import InstalledModel
from tests.app.cli_process import CommandLine

HUGE = 10**399
HALF = "half \ud800 a character"
DEEP = "[" * 50_000 + "]" * 50_000
LONGEST_SENTENCE = 2_000

numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([HUGE, -HUGE, 2**31, 2**32, 2**63, 2**64, math.nan, math.inf, 5e-324]),
)
values = st.one_of(
    numbers,
    numbers.map(str),
    st.text(),
    st.text().map(lambda text: f"{text}\udc80"),
    st.none(),
    st.booleans(),
    st.lists(numbers, max_size=2),
    st.sampled_from(["9" * 5_000, f"#{'9' * 400}=1", DEEP, HALF]),
)


def words_of(give: Callable[[], None]) -> str:
    """In which something is refused; empty where it is taken. Whatever else is raised is a bug."""
    try:
        give()
    except AppError as refused:
        return str(refused)
    return ""


@given(st.sampled_from(CHAT_OPTIONS), values)
@example(CHAT_OPTIONS[0], HALF)
def test_an_option_is_refused_in_words_or_reaches_the_worker(option, value) -> None:
    def give() -> None:
        options = effective({option.key: checked(option.key, value)})
        msgspec.msgpack.encode((load_options(options), chat_request((), options)))

    assert len(words_of(give)) < LONGEST_SENTENCE


@given(st.sampled_from(SETTINGS), values)
def test_a_setting_is_refused_in_words_or_can_be_stored(setting, value) -> None:
    def give() -> None:
        msgspec.json.encode(checked_setting(setting.key, value))

    assert len(words_of(give)) < LONGEST_SENTENCE


@pytest.mark.parametrize("value", [str(HUGE), "1e999", DEEP, '"\\ud800"', '"\\u0000"', "null"])
def test_a_settings_file_keeps_no_program_from_starting(tmp_path: Path, value: str) -> None:
    path = tmp_path / "settings.json"
    for key in ("chat_defaults", "window"):
        path.write_text(f'{{"{key}": {{"temperature": {value}, "width": {value}}}}}')
        SettingsFile(path).load()
    for setting in SETTINGS:
        path.write_text(f'{{"{setting.key}": {value}, "new": {value}}}')
        file = SettingsFile(path)
        file.load()
        assert len(file.notice) < LONGEST_SENTENCE
        file.update(theme="dark")


def test_a_profile_s_name_and_texts_can_be_stored(tmp_path: Path) -> None:
    profiles = Profiles(tmp_path / "profiles.json")
    profiles.create("tiny", HALF, {"system_prompt": HALF})
    (kept,) = profiles.of("tiny")
    assert kept.name == "half ? a character"
    assert kept.options["system_prompt"] == kept.name


def test_options_of_a_chat_that_can_t_be_read_are_none(tmp_path: Path) -> None:
    with closing(ConversationStore(tmp_path / "chats.db")) as store:
        chat = store.create(options={"seed": 1})
        with closing(sqlite3.connect(tmp_path / "chats.db")) as database, database:
            database.execute("UPDATE conversations SET options = ?", (f'{{"seed": {DEEP}}}',))
        assert store.get(chat.id).options == {}


@pytest.mark.parametrize("value", [str(HUGE), "1e999", DEEP, '"\\ud800"', "-1"])
@pytest.mark.parametrize("field", ["revision", "parameters", "sampling", "artifacts", "new"])
def test_a_catalogue_is_refused_in_words(field: str, value: str) -> None:
    entry = f'{{"id": "x", "name": "X", "kind": "chat", "family": "x", "{field}": {value}}}'
    for text in (
        f'{{"schema_version": 1, "id": "y", "entries": [{entry}]}}',
        f'{{"schema_version": 1, "id": "y", "{field}": {value}, "entries": []}}',
        f'{{"schema_version": {value}, "id": "y", "entries": []}}',
    ):
        found = check_catalogue(text.encode(), "The catalogue")
        assert all(len(str(problem)) < LONGEST_SENTENCE for problem in found.problems)


class Kept:
    """The small files that the program keeps, each written by itself, and what reads it."""

    def __init__(self, folder: Path, model: InstalledModel) -> None:
        self._folder = folder
        self._model = model

    def allocations(self) -> tuple[Path, Callable[[], object]]:
        path = self._folder / "allocations.json"
        taken = Allocation(weights=1000, kv_cache=100, compute=5)
        info = SessionInfo(model="Tiny", n_ctx=512, allocated=taken)
        Allocations(path).note(self._model, LoadOptions(), info)
        return path, lambda: Allocations(path).of(self._model.path)

    def address(self) -> tuple[Path, Callable[[], object]]:
        folder = self._folder / "lending"
        Addresses(folder).publish("/nowhere", b"key")
        (path,) = folder.iterdir()
        return path, Addresses(folder).of_others

    def header(self) -> tuple[Path, Callable[[], object]]:
        cache = HeaderCache(self._folder / "headers")
        cache.keep("ab", read_header(self._model.path))
        (path,) = (self._folder / "headers").iterdir()
        return path, lambda: cache.find("ab")

    def sidecar(self) -> tuple[Path, Callable[[], object]]:
        part = self._folder / "model.gguf.part"
        path = sidecar_path(part)
        path.write_text('{"extents": [[0, 5]], "validator": "abc", "source": "def"}')
        return path, lambda: read_sidecar(part)

    def settings(self) -> tuple[Path, Callable[[], object]]:
        path = self._folder / "settings.json"
        SettingsFile(path).update(proxy="http://proxy.example:8080")
        return path, lambda: SettingsFile(path).load()

    def profiles(self) -> tuple[Path, Callable[[], object]]:
        path = self._folder / "profiles.json"
        Profiles(path).create("tiny", "Brief")
        return path, lambda: Profiles(path).of("tiny")


@pytest.mark.parametrize(
    "kept",
    [Kept.allocations, Kept.address, Kept.header, Kept.sidecar, Kept.settings, Kept.profiles],
)
def test_a_file_with_a_broken_byte_is_one_that_is_damaged(
    tmp_path: Path, model: InstalledModel, kept
) -> None:
    path, read = kept(Kept(tmp_path, model))
    whole = path.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 200)):
        path.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        read()


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "x" * 5_000),
        ("chat", "-a", f"{'x' * 5_000}:1", "hi"),
        ("serve", "--host", "x" * 5_000),
        ("serve", "--host", HALF.replace("\ud800", "\udcff")),
        ("settings", "states_limit", "9" * 400),
    ],
    ids=["file", "adapter", "host", "half a host", "setting"],
)
def test_an_argument_is_refused_in_words(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    said = CommandLine(tmp_path / "home").error(*arguments)
    assert len(said) < LONGEST_SENTENCE
    assert "Something went wrong" not in said
