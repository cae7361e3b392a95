"""The panel of an installed model over a real library, real files and real profiles."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.adapters import Adapters
from app.engines import EngineState
from app.options.adapter_stack import StackedAdapter, stack_text
from app.profiles import Profiles
from catalog.catalogues.bundled import load_bundled
from catalog.fit.fit import Fit, MemoryEstimate
from catalog.library import InstalledModel, Library
from catalog.library.places import Place
from catalog.library.removal import TrashUnavailable
from tests.gguf_files import write_adapter, write_model
from ui.background import Background
from ui.chat.option_row import OptionRow
from ui.chat.prompt_box import PromptBox
from ui.installed_models import InstalledModels
from ui.kit import Button, ComboBox, FoldLine, TextField, Toast
from ui.known_fits import KnownFits
from ui.models.model_details import ModelDetailsPanel
from ui.models.model_work import ModelWork
from ui.theme import Theme

FIT = Fit(
    verdict="tight",
    parts=MemoryEstimate(4_700_000_000, 500_000_000, 300_000_000),
    free=6_000_000_000,
    n_ctx=8192,
    largest_context=12_288,
    speed="fast",
)
SHORT = Fit(
    verdict="fits",
    parts=MemoryEstimate(1_000_000_000, 100_000_000, 100_000_000),
    free=6_000_000_000,
    n_ctx=512,
)


class World:
    """A library in a folder of the test's own, and the panel over it."""

    def __init__(self, theme: Theme, background: Background, folder: Path) -> None:
        self.others = folder / "others"
        self.others.mkdir()
        self.library = Library(
            folder / "models",
            folder / "library.json",
            load_bundled(),
            places=lambda: [Place("lm_studio", self.others, "LM Studio")],
        )
        self.profiles = Profiles(folder / "profiles.json")
        self.engines = SimpleNamespace(state=EngineState("", "unloaded"), unload=lambda: None)
        services = SimpleNamespace(
            library=self.library,
            adapters=Adapters(self.library),
            profiles=self.profiles,
            engines=self.engines,
            fitting=SimpleNamespace(of_model=lambda model, n_ctx: SHORT),
        )
        self.panel = ModelDetailsPanel(theme)
        self.toast = Toast(theme, self.panel)
        self.installed = InstalledModels(background, self.library, self.panel)
        fits = KnownFits(background, lambda model: FIT, self.panel)
        self.work = ModelWork(background, services, self.installed, fits, self.panel, self.toast)

    def show(self, model: InstalledModel) -> None:
        self.work.show(model)
        self.panel.show()


@pytest.fixture
def world(theme: Theme, qtbot: QtBot, tmp_path: Path) -> Iterator[World]:
    background = Background()
    world = World(theme, background, tmp_path)
    qtbot.addWidget(world.panel)
    world.panel.resize(360, 900)
    yield world
    world.work.cancel_check()
    world.toast.dismiss()
    assert background.finish(60_000)


@pytest.fixture
def added(world: World, tmp_path: Path) -> InstalledModel:
    return world.library.add_file(write_model(tmp_path / "polite.gguf", says="Good."))


@pytest.fixture
def ours(world: World) -> InstalledModel:
    world.library.models_folder.mkdir(parents=True)
    write_model(world.library.models_folder / "ours.gguf", says="Good.")
    return world.library.models()[0]


def words(panel: QWidget) -> str:
    return "\n".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def press(panel: QWidget, name: str, qtbot: QtBot) -> None:
    found = next(
        found
        for found in panel.findChildren(QAbstractButton)
        if found.isVisible() and found.accessibleName() == name
    )
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)


def test_a_model_is_told_with_its_facts_fit_and_place(
    world: World, added: InstalledModel, qtbot: QtBot
) -> None:
    world.show(added)
    qtbot.waitUntil(lambda: "bits a weight" in words(world.panel))
    shown = words(world.panel)
    assert "Architecture\nllama" in shown
    assert "Template\nits own" in shown
    assert str(added.path) in shown
    qtbot.waitUntil(lambda: "Tight" in words(world.panel))
    assert "Memory for F32\n5.5 of 6.0 GB free" in words(world.panel)
    assert "Up to 12k context · answers quickly" in words(world.panel)


def test_the_memory_is_told_for_another_context_too(
    world: World, added: InstalledModel, qtbot: QtBot
) -> None:
    world.show(added)
    qtbot.waitUntil(lambda: "5.5 of 6.0 GB free" in words(world.panel))
    world.panel.memory.context_chosen.emit(512)
    qtbot.waitUntil(lambda: "Memory for F32\n1.2 of 6.0 GB free" in words(world.panel))
    world.panel.memory.context_chosen.emit(0)
    assert "5.5 of 6.0 GB free" in words(world.panel)


def test_a_check_reads_the_file_and_says_by_whose_word_it_is_sound(
    world: World, added: InstalledModel, qtbot: QtBot
) -> None:
    world.show(added)
    assert "Not computed yet" in words(world.panel)
    press(world.panel, "Check the file", qtbot)
    qtbot.waitUntil(lambda: "SHA-256 " in words(world.panel))
    assert "Nobody has published a checksum" in words(world.panel)
    press(world.panel, "Copy the checksum", qtbot)
    assert QGuiApplication.clipboard().text() == world.library.digest(added)


def test_a_file_of_our_own_goes_into_the_trash_after_a_question(
    world: World,
    ours: InstalledModel,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    world.show(ours)
    press(world.panel, "Remove…", qtbot)
    assert "Put it into the trash? That frees" in words(world.panel)
    press(world.panel, "Keep it", qtbot)
    assert ours.path.exists()
    press(world.panel, "Remove…", qtbot)
    with qtbot.waitSignal(world.work.gone):
        press(world.panel, "Put it into the trash", qtbot)
    assert not ours.path.exists()
    assert "is in the trash" in world.toast.accessibleName()


def test_without_a_trash_it_can_be_deleted_for_good(
    world: World, ours: InstalledModel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = world.library.remove

    def no_trash(model_id: str, *, for_good: bool = False) -> int:
        if not for_good:
            raise TrashUnavailable("It can't be put into the trash.", "There is none.")
        return remove(model_id, for_good=True)

    monkeypatch.setattr(world.library, "remove", no_trash)
    world.show(ours)
    press(world.panel, "Remove…", qtbot)
    press(world.panel, "Put it into the trash", qtbot)
    qtbot.waitUntil(lambda: "There is none." in words(world.panel))
    with qtbot.waitSignal(world.work.gone):
        press(world.panel, "Delete it for good", qtbot)
    assert not ours.path.exists()


def test_what_an_answer_is_written_with_stays(
    world: World, ours: InstalledModel, qtbot: QtBot
) -> None:
    world.engines.state = EngineState(ours.id, "busy")
    world.show(ours)
    press(world.panel, "Remove…", qtbot)
    press(world.panel, "Put it into the trash", qtbot)
    qtbot.waitUntil(lambda: "is in use" in words(world.panel))
    assert ours.path.exists()


def test_an_added_file_is_forgotten_and_stays_where_it_is(
    world: World, added: InstalledModel, qtbot: QtBot
) -> None:
    world.show(added)
    press(world.panel, "Remove…", qtbot)
    with qtbot.waitSignal(world.work.gone):
        press(world.panel, "Forget it", qtbot)
    assert added.path.exists()
    assert world.library.models() == ()


def test_what_belongs_to_another_program_is_only_pointed_at(world: World, qtbot: QtBot) -> None:
    write_model(world.others / "theirs.gguf", says="Good.")
    world.show(world.library.models()[0])
    assert "It belongs to LM Studio. Remove it there." in words(world.panel)
    assert not any(
        button.isVisible() and button.accessibleName() == "Remove…"
        for button in world.panel.findChildren(QAbstractButton)
    )


def test_a_profile_is_made_filled_copied_renamed_and_removed(
    world: World, added: InstalledModel, qtbot: QtBot
) -> None:
    panel, profiles = world.panel, world.profiles
    world.show(added)
    press(panel, "New profile", qtbot)
    name = next(
        f for f in panel.findChildren(TextField) if f.accessibleName() == "Name of the profile"
    )
    qtbot.keyClicks(name, "Terse")
    qtbot.keyClick(name, Qt.Key.Key_Return)
    choice = panel.profiles.findChild(ComboBox)
    qtbot.waitUntil(lambda: choice.currentText() == "Terse")
    prompt = next(
        box for box in panel.findChildren(PromptBox) if box.accessibleName() == "System prompt"
    )
    qtbot.keyClicks(prompt, "Be brief.")
    prompt.flush()
    row = next(r for r in panel.findChildren(OptionRow) if r.option.key == "temperature")
    row.changed.emit("temperature", 0.2)
    wanted = {"system_prompt": "Be brief.", "temperature": 0.2}
    qtbot.waitUntil(lambda: profiles.of(added.id)[0].options == wanted)

    world.panel.profiles.duplicate_requested.emit(profiles.of(added.id)[0].id)
    qtbot.waitUntil(lambda: choice.currentText() == "Terse 2")
    copy = profiles.in_use(added.id)
    assert copy is not None
    assert copy.options == wanted
    world.panel.profiles.rename_requested.emit(copy.id, "Calm")
    qtbot.waitUntil(lambda: choice.currentText() == "Calm")
    choice.select(profiles.of(added.id)[0].id)
    choice.activated.emit(choice.currentIndex())
    qtbot.waitUntil(lambda: profiles.in_use(added.id).name == "Terse")
    world.panel.profiles.remove_requested.emit(copy.id)
    qtbot.waitUntil(lambda: [each.name for each in profiles.of(added.id)] == ["Terse"])


def test_a_profile_carries_adapters_and_every_kind_of_setting(
    world: World, added: InstalledModel, qtbot: QtBot, tmp_path: Path
) -> None:
    adapter = world.library.add_file(write_adapter(tmp_path / "terse.gguf"))
    profile = world.profiles.create(added.id, "Terse", {"answer_format": "json", "lookup": 1})
    world.show(added)
    options = world.panel.profiles.options
    qtbot.waitUntil(options.isVisible)
    add = next(each for each in options.adapters.findChildren(Button) if each.isVisible())
    qtbot.waitUntil(add.isEnabled)
    options.adapters._add_adapter(adapter.id)
    folds = {each.text(): each for each in options.findChildren(FoldLine)}
    assert "1 changed" in folds["Answer format"].accessibleDescription()
    for title in ("Advanced", "Answer format", "Engine", "Chat template"):
        folds[title].click()
    rows = {row.option.key: row for row in options.findChildren(OptionRow)}
    assert rows["answer_format"].value == "json"
    assert rows["answer_schema"].isHidden()
    rows["answer_format"].take("json_schema")
    assert not rows["answer_schema"].isHidden()
    rows["lookup"].request_reset()
    rows["sampler_order"].take("top_k temperature")
    template = next(
        box for box in options.findChildren(PromptBox) if box.accessibleName() == "Chat template"
    )
    template.setPlainText("{{ messages }}")
    template.flush()
    wanted = {
        "adapters": stack_text([StackedAdapter(adapter.id)]),
        "answer_format": "json_schema",
        "sampler_order": "top_k temperature",
        "chat_template": "{{ messages }}",
    }
    qtbot.waitUntil(lambda: world.profiles.of(added.id)[0].options == wanted)
    world.profiles.save(profile.id, {"temperature": 0.3})
    world.work.show(added)
    qtbot.waitUntil(lambda: rows["temperature"].value == 0.3)
    assert options.adapters.stack == ()
    assert template.toPlainText() == ""


def test_a_name_that_is_taken_is_explained(
    world: World, added: InstalledModel, qtbot: QtBot
) -> None:
    world.profiles.create(added.id, "Terse")
    world.show(added)
    qtbot.waitUntil(lambda: world.panel.profiles.findChild(ComboBox).currentText() == "Terse")
    world.panel.profiles.create_requested.emit("terse")
    qtbot.waitUntil(lambda: "There is a profile “terse” already." in words(world.panel))


def test_a_file_that_appears_is_listed_by_itself(world: World, qtbot: QtBot) -> None:
    world.installed.watch()
    world.installed.refresh()
    qtbot.waitUntil(lambda: world.installed._end is not None)
    try:
        with qtbot.waitSignal(world.installed.changed, timeout=60_000):
            write_model(world.others / "theirs.gguf", says="Good.")
        assert [model.place for model in world.installed.now.models] == ["lm_studio"]
    finally:
        world.installed.stop()
    QApplication.processEvents()


def test_an_adapter_says_which_models_it_fits_and_goes_into_a_chat(
    world: World, qtbot: QtBot, tmp_path: Path
) -> None:
    fitting = world.library.add_file(write_model(tmp_path / "fitting.gguf"))
    world.library.add_file(write_model(tmp_path / "wide.gguf", n_embd=128, name="Wide"))
    adapter = world.library.add_file(write_adapter(tmp_path / "terse.gguf"))
    world.show(adapter)
    part = world.panel.adapter
    use = next(each for each in part.findChildren(QAbstractButton) if each.isVisible())
    qtbot.waitUntil(use.isEnabled)
    words = " ".join(label.text() for label in part.findChildren(QLabel))
    assert f"{fitting.name} {fitting.quant}. It fits." in words
    assert "Wide F32. It was made for models of 64 values" in words
    assert not world.panel.memory.isVisible()
    qtbot.waitUntil(lambda: "Rank" in texts(world.panel))
    assert "bits a weight" not in " ".join(texts(world.panel))
    with qtbot.waitSignal(world.work.adapter_requested) as asked:
        use.click()
    assert asked.args == [adapter.id, (fitting,)]
    with qtbot.waitSignal(world.work.adapter_merge_requested) as asked:
        press(world.panel, "Merge into a model…", qtbot)
    assert asked.args == [adapter, (fitting,)]


def test_an_adapter_that_fits_nothing_can_not_be_used(
    world: World, qtbot: QtBot, tmp_path: Path
) -> None:
    adapter = world.library.add_file(write_adapter(tmp_path / "terse.gguf"))
    world.show(adapter)
    part = world.panel.adapter
    qtbot.waitUntil(lambda: "no model on this computer" in " ".join(texts(part)))
    use = next(each for each in part.findChildren(QAbstractButton) if each.isVisible())
    assert not use.isEnabled()
    came = world.library.add_file(write_model(tmp_path / "fitting.gguf"))
    world.installed.refresh()
    qtbot.waitUntil(use.isEnabled)
    assert f"{came.name} {came.quant}. It fits." in texts(part)


def test_what_can_be_made_of_a_model_is_offered(world: World, qtbot: QtBot, tmp_path: Path) -> None:
    plain = world.library.add_file(write_model(tmp_path / "plain.gguf"))
    small = world.library.add_file(write_model(tmp_path / "small.gguf", weights="Q8_0"))
    make = world.panel.make
    for model, offered in ((plain, ["Merge adapters…", "Quantize…"]), (small, ["Merge adapters…"])):
        world.show(model)
        buttons = [each for each in make.findChildren(QAbstractButton) if each.isVisible()]
        assert [each.text() for each in buttons] == offered
    with qtbot.waitSignal(world.work.merge_requested) as asked:
        buttons[0].click()
    assert asked.args == [small]


def texts(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel)]
