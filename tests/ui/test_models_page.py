from collections.abc import Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from app.errors import Problem
from catalog.bundled import load_bundled
from catalog.downloads.fetch import DownloadProgress
from catalog.errors import BadModelFile
from catalog.library import InstalledModel, LibraryProblem
from tests.ui.tab_order import names, tab_stops
from ui.models_page import ModelsPage
from ui.theme import Theme

STARTER = load_bundled().entries[0]


def model(
    name: str, *, managed: bool = True, has_template: bool = True, starter: bool = False
) -> InstalledModel:
    return InstalledModel(
        id=name.lower(),
        name=name,
        path=Path("models") / f"{name}.gguf",
        size_bytes=1_920_000_000,
        quant="Q4_K_M",
        architecture="llama",
        context_length=8192,
        has_template=has_template,
        managed=managed,
        entry=STARTER if starter else None,
    )


@pytest.fixture
def page(theme: Theme, qtbot: QtBot) -> ModelsPage:
    page = ModelsPage(theme, STARTER)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    page.show()
    return page


def show_models(
    page: ModelsPage,
    models: Sequence[InstalledModel],
    problems: Sequence[LibraryProblem] = (),
) -> None:
    page.show_models(models, problems)
    # A layout shows what is put into it with the next event.
    QApplication.processEvents()


def words(page: ModelsPage) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def button(page: ModelsPage, name: str) -> QAbstractButton:
    return next(
        found
        for found in page.findChildren(QAbstractButton)
        if found.isVisible() and found.accessibleName() == name
    )


def press(page: ModelsPage, name: str, qtbot: QtBot) -> None:
    qtbot.mouseClick(button(page, name), Qt.MouseButton.LeftButton)


def test_an_empty_page_says_what_to_do(page: ModelsPage, qtbot: QtBot) -> None:
    show_models(page, [])
    assert "No models yet" in words(page)
    with qtbot.waitSignal(page.get_requested):
        press(page, "Get", qtbot)


def test_a_model_is_listed_with_quant_size_and_place(page: ModelsPage) -> None:
    show_models(
        page, [model("Plover"), model("Heron", managed=False), model("Tern", has_template=False)]
    )
    assert "Plover\nQ4_K_M\n" in words(page)
    assert f"1.92 GB · 8,192 tokens · {Path('models')}" in words(page)
    assert words(page).count("In place") == 1
    assert words(page).count("Completes text") == 1
    assert "No models yet" not in words(page)


def test_the_starter_is_offered_only_while_it_is_missing(page: ModelsPage) -> None:
    show_models(page, [model("Plover")])
    assert STARTER.summary in words(page)
    show_models(page, [model("Plover"), model("Starter", starter=True)])
    assert STARTER.summary not in words(page)


def test_a_chat_can_be_begun_with_each(page: ModelsPage, qtbot: QtBot) -> None:
    heron = model("Heron")
    show_models(page, [model("Plover"), heron])
    with qtbot.waitSignal(page.chat_requested) as asked:
        press(page, "Chat with Heron", qtbot)
    assert asked.args == [heron]


@pytest.mark.parametrize(
    ("managed", "question", "yes"),
    [
        (True, "Delete this model? Its file of 1.92 GB goes for good.", "Delete the file"),
        (False, "Forget this model? Its file stays where it is.", "Forget it"),
    ],
)
def test_removing_asks_first(
    page: ModelsPage, qtbot: QtBot, managed: bool, question: str, yes: str
) -> None:
    plover = model("Plover", managed=managed)
    show_models(page, [plover])
    with qtbot.assertNotEmitted(page.remove_requested):
        press(page, "Remove Plover…", qtbot)
    assert question in words(page)
    with qtbot.waitSignal(page.remove_requested) as asked:
        press(page, yes, qtbot)
    assert asked.args == [plover]


def test_a_person_can_think_again(page: ModelsPage, qtbot: QtBot) -> None:
    show_models(page, [model("Plover")])
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    press(page, "Remove Plover…", qtbot)
    assert page.focusWidget() is button(page, "Keep it")
    with qtbot.assertNotEmitted(page.remove_requested):
        press(page, "Keep it", qtbot)
    assert "Delete this model?" not in words(page)
    assert page.focusWidget() is button(page, "Remove Plover…")


def test_a_download_can_be_watched_cancelled_and_resumed(page: ModelsPage, qtbot: QtBot) -> None:
    show_models(page, [])
    page.show_progress(DownloadProgress("downloading", 38_000_000, 93_000_000, 4.2e6, 13.4))
    assert "38 MB of 93 MB" in words(page)
    with qtbot.waitSignal(page.cancel_requested):
        press(page, "Cancel", qtbot)
    page.show_idle(38_000_000)
    assert "38 MB of 93 MB are here already." in words(page)
    with qtbot.waitSignal(page.get_requested):
        press(page, "Resume", qtbot)


def test_a_failure_is_told_until_the_next_try(page: ModelsPage) -> None:
    show_models(page, [])
    page.show_failed(Problem("The disk is full.", "The file needs 98 MB.", "Free some space."))
    assert "The disk is full. The file needs 98 MB. Free some space." in words(page)
    page.show_progress(DownloadProgress("finding", 0, None, 0.0, None))
    assert "The disk is full." not in words(page)


def test_files_that_can_not_be_used_are_named_with_the_reason(page: ModelsPage) -> None:
    error = BadModelFile("It is cut off.", "Bytes are missing.", "Fetch it again.")
    show_models(page, [model("Plover")], [LibraryProblem(Path("models/torn.gguf"), error)])
    assert "torn.gguf\nIt is cut off. Bytes are missing. Fetch it again." in words(page)


def test_a_file_can_be_imported(page: ModelsPage, qtbot: QtBot, tmp_path: Path) -> None:
    press(page, "Use a model file…", qtbot)
    dialog = page.findChild(QFileDialog)
    with qtbot.waitSignal(page.import_requested) as asked:
        dialog.fileSelected.emit(str(tmp_path / "ours.gguf"))
    assert asked.args == [tmp_path / "ours.gguf"]
    dialog.close()


def test_the_tab_key_follows_the_eye(page: ModelsPage, qtbot: QtBot) -> None:
    show_models(page, [model("Plover")])
    show_models(page, [model("Plover"), model("Heron")])
    press(page, "Remove Plover…", qtbot)
    assert names(tab_stops(page)) == [
        "Use a model file…",
        "Chat with Plover",
        "Remove Plover…",
        "Delete the file",
        "Keep it",
        "Chat with Heron",
        "Remove Heron…",
        "Get",
    ]
