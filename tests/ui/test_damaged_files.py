"""The window says which files were damaged, and puts their last good copies back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.paths import Paths, paths_under
from app.profiles import Profiles
from app.settings_file import SettingsFile
from tests.ui.whole_window import whole_window
from ui.damaged_files import DamageDialog
from ui.kit import Button, Notice
from ui.main_window import MainWindow
from ui.theme import Theme

WAIT_MS = 60_000


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A home in which settings and profiles were good, and were damaged since."""
    paths = paths_under(tmp_path / "home")
    settings = SettingsFile(paths.settings_file)
    settings.update(adopt_places=False, downloads_at_once=1)
    settings.load()
    profiles = Profiles(paths.profiles_file)
    profiles.create("tiny", "Brief", {"temperature": 0.2})
    profiles.of("tiny")
    for file in (paths.settings_file, paths.profiles_file):
        file.write_bytes(file.read_bytes()[:20])
    return paths


@pytest.fixture
def window(qtbot: QtBot, theme: Theme, paths: Paths) -> Iterator[MainWindow]:
    settings = SettingsFile(paths.settings_file)
    settings.load()  # as the program does before it shows anything
    with whole_window(theme, paths, settings) as window:
        qtbot.waitUntil(lambda: window.is_ready, timeout=WAIT_MS)
        yield window


def notices(qtbot: QtBot, window: MainWindow) -> dict[str, Notice]:
    def dialogs() -> list[DamageDialog]:
        return window.findChildren(DamageDialog)

    qtbot.waitUntil(lambda: bool(dialogs()), timeout=WAIT_MS)
    found = {
        "profiles" if "profiles" in each.accessibleName() else "settings": each
        for each in dialogs()[0].findChildren(Notice)
    }
    assert len(found) == 2
    return found


def press(notice: Notice, words: str) -> None:
    next(each for each in notice.findChildren(Button) if each.text() == words).click()


def test_what_was_damaged_is_put_back(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    told = notices(qtbot, window)
    for name in ("settings", "profiles"):
        assert f"{name}.damaged-" in told[name].accessibleName()
        assert "can be put back" in told[name].accessibleName()
        press(told[name], "Put the good copy back")
        qtbot.waitUntil(
            lambda name=name: "in use again" in told[name].accessibleName(), timeout=WAIT_MS
        )
    assert SettingsFile(paths.settings_file).load().downloads_at_once == 1
    assert [each.name for each in Profiles(paths.profiles_file).of("tiny")] == ["Brief"]
    window.findChildren(DamageDialog)[0].accept()


def test_a_person_may_go_on_without(qtbot: QtBot, window: MainWindow, paths: Paths) -> None:
    told = notices(qtbot, window)
    press(told["profiles"], "Go on without it")
    qtbot.waitUntil(lambda: "another name" in told["profiles"].accessibleName(), timeout=WAIT_MS)
    (declined,) = paths.home.glob("profiles.declined-*.json")
    assert b"Brief" in declined.read_bytes()
    assert Profiles(paths.profiles_file).of("tiny") == ()
    window.findChildren(DamageDialog)[0].accept()
