"""What was remembered, in the settings: its size, and its end. Over real files."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QLabel
from pytestqt.qtbot import QtBot

from app.paths import default_paths
from app.services import Services, open_services
from backends.llama_cpp.state_files import StateFiles
from tests.backends.llama_cpp.states.saved import KEY, LIMIT, save
from ui.background import Background
from ui.keys.key_places import KeyPlaces
from ui.settings.settings_page import SettingsPage
from ui.settings.settings_work import SettingsWork
from ui.theme import Theme


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    monkeypatch.setenv("CAUSEWAY_HOME", str(tmp_path / "home"))
    with open_services(default_paths()) as services:
        yield services


def test_what_was_remembered_is_shown_and_cleared(
    services: Services, theme: Theme, qtbot: QtBot
) -> None:
    keeping = services.states.keeping()
    assert keeping is not None
    states = StateFiles(Path(keeping.folder), LIMIT, KEY, can_cut=True)
    save(states)
    states.close()
    page = SettingsPage(theme, services.paths)
    qtbot.addWidget(page)
    background = Background()
    keys = KeyPlaces(theme, background, services.secrets)
    work = SettingsWork(background, services, keys, page)
    page.show()
    page.show_section("models")
    clear = next(each for each in page.states.findChildren(QAbstractButton))
    qtbot.waitUntil(clear.isEnabled)
    clear.setFocus()
    assert "on this computer" in words(page)
    clear.click()
    qtbot.waitUntil(lambda: "freed" in words(page))
    assert not clear.isEnabled()
    assert isinstance(page.focusWidget(), QAbstractSpinBox)  # what stands just before it
    assert services.states.bytes() == 0
    work.stop()
    background.finish(5_000)


def words(page: SettingsPage) -> str:
    return " ".join(label.text() for label in page.states.findChildren(QLabel))
