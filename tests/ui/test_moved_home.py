"""The window of a home that was moved: its chats have their models."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.conversations.store import ConversationStore
from app.paths import paths_under
from app.settings_file import SettingsFile
from catalog.catalogues.bundled import load_bundled
from catalog.library import Library
from tests.gguf_files import write_model
from tests.ui.whole_window import whole_window
from ui.chat.answer_item import AnswerItem
from ui.chat.composer_field import ComposerField
from ui.chat.conversation_list import ConversationList
from ui.theme import Theme

WAIT_MS = 60_000


def test_a_chat_goes_on_with_its_model(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    old = paths_under(tmp_path / "home")
    for folder, seed, says in (("first", 1, "No"), ("second", 2, "Yes")):
        (old.models_folder / folder).mkdir(parents=True)
        write_model(old.models_folder / folder / "tiny.gguf", seed=seed, says=[says])
    library = Library(old.models_folder, old.library_file, load_bundled())
    chosen = next(model for model in library.models() if model.path.parent.name == "second")
    assert chosen.id == "tiny-2"
    store = ConversationStore(old.database_file)
    conversation = store.create(model_id=chosen.id)
    store.add_message(conversation.id, parent_id=None, role="user", text="Hello")
    store.close()
    SettingsFile(old.settings_file).update(adopt_places=False)
    moved = paths_under(old.home.rename(tmp_path / "moved"))
    settings = SettingsFile(moved.settings_file)
    with whole_window(theme, moved, settings) as window:
        qtbot.waitUntil(lambda: window.is_ready, timeout=WAIT_MS)
        rows = window.findChildren(ConversationList)[0]
        rows.conversation_chosen.emit(conversation.id)
        qtbot.waitUntil(lambda: window.windowTitle().startswith("Hello"), timeout=WAIT_MS)
        field = window.findChildren(ComposerField)[0]
        qtbot.waitUntil(lambda: not field.isReadOnly(), timeout=WAIT_MS)
        QTest.keyClicks(field, "And now?")
        QTest.keyClick(field, Qt.Key.Key_Return)
        qtbot.waitUntil(
            lambda: any("Yes" in item.written for item in window.findChildren(AnswerItem)),
            timeout=WAIT_MS,
        )
