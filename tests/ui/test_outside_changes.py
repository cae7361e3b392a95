"""What the command line changes is in the open window at once; each command is a real process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.paths import paths_under
from app.settings_file import SettingsFile
from catalog.catalogues.bundled import load_bundled
from catalog.library import Library
from tests.app.cli_process import CommandLine
from tests.backends.openai_compatible.openai_server import OpenAIServer
from tests.gguf_files import write_model
from tests.ui.whole_window import whole_window
from ui.chat.chat_page import ChatPage
from ui.chat.model_picker import ModelButton
from ui.kit import NavItem, RailButton
from ui.kit.fields import NumberField
from ui.main_window import MainWindow
from ui.models.model_profiles import ModelProfiles
from ui.models.models_page import ModelsPage
from ui.models.services.services_page import ServicesPage
from ui.settings.settings_page import SettingsPage
from ui.theme import Theme

WAIT_MS = 30_000


@pytest.fixture
def causeway(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


@pytest.fixture
def window(qtbot: QtBot, theme: Theme, causeway: CommandLine) -> Iterator[MainWindow]:
    paths = paths_under(causeway.home)
    settings = SettingsFile(paths.settings_file)
    settings.update(adopt_places=False)
    with whole_window(theme, paths, settings) as window:
        qtbot.waitUntil(lambda: window.is_ready, timeout=WAIT_MS)
        yield window


def words(widget: QWidget) -> str:
    QApplication.processEvents()
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def go_to(window: MainWindow, place: str) -> None:
    next(b for b in window.findChildren(RailButton) if b.accessibleName() == place).click()


def test_a_service_is_there_and_gone_as_the_command_line_says(
    qtbot: QtBot, window: MainWindow, causeway: CommandLine
) -> None:
    go_to(window, "Models")
    next(i for i in window.findChildren(NavItem) if i.text() == "Services").click()
    page = window.findChildren(ServicesPage)[0]
    with OpenAIServer() as service:
        causeway.run("connections", "add", "custom", "--url", service.url, "--title", "Desk")
        qtbot.waitUntil(lambda: "Desk" in words(page), timeout=WAIT_MS)
        causeway.run("connections", "check", "desk")
        go_to(window, "Chats")
        picker = window.findChildren(ModelButton)[0]
        qtbot.waitUntil(lambda: "words" in picker.accessibleName(), timeout=WAIT_MS)
        assert window.findChildren(ChatPage)[0].isVisible()
        causeway.run("connections", "remove", "desk")
        qtbot.waitUntil(lambda: "words" not in picker.accessibleName(), timeout=WAIT_MS)
        go_to(window, "Models")
        assert "Desk" not in words(page)


def test_settings_are_those_that_the_command_line_set(
    qtbot: QtBot, window: MainWindow, causeway: CommandLine
) -> None:
    go_to(window, "Settings")
    page = window.findChildren(SettingsPage)[0]
    field = next(
        each
        for each in page.findChildren(NumberField)
        if each.accessibleName() == "Downloads at a time"
    )
    assert field.value() == 2
    causeway.run("settings", "downloads_at_once", "3")
    qtbot.waitUntil(lambda: field.value() == 3, timeout=WAIT_MS)


def test_a_profile_is_shown_where_its_model_is(
    qtbot: QtBot, window: MainWindow, causeway: CommandLine
) -> None:
    paths = paths_under(causeway.home)
    paths.models_folder.mkdir(parents=True)
    write_model(paths.models_folder / "tiny.gguf")
    (model,) = Library(paths.models_folder, paths.library_file, load_bundled()).models()
    go_to(window, "Models")
    window.findChildren(ModelsPage)[0].show_model(model)
    profiles = window.findChildren(ModelProfiles)[0]
    qtbot.waitUntil(profiles.isVisible, timeout=WAIT_MS)
    causeway.run("profiles", "save", "tiny", "Brief", "--set", "temperature=0.2")

    def names() -> list[str]:
        combos = profiles.findChildren(QComboBox)
        return [combo.itemText(index) for combo in combos for index in range(combo.count())]

    qtbot.waitUntil(lambda: "Brief" in names(), timeout=WAIT_MS)
