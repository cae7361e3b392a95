"""The chat page over the program's own parts, and a backend that answers from a script."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

import app.services
from app.errors import StorageError
from app.options.adapter_stack import StackedAdapter, stack_of, stack_text
from app.paths import paths_under
from app.settings_file import SettingsFile
from catalog.catalogues.bundled import load_bundled
from catalog.library import InstalledModel, Library
from tests.gguf_adapters import write_adapter_for
from tests.gguf_files import write_model
from tests.scripted_backend import Script, ScriptedBackend
from ui.background import Background
from ui.chat.adapters.adapter_popup import AdapterPopup
from ui.chat.adapters.adapter_row import AdapterRow
from ui.chat.adapters.adapters_section import AdaptersSection
from ui.chat.answer_item import AnswerItem
from ui.chat.chat_page import ChatPage
from ui.chat.composer_field import ComposerField
from ui.chat.conversation_model import WRITING_ROLE, ConversationModel
from ui.chat.details_dialog import DetailsDialog
from ui.chat.model_picker import ModelButton
from ui.chat.open_chat import ChatContents
from ui.chat.preset_button import PresetButton
from ui.chat.probabilities.heat_view import HeatView
from ui.chat.status import ContextMeter, ModelStatus
from ui.kit import Button, Label, Paragraph, SearchField, Slider, Toast
from ui.known_fits import KnownFits
from ui.startup import open_program
from ui.theme import Theme

SLOW = Script(tokens=("word ",) * 2000, delay=0.02)


class World:
    """A page, and what it stands on."""

    def __init__(self, qtbot: QtBot, theme: Theme, folder: Path, backend: ScriptedBackend) -> None:
        self.qtbot = qtbot
        self.backend = backend
        self.background = Background()
        paths = paths_under(folder / "home")
        settings = SettingsFile(paths.settings_file)
        settings.load()
        library = Library(paths.models_folder, paths.library_file, load_bundled())
        tiny = write_model(folder / "tiny.gguf")
        self.model = library.add_file(tiny)
        self.adapter = library.add_file(write_adapter_for(tiny, folder / "terse.gguf"))
        other = write_model(folder / "other.gguf", n_embd=128)
        self.unfit = library.add_file(write_adapter_for(other, folder / "foreign.gguf", seed=2))
        opened = open_program(paths, settings)
        self.services = opened.services
        self.window = QWidget()
        self.folder = folder
        toast = self.toast = Toast(theme, self.window)
        self.fits = KnownFits(self.background, self.services.fitting.of_model)
        self.page = ChatPage(theme, self.background, opened, self.fits, toast, self.window)
        self.page.resize(1280, 800)
        self.window.resize(1280, 800)
        self.window.show()
        self.page.start()
        qtbot.waitUntil(lambda: not self.field.isReadOnly())

    def close(self) -> None:
        self.window.hide()
        self.page.stop_work()
        assert self.background.finish(10_000)
        self.services.close()
        for part in (self.window, self.fits, self.background):
            part.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    @property
    def field(self) -> ComposerField:
        return self.page.findChildren(ComposerField)[0]

    @property
    def id(self) -> str:
        return self.page._shown.id

    @property
    def section(self) -> AdaptersSection:
        return self.page.findChild(AdaptersSection)

    @property
    def status(self) -> str:
        return self.page.findChild(ModelStatus).text()

    @property
    def counter(self) -> str:
        meter = self.page.findChild(ContextMeter)
        return meter.findChild(Label).text() if meter.isVisible() else ""

    def answers(self) -> list[AnswerItem]:
        items = self.page._layout.transcript.items
        return [item for item in items if isinstance(item, AnswerItem)]

    def send(self, text: str) -> None:
        QTest.keyClicks(self.field, text)
        QTest.keyClick(self.field, Qt.Key.Key_Return)

    def ask(self, text: str) -> AnswerItem:
        before = len(self.answers())
        self.send(text)
        self.wait(lambda: len(self.answers()) > before and not self.answers()[-1].streaming)
        return self.answers()[-1]

    def wait(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=60_000)

    def writing(self) -> int:
        rows = self.page.findChild(ConversationModel)
        indexes = [rows.index(row) for row in range(rows.rowCount())]
        return sum(bool(index.data(WRITING_ROLE)) for index in indexes)

    def options(self) -> dict[str, object]:
        return dict(self.services.store.get(self.id).options)


@pytest.fixture
def world(
    qtbot: QtBot, theme: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    backend = ScriptedBackend()
    monkeypatch.setattr(app.services, "find_backends", lambda: ({"llama_cpp": backend}, ()))
    world = World(qtbot, theme, tmp_path, backend)
    yield world
    world.close()


def add_terse(world: World) -> None:
    world.wait(
        lambda: world.section.findChild(AdapterRow) is None and world.section._add.isEnabled()
    )
    QTest.mouseClick(world.section._add, Qt.MouseButton.LeftButton)
    search = world.section.findChild(AdapterPopup).findChild(SearchField)
    QTest.keyClicks(search, world.adapter.name)
    QTest.keyClick(search, Qt.Key.Key_Return)


def test_an_adapter_is_added_slid_and_used_without_a_reload(world: World) -> None:
    world.ask("Hello")
    add_terse(world)
    button = world.page.findChild(ModelButton)
    world.wait(lambda: "1 adapter" in button.accessibleName())
    slider = world.section.findChild(AdapterRow).findChild(Slider)
    for _ in range(4):
        QTest.keyClick(slider, Qt.Key.Key_Left)
    world.wait(lambda: stack_of(world.options()) == (StackedAdapter(world.adapter.id, 0.8),))
    answer = world.ask("Again")
    applied = world.backend.requests[-1].adapters
    assert [(each.path, each.scale) for each in applied] == [(str(world.adapter.path), 0.8)]
    assert len(world.backend.sessions) == 1
    assert f"+ {world.adapter.name} 0.8" in answer.row._summary.text()


def test_each_chat_has_its_own_stack(world: World) -> None:
    world.ask("First")
    first = world.id
    add_terse(world)
    world.wait(lambda: "adapters" in world.options())
    button = world.page.findChild(ModelButton)
    world.page.new_chat()
    world.wait(lambda: world.section.stack == ())
    assert "adapter" not in button.accessibleName()
    world.page.open_chat(first)
    world.wait(lambda: [each.adapter for each in world.section.stack] == [world.adapter.id])
    assert "1 adapter" in button.accessibleName()


def test_what_is_installed_shows_though_the_chat_is_read_again_meanwhile(world: World) -> None:
    shown = world.page._shown
    read: list[ChatContents] = []
    shown.refreshed.connect(read.append)
    shown.refresh()
    world.wait(lambda: bool(read))
    world.section.show_offers(None)
    other = msgspec.structs.replace(world.model, name="Another name")
    shown.refreshed.emit(read[0]._replace(model=other))
    shown.refreshed.emit(read[0]._replace(model=msgspec.structs.replace(other)))
    world.wait(world.section._add.isEnabled)


def test_one_that_does_not_fit_says_why(world: World) -> None:
    world.ask("First")
    stack = stack_text([StackedAdapter(world.unfit.id), StackedAdapter("nowhere")])
    world.services.store.set_options(world.id, {"adapters": stack})
    world.page.open_chat(world.id)
    world.wait(lambda: len(world.section.findChildren(AdapterRow)) == 2)
    world.wait(lambda: world.section.acting == 0)
    words = " ".join(label.text() for label in world.section.findChildren(QLabel))
    assert "Left out: it does not fit the model." in words
    assert "Left out: it is no longer installed." in words


def test_an_answer_is_written_again_without_adapters_by_one_click(world: World) -> None:
    world.ask("Hello")
    assert world.answers()[-1].row.button("regenerate_plain") is None
    add_terse(world)
    world.wait(lambda: "adapters" in world.options())
    answer = world.ask("Again")
    answer.row.button("regenerate_plain").click()
    world.wait(lambda: world.answers()[-1].message.sibling_count == 2)
    world.wait(lambda: not world.answers()[-1].streaming)
    assert world.backend.requests[-1].adapters == ()
    assert world.answers()[-1].message.origin.adapters == ()
    assert [each.adapter for each in world.section.stack] == [world.adapter.id]


def test_a_preset_is_saved_with_the_chat(world: World) -> None:
    world.ask("Hello")
    button = world.page.findChild(PresetButton)
    assert button.text() == "Preset: Balanced"
    next(a for a in button.menu.actions() if a.text() == "Precise").trigger()
    world.wait(lambda: button.text() == "Preset: Precise")
    world.wait(lambda: world.options().get("temperature") == 0.2)
    next(a for a in button.menu.actions() if a.text() == "Balanced").trigger()
    world.wait(lambda: world.options() == {})


def test_adapters_do_not_become_those_of_new_chats(world: World) -> None:
    add_terse(world)
    world.page._layout.inspector.option_changed.emit("temperature", 0.5)
    world.page._layout.inspector.defaults_requested.emit()
    world.wait(lambda: world.services.settings.current.chat_defaults == {"temperature": 0.5})


def test_settings_are_kept_as_a_profile_with_their_adapters(world: World) -> None:
    add_terse(world)
    world.page._layout.inspector.option_changed.emit("temperature", 0.5)
    button = world.page.findChild(PresetButton)
    keep = next(a for a in button.menu.actions() if "profile" in a.text())
    world.wait(keep.isEnabled)
    keep.trigger()
    profiles = world.services.profiles
    model_id = world.services.chats.default_model().id
    world.wait(lambda: profiles.in_use(model_id) is not None)
    profile = profiles.in_use(model_id)
    assert profile is not None
    assert profile.options["temperature"] == 0.5
    assert "terse" in str(profile.options["adapters"])


def test_an_adapter_from_elsewhere_joins_the_chat_once(world: World) -> None:
    model = world.services.chats.default_model()
    for _ in range(2):
        world.page.use_adapter("terse", [model])
        world.wait(lambda: "terse" in str(world.page._layout.inspector.values["adapters"]))
    assert [each.adapter for each in stack_of(world.page._layout.inspector.values)] == ["terse"]


def test_an_adapter_that_brings_another_model_says_so(world: World) -> None:
    other = world.services.library.add_file(world.folder / "other.gguf")
    world.page.use_adapter(world.unfit.id, [other])
    assert f"{other.name} answers in this chat now" in world.toast.findChild(Paragraph).text()
    world.wait(lambda: world.section.acting == 1)


def test_trigger_words_stand_apart_in_the_message(world: World) -> None:
    QTest.keyClicks(world.field, "Tides?")
    world.section.words_chosen.emit("Answer tersely:")
    assert world.field.text() == "Tides? Answer tersely:"
    world.field.set_text("")
    world.section.words_chosen.emit("Answer tersely:")
    assert world.field.text() == "Answer tersely:"


def test_several_chats_are_written_at_once_and_stopped_one_by_one(world: World) -> None:
    world.backend.script = SLOW
    world.send("First")
    world.wait(lambda: bool(world.answers()) and bool(world.answers()[-1].written))
    first = world.id
    world.page.new_chat()
    world.wait(lambda: world.id == "" and world.status.startswith("Writing in another chat"))
    world.send("Second")
    world.wait(lambda: bool(world.answers()) and bool(world.answers()[-1].written))
    world.wait(lambda: world.writing() == 2)
    assert world.status.startswith("Writing here and in another chat")
    world.page.stop()
    world.wait(lambda: world.writing() == 1)
    assert world.services.store.page(world.id).messages[-1].status == "stopped"
    assert world.services.store.page(first).messages[-1].status == "streaming"
    world.wait(lambda: world.status.startswith("Writing in another chat"))
    world.page.open_chat(first)
    world.wait(lambda: world.id == first and world.answers()[-1].streaming)
    world.page.stop()
    world.wait(lambda: world.writing() == 0)


def test_details_show_how_sure_the_model_was_and_what_took_part(world: World) -> None:
    world.page._layout.inspector.option_changed.emit("logprobs", 1)
    add_terse(world)
    answer = world.ask("Hello")
    answer.row.button("details").click()
    world.wait(lambda: world.page.window().findChild(DetailsDialog) is not None)
    dialog = world.page.window().findChild(DetailsDialog)
    assert dialog.findChild(HeatView).toPlainText() == answer.written
    words = " ".join(label.accessibleName() for label in dialog.findChildren(QLabel))
    assert f"Adapter: {world.adapter.name} · 1" in words
    close = next(each for each in dialog.findChildren(Button) if each.text() == "Close")
    close.click()


def test_what_is_unfolded_is_kept_for_the_next_start(world: World) -> None:
    inspector = world.page._layout.inspector
    assert inspector.unfolded == ()
    inspector.unfold(("engine",))
    state = world.page.layout_state()
    inspector.unfold(())
    world.page._layout.restore(state)
    assert inspector.unfolded == ("engine",)


def test_the_speed_is_that_of_the_newest_answer(world: World) -> None:
    world.ask("Hello")
    world.wait(lambda: "tok/s" in world.status)
    world.backend.script = Script(crash_at=1)
    world.ask("Again")
    world.wait(lambda: "tok/s" not in world.status)


def test_the_speed_of_the_last_answer_is_not_told_of_the_next(world: World) -> None:
    world.ask("Hello")
    world.wait(lambda: "tok/s" in world.status)
    world.backend.script = Script(hang_at=0)
    world.send("Again")
    world.wait(lambda: world.status == "Reading…")
    world.page.stop_work()
    world.wait(lambda: not world.answers()[-1].streaming)


def test_the_counter_moves_with_the_draft_and_with_the_answer(world: World) -> None:
    world.ask("Hello")  # a word is a token: one, and two of the answer
    QTest.keyClicks(world.field, "one two three")
    world.wait(lambda: world.counter == "6 of 2,048")
    world.backend.script = SLOW
    QTest.keyClick(world.field, Qt.Key.Key_Return)
    world.wait(lambda: world.status.startswith("Writing · "))
    seen: set[str] = set()

    def moved() -> bool:
        seen.add(world.counter)
        return len(seen) > 2

    world.wait(moved)


def test_another_model_does_not_get_the_speed_of_the_one_before(world: World) -> None:
    world.ask("Hello")
    world.wait(lambda: "tok/s" in world.status)
    world.page.use_model(world.services.library.add_file(write_model(world.folder / "next.gguf")))
    world.wait(lambda: "tok/s" not in world.status)


def disk_is_full(*_: object, **__: object) -> NoReturn:
    raise StorageError("The disk is full.")


def test_a_message_is_answered_though_its_draft_stays_on_a_full_disk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ask("First")
    monkeypatch.setattr(world.services.store, "set_draft", disk_is_full)
    world.ask("Second")
    assert world.toast.findChild(Paragraph).text() == "The disk is full."
    monkeypatch.undo()
    assert world.ask("Third").written == "Hello, world."


def test_an_answer_that_is_written_again_ends_though_its_chat_can_not_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = world.ask("First")
    monkeypatch.setattr(world.services.store, "page", disk_is_full)
    answer.row.button("regenerate").click()
    world.wait(lambda: world.toast.findChild(Paragraph).text() == "The disk is full.")
    world.wait(lambda: not world.writing())
    monkeypatch.undo()
    assert world.ask("Second").written == "Hello, world."
    assert world.services.store.page(world.id).messages[1].sibling_count == 2


def test_a_message_that_is_not_stored_comes_back_and_can_be_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ask("First")
    monkeypatch.setattr(world.services.store, "add_question", disk_is_full)
    world.send("Second")
    world.wait(lambda: world.field.text() == "Second")
    assert world.toast.findChild(Paragraph).text() == "The disk is full."
    monkeypatch.undo()
    QTest.keyClick(world.field, Qt.Key.Key_Return)
    world.wait(lambda: len(world.answers()) == 2 and not world.answers()[-1].streaming)
    asked = [m.text for m in world.services.store.page(world.id).messages if m.role == "user"]
    assert asked == ["First", "Second"]


def add_models(world: World, *names: str) -> list[InstalledModel]:
    return [
        world.services.library.add_file(write_model(world.folder / f"{name}.gguf", seed=number))
        for number, name in enumerate(names, start=7)
    ]


def loaded(world: World) -> list[str]:
    return [Path(session.info.model).stem for session in world.backend.sessions]


def test_of_models_that_are_chosen_while_an_answer_is_written_only_the_last_is_loaded(
    world: World,
) -> None:
    world.backend.script = SLOW
    world.send("Hello")
    world.wait(lambda: bool(world.answers()) and bool(world.answers()[-1].written))
    models = add_models(world, "a", "b", "c")
    for model in models:
        world.page.use_model(model)
        world.wait(lambda id=model.id: world.services.store.get(world.id).model_id == id)
    world.page.stop()
    engines = world.services.engines
    world.wait(lambda: (engines.state.model_id, engines.state.phase) == (models[-1].id, "ready"))
    assert loaded(world) == ["tiny", "c"]


def test_a_model_that_is_being_loaded_gives_way_to_the_one_chosen_next(world: World) -> None:
    first, second = add_models(world, "a", "b")
    engines = world.services.engines
    world.backend.script = Script(load_seconds=30)
    world.page.use_model(first)
    world.wait(lambda: (engines.state.model_id, engines.state.phase) == (first.id, "loading"))
    world.page.use_model(second)
    world.wait(lambda: (engines.state.model_id, engines.state.phase) == (second.id, "loading"))
    world.backend.script = Script()
    world.wait(lambda: (engines.state.model_id, engines.state.phase) == (second.id, "ready"))
    assert loaded(world) == ["b"]


def test_a_message_can_be_typed_and_sent_before_its_new_chat_has_been_read(world: World) -> None:
    world.backend.script = SLOW
    world.send("First")
    world.wait(lambda: bool(world.answers()) and bool(world.answers()[-1].written))
    first = world.id
    world.page.new_chat()
    world.send("Second")
    world.wait(lambda: world.id not in ("", first))
    world.wait(lambda: world.writing() == 2)
    assert world.services.store.page(world.id).messages[0].text == "Second"


def test_a_question_whose_answer_was_deleted_is_answered_by_one_click(world: World) -> None:
    answer = world.ask("Hello")
    answer.row.button("delete").click()
    world.wait(lambda: not world.answers())
    question = world.page._layout.transcript.items[-1]
    question.row.button("answer").click()
    world.wait(lambda: bool(world.answers()) and not world.answers()[-1].streaming)
    assert world.answers()[-1].written == "Hello, world."
