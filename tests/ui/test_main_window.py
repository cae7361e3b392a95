"""The whole window over real parts: a real worker on a tiny model, a real database."""

import hashlib
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import psutil
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget
from pytestqt.qtbot import QtBot

import ui.main_window
from app.conversations.store import ConversationStore
from app.paths import Paths, paths_under
from app.settings_file import SettingsFile
from catalog.catalogues.bundled import load_bundled
from catalog.catalogues.entries import Artifact, Url
from catalog.hub.records import FoundRepository
from catalog.library import Library
from tests.catalog.file_server import FileServer
from tests.catalog.hub_server import HubServer
from tests.gguf_files import write_model
from tests.ui.whole_window import whole_window
from ui.chat.answer_item import AnswerItem
from ui.chat.chat_page import ChatPage
from ui.chat.composer_field import ComposerField
from ui.chat.conversation_view import ConversationView
from ui.chat.message_item import PersonItem
from ui.chat.option_row import OptionRow
from ui.chat.status import ModelStatus
from ui.kit import Button, RailButton, Toast
from ui.main_window import MainWindow
from ui.models.detail_panel import DetailPanel
from ui.models.model_details import ModelDetailsPanel
from ui.settings.settings_page import SettingsPage
from ui.startup import Opened
from ui.theme import Theme
from ui.trouble_page import TroublePage
from ui.welcome.welcome import WelcomePage

ANSWER = "Good morning."
WAIT_MS = 60_000

Open = Callable[[], MainWindow]


@pytest.fixture(scope="module")
def polite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    return write_model(folder / "polite.gguf", says=("Good", " morning", "."))


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(
        tmp_path_factory.mktemp("models") / "endless.gguf", seed=3, context_length=8192
    )


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "home")


@pytest.fixture
def open_window(qtbot: QtBot, theme: Theme, paths: Paths) -> Iterator[Open]:
    """Opens the window as the program does; more than once, one after the other."""
    opened = ExitStack()

    def open_() -> MainWindow:
        opened.close()
        settings = SettingsFile(paths.settings_file)
        settings.load()
        window = opened.enter_context(whole_window(theme, paths, settings))
        qtbot.waitUntil(lambda: bool(window.is_ready or window.findChildren(TroublePage)))
        return window

    with opened:
        yield open_


def install(paths: Paths, *files: Path) -> None:
    library = Library(paths.models_folder, paths.library_file, load_bundled())
    for file in files:
        library.add_file(file)


def field(window: MainWindow) -> ComposerField:
    return window.findChildren(ComposerField)[0]


def send(qtbot: QtBot, window: MainWindow, text: str) -> None:
    qtbot.waitUntil(lambda: not field(window).isReadOnly())
    QTest.keyClicks(field(window), text)
    QTest.keyClick(field(window), Qt.Key.Key_Return)


def ask(qtbot: QtBot, window: MainWindow, text: str) -> None:
    before = len(finished(window))
    send(qtbot, window, text)
    qtbot.waitUntil(lambda: len(finished(window)) > before, timeout=WAIT_MS)


def items(window: MainWindow, kind: type) -> list:
    return [item for item in transcript(window).items if isinstance(item, kind)]


def transcript(window: MainWindow):
    return window.findChildren(ChatPage)[0]._layout.transcript


def finished(window: MainWindow) -> list[AnswerItem]:
    return [item for item in items(window, AnswerItem) if not item.streaming]


def test_a_first_start_shows_the_welcome_page(open_window: Open) -> None:
    window = open_window()
    assert isinstance(window._stack.currentWidget(), WelcomePage)


def test_a_message_is_answered_and_everything_is_there_after_a_restart(
    qtbot: QtBot, open_window: Open, paths: Paths, polite: Path
) -> None:
    install(paths, polite)
    window = open_window()
    qtbot.waitUntil(lambda: window.focusWidget() is field(window))
    ask(qtbot, window, "Explain the tides")
    assert finished(window)[0].written.strip() == ANSWER
    qtbot.waitUntil(lambda: window.windowTitle().startswith("Explain the tides"))
    QTest.keyClicks(field(window), "half a thought")

    window = open_window()
    qtbot.waitUntil(lambda: len(finished(window)) == 1)
    assert items(window, PersonItem)[0].message.text == "Explain the tides"
    assert field(window).text() == "half a thought"


def test_editing_and_regenerating_make_siblings(
    qtbot: QtBot, open_window: Open, paths: Paths, polite: Path
) -> None:
    install(paths, polite)
    window = open_window()
    ask(qtbot, window, "One")
    first = finished(window)[0].message
    transcript(window).regenerate_requested.emit(first.id)
    qtbot.waitUntil(
        lambda: [a.message.sibling_count for a in finished(window)] == [2], timeout=WAIT_MS
    )
    question = items(window, PersonItem)[0].message
    transcript(window).edit_submitted.emit(question.id, "Two")
    qtbot.waitUntil(
        lambda: (
            len(finished(window)) == 1
            and [p.message.text for p in items(window, PersonItem)] == ["Two"]
        ),
        timeout=WAIT_MS,
    )
    assert items(window, PersonItem)[0].message.sibling_count == 2
    transcript(window).sibling_requested.emit(items(window, PersonItem)[0].message.id, -1)
    qtbot.waitUntil(lambda: [p.message.text for p in items(window, PersonItem)] == ["One"])
    assert finished(window)[0].message.sibling_count == 2


def test_esc_stops_an_answer_and_what_was_written_stays(
    qtbot: QtBot, open_window: Open, paths: Paths, endless: Path
) -> None:
    install(paths, endless)
    window = open_window()
    send(qtbot, window, "Go on")
    qtbot.waitUntil(
        lambda: any(item.streaming and item.written for item in items(window, AnswerItem)),
        timeout=WAIT_MS,
    )
    QTest.keyClick(field(window), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: len(finished(window)) == 1, timeout=WAIT_MS)
    answer = finished(window)[0].message
    assert answer.status == "stopped"
    assert answer.text


def test_up_edits_the_last_message_and_esc_leads_back_to_the_composer(
    qtbot: QtBot, open_window: Open, paths: Paths, polite: Path
) -> None:
    install(paths, polite)
    window = open_window()
    ask(qtbot, window, "One")
    with qtbot.waitActive(window):
        window.activateWindow()
    field(window).setFocus()
    QTest.keyClick(field(window), Qt.Key.Key_Up)
    question = items(window, PersonItem)[0]
    QTest.keyClick(question.editing.field, Qt.Key.Key_Escape)
    assert question.editing is None
    assert field(window).hasFocus()


def test_another_chat_can_be_shown_while_an_answer_is_written(
    qtbot: QtBot, open_window: Open, paths: Paths, endless: Path
) -> None:
    install(paths, endless)
    window = open_window()
    page = window.findChildren(ChatPage)[0]
    send(qtbot, window, "Go on")
    status = window.findChild(ModelStatus)
    with_speed = re.compile(r"Writing · [0-9,.]+ tok/s")
    qtbot.waitUntil(lambda: bool(with_speed.fullmatch(status.text())), timeout=WAIT_MS)
    chat = page._shown.id
    page.new_chat()
    qtbot.waitUntil(lambda: not transcript(window).items)
    qtbot.waitUntil(lambda: status.text() == "Writing in another chat")
    page.open_chat(chat)
    qtbot.waitUntil(lambda: bool(items(window, AnswerItem)))
    assert with_speed.fullmatch(status.text())
    streaming = items(window, AnswerItem)[0]
    assert streaming.streaming
    seen = len(streaming.written)
    assert seen > 0
    qtbot.waitUntil(lambda: len(streaming.written) > seen, timeout=WAIT_MS)
    page.stop()
    qtbot.waitUntil(lambda: len(finished(window)) == 1, timeout=WAIT_MS)


def test_a_deleted_message_and_a_deleted_chat_come_back(
    qtbot: QtBot, open_window: Open, paths: Paths, polite: Path
) -> None:
    install(paths, polite)
    window = open_window()
    ask(qtbot, window, "Hello")
    toast = window.findChildren(Toast)[0]
    answer = finished(window)[0].message
    transcript(window).delete_requested.emit(answer.id)
    qtbot.waitUntil(lambda: not items(window, AnswerItem))
    toast.act()
    qtbot.waitUntil(lambda: len(finished(window)) == 1)
    page = window.findChildren(ChatPage)[0]
    chat = page._shown.id
    page._layout.list.delete_requested.emit(chat)
    qtbot.waitUntil(lambda: not page.has_chats)
    assert not transcript(window).items
    toast.act()
    qtbot.waitUntil(lambda: page.has_chats and len(finished(window)) == 1)
    toast.dismiss()


def test_a_toast_stays_in_sight_when_the_page_changes(
    qtbot: QtBot, open_window: Open, paths: Paths, polite: Path
) -> None:
    install(paths, polite)
    window = open_window()
    toast = window.findChildren(Toast)[0]
    toast.show_message("Chat deleted", lambda: None)
    window._pages.show_place("models")
    there = window._stack.childAt(toast.geometry().center())
    assert there is toast or toast.isAncestorOf(there)
    toast.dismiss()


def test_settings_of_a_chat_are_kept_with_it(
    qtbot: QtBot, open_window: Open, paths: Paths, polite: Path
) -> None:
    install(paths, polite)
    window = open_window()
    page = window.findChildren(ChatPage)[0]
    page._layout.inspector.option_changed.emit("max_tokens", 1)
    ask(qtbot, window, "Hello")
    answer = finished(window)[0].message
    assert answer.status == "length"
    assert answer.origin is not None
    assert answer.origin.usage.completion_tokens == 1
    page._layout.inspector.option_reset.emit("max_tokens")
    qtbot.waitUntil(lambda: page._shown.chat.conversation.options == {})
    transcript(window).continue_requested.emit(answer.id)
    qtbot.waitUntil(
        lambda: [a.written.strip() for a in finished(window)] == [ANSWER], timeout=WAIT_MS
    )
    assert finished(window)[0].message.id == answer.id


def test_what_new_chats_begin_with_is_no_longer_offered_for_a_reset(
    qtbot: QtBot, open_window: Open, paths: Paths, polite: Path
) -> None:
    install(paths, polite)
    window = open_window()
    inspector = window.findChildren(ChatPage)[0]._layout.inspector
    row = next(row for row in inspector.findChildren(OptionRow) if row.option.key == "top_k")
    inspector.option_changed.emit("top_k", 7)
    qtbot.waitUntil(lambda: row._reset.isVisibleTo(row))
    inspector.defaults_requested.emit()
    qtbot.waitUntil(lambda: not row._reset.isVisibleTo(row))


def test_without_a_model_the_chats_can_be_read_and_say_what_is_missing(
    qtbot: QtBot, open_window: Open, paths: Paths
) -> None:
    store = ConversationStore(paths.database_file)
    conversation = store.create()
    store.add_message(conversation.id, parent_id=None, role="user", text="Still here?")
    store.close()
    window = open_window()
    assert isinstance(window._stack.currentWidget(), ChatPage)
    page = window.findChildren(ChatPage)[0]
    page.open_chat(conversation.id)
    qtbot.waitUntil(lambda: bool(items(window, PersonItem)))
    assert "No model is installed" in field(window).hint
    assert window.findChild(ModelStatus).text() == "No model"


def test_a_damaged_database_is_explained_and_set_aside_on_request(
    qtbot: QtBot, open_window: Open, paths: Paths
) -> None:
    paths.database_file.parent.mkdir(parents=True)
    paths.database_file.write_bytes(b"This is no database, and it is long enough to be one." * 40)
    window = open_window()
    page = window.findChildren(TroublePage)[0]
    fresh = next(b for b in page.findChildren(Button) if b.text().startswith("Set it aside"))
    fresh.click()
    qtbot.waitUntil(lambda: window.is_ready)
    kept = [path for path in paths.home.iterdir() if "set-aside" in path.name]
    assert len(kept) == 1
    assert kept[0].read_bytes().startswith(b"This is no database")


def test_what_can_be_read_of_a_damaged_database_is_saved_and_opened(
    qtbot: QtBot, open_window: Open, paths: Paths
) -> None:
    store = ConversationStore(paths.database_file)
    conversation = store.create()
    store.add_message(conversation.id, parent_id=None, role="user", text="Where was I?")
    store.close()
    damaged = b"\xff" * 4096 + paths.database_file.read_bytes()[4096:]
    paths.database_file.write_bytes(damaged)
    window = open_window()

    def press(words: str) -> None:
        def button() -> Button | None:
            buttons = window.findChildren(Button)
            return next((b for b in buttons if b.text() == words and b.isVisible()), None)

        qtbot.waitUntil(lambda: button() is not None, timeout=60_000)
        found = button()
        assert found is not None
        found.click()

    press("Save what can be read")
    press("Open the saved copy")
    qtbot.waitUntil(lambda: window.is_ready, timeout=60_000)
    assert [row.title for row in window._opened.services.store.rows()] == ["Where was I?"]
    (kept,) = (path for path in paths.home.iterdir() if "set-aside" in path.name)
    assert kept.read_bytes() == damaged


def test_a_database_of_a_newer_version_is_refused_and_left_alone(
    open_window: Open, paths: Paths
) -> None:
    ConversationStore(paths.database_file).close()
    with sqlite3.connect(paths.database_file) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    before = paths.database_file.read_bytes()
    window = open_window()
    page = window.findChildren(TroublePage)[0]
    assert "newer" in page.accessibleName()
    assert not [b for b in page.findChildren(Button) if b.text().startswith("Set it aside")]
    assert paths.database_file.read_bytes() == before


def test_a_setting_is_saved_off_the_main_thread(
    qtbot: QtBot, open_window: Open, paths: Paths, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    update = SettingsFile.update

    def noted(settings: SettingsFile, **changes: object) -> object:
        threads.append(threading.get_ident())
        return update(settings, **changes)

    window = open_window()
    show_place(window, "Settings")
    with monkeypatch.context() as patch:
        patch.setattr(SettingsFile, "update", noted)
        window.findChildren(SettingsPage)[0].setting_changed.emit("theme", "dark")
        qtbot.waitUntil(lambda: theme.name == "dark")
    assert SettingsFile(paths.settings_file).load().theme == "dark"
    assert threading.get_ident() not in threads
    theme.set_preference("light")


def test_removing_a_model_leaves_another_one_in_memory(
    qtbot: QtBot, open_window: Open, paths: Paths, polite: Path, endless: Path
) -> None:
    install(paths, polite, endless)
    library = Library(paths.models_folder, paths.library_file, load_bundled())
    window = open_window()
    window.findChildren(ChatPage)[0].use_model(library.find(polite.name))
    qtbot.waitUntil(lambda: len(workers()) == 1, timeout=WAIT_MS)
    before = workers()
    show_place(window, "Models")
    panel = window.findChildren(ModelDetailsPanel)[0]
    panel.remove_requested.emit(library.find(endless.name), False)
    qtbot.waitUntil(lambda: [model.path for model in library.models()] == [polite])
    assert set(before) <= set(workers())


def workers() -> list[int]:
    """The processes that hold a model, not those that only look for graphics cards."""
    return [each.pid for each in psutil.Process().children() if _is_worker(each)]


def _is_worker(process: psutil.Process) -> bool:
    """A process that has only just been forked is not one yet."""
    try:
        return "backends.llama_cpp.worker" in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def show_place(window: MainWindow, name: str) -> None:
    next(b for b in window.findChildren(RailButton) if b.accessibleName() == name).click()


def test_an_edit_while_an_answer_is_written_ends_that_and_is_answered(
    qtbot: QtBot, open_window: Open, paths: Paths, endless: Path
) -> None:
    install(paths, endless)
    window = open_window()
    send(qtbot, window, "Go on")
    qtbot.waitUntil(
        lambda: any(item.streaming and item.written for item in items(window, AnswerItem)),
        timeout=WAIT_MS,
    )
    question = items(window, PersonItem)[0].message
    transcript(window).edit_submitted.emit(question.id, "Something else")
    qtbot.waitUntil(
        lambda: [item.message.text for item in items(window, PersonItem)] == ["Something else"],
        timeout=WAIT_MS,
    )
    qtbot.waitUntil(lambda: bool(items(window, AnswerItem)), timeout=WAIT_MS)
    assert items(window, PersonItem)[0].message.sibling_count == 2


def test_a_message_is_answered_while_every_lookup_hangs(
    qtbot: QtBot, open_window: Open, paths: Paths, polite: Path
) -> None:
    install(paths, polite)
    with HubServer(faults=["mute"], always=True) as server:
        settings = SettingsFile(paths.settings_file)
        settings.load()
        settings.update(hub_endpoint=server.url)
        window = open_window()
        qtbot.waitUntil(lambda: not field(window).isReadOnly())
        show_place(window, "Models")
        qtbot.waitUntil(lambda: bool(window.findChildren(DetailPanel)))
        panel = window.findChildren(DetailPanel)[0]
        for number in range(1, 12):
            panel.show_subject(FoundRepository(repo=f"maker/model-{number}"))
            asked = f"maker/model-{number}/"
            qtbot.waitUntil(lambda asked=asked: bool(server.asked(asked)), timeout=WAIT_MS)
        show_place(window, "Chats")
        ask(qtbot, window, "Are you there?")
        assert finished(window)[0].written.strip() == ANSWER


@pytest.fixture
def starter_server(
    polite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FileServer]:
    """Sends what is the starter model here, slowly."""
    padded = tmp_path / "starter.gguf"
    padded.write_bytes(polite.read_bytes() + bytes(8 << 20))
    with FileServer({padded.name: padded}, bytes_per_second_per_connection=100_000) as server:
        artifact = Artifact(
            role="weights",
            quant="F32",
            sources=(Url(server.address(padded.name)),),
            size_bytes=padded.stat().st_size,
            sha256=hashlib.sha256(padded.read_bytes()).hexdigest(),
        )
        bundled = ui.main_window._open

        def open_with(paths: Paths, settings: SettingsFile) -> Opened:
            opened = bundled(paths, settings)
            entry = msgspec.structs.replace(opened.starter, artifacts=(artifact,))
            return opened._replace(starter=entry)

        monkeypatch.setattr(ui.main_window, "_open", open_with)
        yield server


def starter_phase(window: MainWindow) -> str:
    states = window._opened.services.downloads.states() if window._opened else ()
    return states[0].phase if states else ""


def start_button(window: MainWindow) -> Button:
    buttons = window.findChildren(WelcomePage)[0].findChildren(Button)
    return next(each for each in buttons if each.text() == "Start chatting")


def shows_the_chat(window: MainWindow) -> bool:
    return isinstance(window._stack.currentWidget(), ChatPage)


def test_a_starter_whose_download_was_interrupted_by_closing_opens_its_chat(
    qtbot: QtBot, open_window: Open, starter_server: FileServer
) -> None:
    window = open_window()
    start_button(window).click()
    qtbot.waitUntil(lambda: bool(starter_server.requests), timeout=WAIT_MS)
    starter_server.bytes_per_second = 0.0
    window = open_window()
    qtbot.waitUntil(lambda: shows_the_chat(window), timeout=WAIT_MS)
    ask(qtbot, window, "Hello")
    assert finished(window)[0].written.strip() == ANSWER


def test_a_starter_that_was_removed_is_offered_again(
    qtbot: QtBot, open_window: Open, starter_server: FileServer, paths: Paths
) -> None:
    starter_server.bytes_per_second = 0.0
    window = open_window()
    start_button(window).click()
    qtbot.waitUntil(lambda: shows_the_chat(window), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: starter_phase(window) == "done", timeout=WAIT_MS)
    for file in paths.models_folder.rglob("*.gguf"):
        file.unlink()
    window = open_window()
    qtbot.waitUntil(lambda: starter_phase(window) == "done", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: start_button(window).isVisible(), timeout=WAIT_MS)
    start_button(window).click()
    qtbot.waitUntil(lambda: shows_the_chat(window), timeout=WAIT_MS)


def test_a_chat_is_renamed_and_written_in_right_after_a_click(
    qtbot: QtBot, open_window: Open, paths: Paths, polite: Path
) -> None:
    install(paths, polite)
    with closing(ConversationStore(paths.database_file)) as store:
        for title in ("First", "Second"):
            chat = store.create()
            store.add_question(chat.id, parent_id=None, text=title)
        store.finish(
            store.get(chat.id).leaf_id,
            text="Yes.",
            reasoning="",
            reasoning_seconds=0,
            status="complete",
        )
    window = open_window()
    with qtbot.waitActive(window):
        window.activateWindow()
    view = window.findChildren(ConversationView)[0]
    row = view.model().index_of(chat.id)
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(row).center())
    qtbot.waitUntil(lambda: window.windowTitle().startswith("Second"))
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_F2)
    QTest.keyClicks(QApplication.focusWidget(), "Named")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.windowTitle().startswith("Named"))
    assert len(transcript(window).items) == 2
    for letter in "Hello":
        QTest.keyClick(QApplication.focusWidget(), letter)
    assert field(window).text() == "Hello"
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(finished(window)) == 2, timeout=WAIT_MS)


def write_long_chat(paths: Paths, pairs: int = 40) -> list[str]:
    """Its messages' ids. Of the fourth question there are two versions; the first is shown."""
    with closing(ConversationStore(paths.database_file)) as store:
        chat = store.create()
        ids: list[str] = []
        for number in range(pairs):
            for role, text in (
                ("user", f"Question {number}"),
                ("assistant", "A long answer. " * 60),
            ):
                parent = ids[-1] if ids else None
                added = store.add_message(chat.id, parent_id=parent, role=role, text=text)
                ids.append(added.id)
        other = store.add_message(chat.id, parent_id=ids[5], role="user", text="In other words")
        store.add_message(chat.id, parent_id=other.id, role="assistant", text="Short.")
        store.step_sibling(other.id, -1)
    return ids


def top_of(window: MainWindow, message_id: str) -> int | None:
    """Where a message begins in what is seen of the chat."""
    for item in transcript(window).items:
        if item.message.id == message_id:
            return item.mapTo(transcript(window), QPoint(0, 0)).y()
    return None


def bring_to(qtbot: QtBot, window: MainWindow, message_id: str, y: int) -> None:
    bar = transcript(window).verticalScrollBar()

    def there() -> bool:
        top = top_of(window, message_id)
        bar.setValue(bar.value() + top - y if top is not None else 0)
        return top == y

    qtbot.waitUntil(there, timeout=WAIT_MS)


def test_another_version_of_an_early_question_stands_where_the_first_one_stood(
    qtbot: QtBot, open_window: Open, paths: Paths
) -> None:
    ids = write_long_chat(paths)
    window = open_window()
    window.findChildren(ChatPage)[0].open_chat(rows_of(paths)[0])
    bring_to(qtbot, window, ids[6], 200)
    item = next(each for each in transcript(window).items if each.message.id == ids[6])
    button(item, "Next version").click()

    def words() -> list[str]:
        return [each.message.text for each in transcript(window).items]

    qtbot.waitUntil(lambda: "In other words" in words(), timeout=WAIT_MS)
    other = next(i for i in transcript(window).items if i.message.text == "In other words")
    qtbot.waitUntil(lambda: transcript(window).isVisible())
    bar = transcript(window).verticalScrollBar()
    assert top_of(window, other.message.id) == 200 or bar.value() == bar.maximum()
    button(other, "Previous version").click()
    qtbot.waitUntil(lambda: top_of(window, ids[6]) is not None, timeout=WAIT_MS)
    assert abs(top_of(window, ids[6]) - 200) < transcript(window).height() - 200
    assert not transcript(window).following


def test_each_chat_is_opened_where_it_was_read_also_after_a_restart(
    qtbot: QtBot, open_window: Open, paths: Paths
) -> None:
    ids = write_long_chat(paths)
    at_end = write_long_chat(paths)
    second, first = rows_of(paths)
    window = open_window()
    page = window.findChildren(ChatPage)[0]
    page.open_chat(first)
    bring_to(qtbot, window, ids[21], -100)
    page.open_chat(second)
    qtbot.waitUntil(lambda: top_of(window, at_end[-1]) is not None)
    assert transcript(window).following
    page.open_chat(first)
    qtbot.waitUntil(lambda: top_of(window, ids[21]) == -100, timeout=WAIT_MS)

    window = open_window()
    qtbot.waitUntil(lambda: top_of(window, ids[21]) == -100, timeout=WAIT_MS)
    window.findChildren(ChatPage)[0].open_chat(second)
    qtbot.waitUntil(lambda: top_of(window, at_end[-1]) is not None)
    assert transcript(window).following


def rows_of(paths: Paths) -> list[str]:
    with closing(ConversationStore(paths.database_file)) as store:
        return [row.id for row in store.rows()]


def button(parent: QWidget, name: str) -> QAbstractButton:
    buttons = parent.findChildren(QAbstractButton)
    return next(each for each in buttons if each.accessibleName() == name)


def press_undo(window: MainWindow) -> None:
    target = QApplication.focusWidget() or window
    QTest.keyClick(target, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)


def test_ctrl_z_brings_back_what_was_deleted_but_first_what_was_typed(
    qtbot: QtBot, open_window: Open, paths: Paths, polite: Path
) -> None:
    install(paths, polite)
    ids = write_long_chat(paths, pairs=4)
    window = open_window()
    with qtbot.waitActive(window):
        window.activateWindow()
    page = window.findChildren(ChatPage)[0]
    page.open_chat(rows_of(paths)[0])
    qtbot.waitUntil(lambda: len(transcript(window).items) == 8)
    transcript(window).delete_requested.emit(ids[-1])
    qtbot.waitUntil(lambda: len(transcript(window).items) == 7)
    field(window).setFocus()
    field(window).insertPlainText("typed")
    press_undo(window)
    assert field(window).text() == ""
    assert len(transcript(window).items) == 7
    press_undo(window)
    qtbot.waitUntil(lambda: len(transcript(window).items) == 8)
    page._delete(rows_of(paths)[0])
    qtbot.waitUntil(lambda: not rows_of(paths))
    press_undo(window)
    qtbot.waitUntil(lambda: len(rows_of(paths)) == 1)
