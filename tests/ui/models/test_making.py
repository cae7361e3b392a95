"""Making new models from the window: real dialogs, real jobs, real files."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from app.adapters import Adapters
from app.making import Making
from catalog.catalogues.bundled import load_bundled
from catalog.fit.fit import Fit, MemoryEstimate
from catalog.hub.records import PeftFiles, Repository
from catalog.library import InstalledModel, Library
from catalog.network import Network
from tests.catalog.adapters.peft_files import write_peft
from tests.gguf_files import write_adapter, write_model
from tests.ui.tab_order import names, tab_stops
from ui.background import Background
from ui.installed_models import InstalledModels
from ui.kit import Button, ComboBox, NumberField, Paragraph, Switch, TextField, Toast
from ui.models.making.convert_dialog import ConvertDialog
from ui.models.making.making_work import MakingWork
from ui.models.making.repository_dialog import RepositoryDialog
from ui.models.making.work_strip import WorkStrip
from ui.theme import Theme

FIT = Fit(
    verdict="fits",
    parts=MemoryEstimate(1_000_000, 100_000, 100_000),
    free=6_000_000_000,
    n_ctx=512,
    largest_context=512,
    speed="fast",
)
JOB_MS = 60_000
LORA = {
    "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": (3, 64),
    "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight": (64, 3),
}


class World:
    """A library in a folder of the test's own, and a page with the line that shows the work."""

    def __init__(self, theme: Theme, background: Background, folder: Path) -> None:
        self.library = Library(folder / "models", folder / "library.json", load_bundled())
        self.disk_free = 10**12
        self.repositories: dict[str, Repository] = {}
        adapters = Adapters(self.library)
        services = SimpleNamespace(
            library=self.library,
            adapters=adapters,
            making=Making(self.library, adapters, SimpleNamespace(), Network),
            hub=SimpleNamespace(repository=lambda repo, **_: self.repositories[repo]),
            machine=lambda: SimpleNamespace(disk_free=self.disk_free),
            fitting=SimpleNamespace(of_model=lambda model: FIT, of_size=lambda model, size: FIT),
        )
        self.page = QWidget()
        self.page.resize(900, 500)
        self.strip = WorkStrip(theme, self.page)
        self.strip.resize(900, 48)
        self.toast = Toast(theme, self.page)
        self.installed = InstalledModels(background, self.library, self.page)
        self.work = MakingWork(
            theme, background, services, self.installed, self.strip, self.toast, self.page
        )
        self.page.show()

    def dialog(self, qtbot: QtBot) -> QDialog:
        qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), QDialog))
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QDialog)
        return dialog

    def wait_until_made(self, qtbot: QtBot, name: str) -> InstalledModel:
        qtbot.waitUntil(lambda: "is ready" in shown_by(self.toast), timeout=JOB_MS)
        assert name in shown_by(self.toast)
        return next(each for each in self.library.everything() if each.name == name)


@pytest.fixture
def world(theme: Theme, qtbot: QtBot, tmp_path: Path) -> Iterator[World]:
    background = Background()
    world = World(theme, background, tmp_path)
    qtbot.addWidget(world.page)
    yield world
    world.work.stop()
    world.installed.stop()
    background.finish(10_000)


def shown_by(widget: QWidget) -> str:
    return " ".join(
        label.text() for label in widget.findChildren(QWidget) if hasattr(label, "text")
    )


def button(dialog: QWidget, words: str) -> Button:
    return next(each for each in dialog.findChildren(Button) if each.text() == words)


def tab_ring(dialog: QDialog) -> list[str]:
    """The stops of the Tab key in their order, which is a ring: from the list to *Cancel*."""
    stops = [name for name in names(tab_stops(dialog)) if name != "Merge"]
    begin = stops.index("Cancel") + 1
    return [*stops[begin:], *stops[:begin]]


def test_a_model_is_quantized_and_offered(world: World, qtbot: QtBot, tmp_path: Path) -> None:
    model = world.library.add_file(write_model(tmp_path / "plain.gguf", name="Plain"))
    world.work.quantize(model)
    dialog = world.dialog(qtbot)
    dialog.findChildren(ComboBox)[0].select("Q8_0")
    assert "448 kB → about " in shown_by(dialog)
    assert "1 MB, fits → 1 MB, fits" in shown_by(dialog)
    button(dialog, "Quantize").click()
    qtbot.waitUntil(lambda: "is ready" in shown_by(world.toast), timeout=JOB_MS)
    made = next(each for each in world.library.models() if each.quant == "Q8_0")
    assert made.path.name == "Plain-Q8_0.gguf"
    assert "Plain Q8_0 is ready" in shown_by(world.toast)
    assert not world.strip.isVisible()
    with qtbot.waitSignal(world.work.made) as wanted:
        world.toast.act()
    assert wanted.args == [made]


def test_adapters_are_merged_with_their_strengths(
    world: World, qtbot: QtBot, tmp_path: Path
) -> None:
    model = world.library.add_file(write_model(tmp_path / "plain.gguf", name="Plain"))
    world.library.add_file(write_adapter(tmp_path / "terse.gguf"))
    world.library.add_file(write_adapter(tmp_path / "wide.gguf", n_embd=128))
    world.work.merge(model)
    dialog = world.dialog(qtbot)
    (switch,) = dialog.findChildren(Switch)
    merge = button(dialog, "Merge")
    assert not merge.isEnabled(), "nothing is chosen yet"
    switch.click()
    dialog.findChildren(NumberField)[0].setValue(0.5)
    dialog.findChildren(TextField)[0].setText("Both")
    merge.click()
    made = world.wait_until_made(qtbot, "Both")
    assert made.managed


def test_an_adapter_is_merged_into_one_of_the_models_that_it_fits(
    world: World, qtbot: QtBot, tmp_path: Path
) -> None:
    models = [
        world.library.add_file(write_model(tmp_path / f"{name}.gguf", name=name))
        for name in ("Heron", "Plover")
    ]
    adapter = world.library.add_file(write_adapter(tmp_path / "terse.gguf"))
    world.work.merge_adapter(adapter, models)
    dialog = world.dialog(qtbot)
    dialog.findChildren(ComboBox)[0].select(models[1].id)
    assert button(dialog, "Merge").isEnabled(), "the adapter is chosen already"
    button(dialog, "Merge").click()
    world.wait_until_made(qtbot, f"Plover {adapter.name}")


def test_the_keys_go_from_what_is_chosen_to_what_begins_it(
    world: World, qtbot: QtBot, tmp_path: Path
) -> None:
    model = world.library.add_file(write_model(tmp_path / "plain.gguf", name="Plain"))
    for number in range(12):
        world.library.add_file(write_adapter(tmp_path / f"{number}.gguf", seed=number))
    world.work.merge(model)
    dialog = world.dialog(qtbot)
    switches = dialog.findChildren(Switch)
    assert switches[0].hasFocus()
    assert len(switches) == 12
    assert dialog.height() < 640, "many adapters scroll"
    assert tab_ring(dialog) == [*["Tiny adapter"] * 12, "Name of the new file", "Cancel"]
    qtbot.keyClick(switches[0], Qt.Key.Key_Space)
    assert tab_ring(dialog)[:2] == ["Tiny adapter", "Strength of Tiny adapter"]
    (field,) = dialog.findChildren(TextField)
    qtbot.keyClicks(field, "Both")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    world.wait_until_made(qtbot, "Both")


def test_words_that_come_later_are_not_cut_off(world: World, qtbot: QtBot) -> None:
    world.work.choose_repository()
    dialog = world.dialog(qtbot)
    assert isinstance(dialog, RepositoryDialog)
    before = dialog.height()
    dialog.show_problem("It is no adapter, and there is much to be said about that. " * 6)
    qtbot.waitUntil(lambda: dialog.height() > before + 60)
    for words in dialog.findChildren(Paragraph):
        assert words.height() >= words.heightForWidth(words.width())
    dialog.reject()


def test_nothing_begins_for_which_the_disk_has_no_room(
    world: World, qtbot: QtBot, tmp_path: Path
) -> None:
    world.disk_free = (64 << 20) + 100_000  # what must stay free, and a little
    model = world.library.add_file(write_model(tmp_path / "plain.gguf", name="Plain"))
    adapter = world.library.add_file(write_adapter(tmp_path / "terse.gguf"))
    world.work.merge_adapter(adapter, [model])
    dialog = world.dialog(qtbot)
    assert "only 67 MB are free" in shown_by(dialog)
    assert not button(dialog, "Merge").isEnabled()
    dialog.reject()
    world.work.quantize(model)
    dialog = world.dialog(qtbot)
    dialog.findChildren(ComboBox)[0].select("Q8_0")
    assert not button(dialog, "Quantize").isEnabled()
    dialog.findChildren(ComboBox)[0].select("Q4_0")
    assert button(dialog, "Quantize").isEnabled(), "it is small enough"
    dialog.reject()


def test_a_repository_of_the_hub_is_looked_at_before_it_is_converted(
    world: World, qtbot: QtBot, tmp_path: Path
) -> None:
    base = world.library.add_file(write_model(tmp_path / "base.gguf", name="My Base"))
    world.library.add_file(write_model(tmp_path / "other.gguf", name="Other"))
    world.installed.refresh()
    qtbot.waitUntil(lambda: len(world.installed.now.writers) == 2)
    plain = Repository(repo="maker/plain", commit="c0ffee", url="https://hub.example/maker/plain")
    pickled = replace(plain, repo="maker/old", peft=PeftFiles((), "adapter_model.bin"))
    peft = replace(plain, repo="maker/pirate", base="owner/my-base", peft=PeftFiles(()))
    world.repositories = {each.repo: each for each in (plain, pickled, peft)}
    world.work.choose_repository()
    dialog = world.dialog(qtbot)
    (field,) = dialog.findChildren(TextField)
    for named, reason in (
        ("nothing", "is no repository of the Hub"),
        ("maker/plain", "It lacks an adapter_config.json"),
        ("https://hub.example/maker/old/tree/main", "its weights are a pickle"),
    ):
        field.clear()
        qtbot.keyClicks(field, named)
        qtbot.keyClick(field, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda reason=reason: reason in shown_by(dialog))
        assert field.isEnabled()
    field.clear()
    qtbot.keyClicks(field, "maker/pirate")
    button(dialog, "Continue").click()
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), ConvertDialog))
    convert = world.dialog(qtbot)
    assert convert.findChildren(ComboBox)[0].currentData() == base.id
    convert.reject()


def test_what_went_wrong_is_told_elsewhere_too(world: World, qtbot: QtBot, tmp_path: Path) -> None:
    model = world.library.add_file(write_model(tmp_path / "plain.gguf", name="Plain"))
    world.work.quantize(model)
    dialog = world.dialog(qtbot)
    dialog.findChildren(TextField)[0].setText("…")
    world.page.hide()
    button(dialog, "Quantize").click()
    told = "“…” is no name for a file."
    qtbot.waitUntil(lambda: told in world.toast.accessibleName(), timeout=JOB_MS)
    assert told in shown_by(world.strip)


def test_a_peft_folder_is_converted_for_a_model(world: World, qtbot: QtBot, tmp_path: Path) -> None:
    world.library.add_file(write_model(tmp_path / "other.gguf", name="Other"))
    base = world.library.add_file(write_model(tmp_path / "base.gguf", name="My Base"))
    world.installed.refresh()
    qtbot.waitUntil(lambda: len(world.installed.now.writers) == 2)
    settings = {"base_model_name_or_path": "Owner/my-base"}
    world.work.convert_folder(str(write_peft(tmp_path / "pirate", LORA, settings=settings)))
    dialog = world.dialog(qtbot)
    assert dialog.findChildren(ComboBox)[0].currentData() == base.id, "the one it was trained on"
    button(dialog, "Convert").click()
    made = world.wait_until_made(qtbot, "pirate")
    assert made.kind == "adapter"


def test_what_is_no_adapter_is_said_at_once(world: World, qtbot: QtBot, tmp_path: Path) -> None:
    world.work.convert_folder(str(tmp_path))
    qtbot.waitUntil(lambda: world.toast.isVisible())
    assert "adapter_config.json" in shown_by(world.toast)
    model = world.library.add_file(write_model(tmp_path / "plain.gguf"))
    world.work.merge(model)
    qtbot.waitUntil(lambda: "No adapter on this computer" in shown_by(world.toast))


def test_what_went_wrong_stays_until_it_is_closed(
    world: World, qtbot: QtBot, tmp_path: Path
) -> None:
    model = world.library.add_file(write_model(tmp_path / "plain.gguf", name="Plain"))
    for _ in range(2):
        world.work.quantize(model)
        dialog = world.dialog(qtbot)
        dialog.findChildren(TextField)[0].setText("Twice")
        button(dialog, "Quantize").click()
    problem = world.strip.findChildren(Paragraph)[0]
    qtbot.waitUntil(lambda: problem.isVisible(), timeout=JOB_MS)
    assert "There is a model “Twice” already." in problem.text()
    button(world.strip, "Close").click()
    assert not world.strip.isVisible()


def test_work_waits_for_its_turn_and_can_be_cancelled(
    world: World, qtbot: QtBot, tmp_path: Path
) -> None:
    large = write_model(tmp_path / "large.gguf", n_embd=1024, n_layers=6, name="Large")
    model = world.library.add_file(large)
    for name in ("one", "two"):
        world.work.quantize(model)
        dialog = world.dialog(qtbot)
        dialog.findChildren(ComboBox)[0].select("IQ4_XS")
        dialog.findChildren(TextField)[0].setText(name)
        button(dialog, "Quantize").click()
    assert "1 more to come" in shown_by(world.strip)
    for _ in range(2):
        button(world.strip, "Cancel").click()
        qtbot.waitUntil(lambda: "more to come" not in shown_by(world.strip), timeout=JOB_MS)
    qtbot.waitUntil(lambda: not world.strip.isVisible(), timeout=JOB_MS)
    assert world.library.models() == (model,)
