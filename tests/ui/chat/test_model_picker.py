"""The model picker: what the button says, and choosing by mouse and keys."""

from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QListView, QWidget

from app.engines import EngineState
from app.models import OfferedModel
from catalog.fit.fit import Fit, MemoryEstimate
from catalog.library import InstalledModel
from ui.chat.model_list import ModelList
from ui.chat.model_picker import ModelButton, ModelPicker
from ui.chat.model_popup import ModelPopup
from ui.kit import Button, Meter, SearchField

UNLOADED = EngineState("", "unloaded")


def model(name: str, quant: str, size: int) -> InstalledModel:
    return InstalledModel(
        id=name.casefold(),
        name=name,
        path=Path("models") / f"{name}.gguf",
        size_bytes=size,
        quant=quant,
        architecture="llama",
        context_length=8192,
        has_template=True,
        managed=True,
        entry=None,
    )


MODELS = (
    model("Gemma", "Q4_K_M", 3_100_000_000),
    model("Qwen", "Q8_0", 2_800_000_000),
    model("SmolLM2", "Q4_1", 98_362_432),
)


@pytest.fixture
def picker(qtbot, theme):
    picker = ModelPicker(theme)
    qtbot.addWidget(picker)
    picker.show()
    return picker


@pytest.fixture
def popup(picker) -> ModelPopup:
    return picker.findChild(ModelPopup)


def button_named(widget, text: str) -> Button:
    return next(button for button in widget.findChildren(Button) if button.text() == text)


def test_the_button_names_the_model_and_its_quant(picker):
    picker.show_models(MODELS, "qwen", UNLOADED)
    assert picker.findChild(ModelButton).accessibleName() == "Model: Qwen Q8_0"


def test_without_a_choice_it_asks_for_one(picker):
    picker.show_models(MODELS, "", UNLOADED)
    assert "Choose a model" in picker.findChild(ModelButton).accessibleName()


def test_without_any_model_it_leads_to_where_there_are_some(qtbot, picker, popup):
    picker.show_models((), "", UNLOADED)
    assert "Get a model" in picker.findChild(ModelButton).accessibleName()
    with qtbot.waitSignal(picker.more_requested):
        qtbot.mouseClick(picker.findChild(ModelButton), Qt.MouseButton.LeftButton)
    assert not popup.isVisible()


def test_a_load_shows_its_progress_and_can_be_cancelled(qtbot, picker):
    picker.show_models(MODELS, "qwen", EngineState("gemma", "loading", 0.43))
    assert picker.findChild(ModelButton).accessibleName() == "Model: Gemma loading, 43 %"
    assert picker.findChild(Meter).fraction == pytest.approx(0.43)
    with qtbot.waitSignal(picker.cancel_requested):
        qtbot.mouseClick(button_named(picker, "Cancel"), Qt.MouseButton.LeftButton)
    picker.show_state(EngineState("gemma", "ready"))
    assert not button_named(picker, "Cancel").isVisible()
    assert picker.findChild(ModelButton).accessibleName() == "Model: Qwen Q8_0"


def test_a_very_long_name_leaves_room_for_the_rest(picker):
    long = model("x" * 500, "Q4_0", 1)
    picker.show_models((long,), long.id, UNLOADED)
    button = picker.findChild(ModelButton)
    assert button.sizeHint().width() < 600
    assert long.name in button.toolTip()


def test_a_row_reads_as_name_quant_size_and_state():
    models = ModelList()
    models.current_id, models.loaded_id = "gemma", "qwen"
    models.show_models(MODELS)
    texts = [
        models.index(row).data(Qt.ItemDataRole.AccessibleTextRole)
        for row in range(models.rowCount())
    ]
    assert texts == [
        "Gemma, Q4_K_M, 3.1 GB, chosen",
        "Qwen, Q8_0, in memory",
        "SmolLM2, Q4_1, 98 MB",
    ]


def test_what_does_not_fit_well_says_so_unless_it_is_in_memory():
    verdicts = {"Gemma": "tight", "Qwen": "too_large", "SmolLM2": "fits"}

    def fit_of(model):
        return Fit(verdict=verdicts[model.name], parts=MemoryEstimate(1, 1, 1), free=3, n_ctx=8192)

    models = ModelList(fit_of)
    models.show_models(MODELS)

    def texts():
        role = Qt.ItemDataRole.AccessibleTextRole
        return [models.index(row).data(role) for row in range(models.rowCount())]

    assert texts() == [
        "Gemma, Q4_K_M, 3.1 GB, Tight",
        "Qwen, Q8_0, 2.8 GB, Too large",
        "SmolLM2, Q4_1, 98 MB",
    ]
    models.loaded_id = "gemma"
    assert texts()[0] == "Gemma, Q4_K_M, in memory"


def test_it_opens_with_the_current_model_marked(qtbot, picker, popup):
    picker.show_models(MODELS, "qwen", UNLOADED)
    qtbot.mouseClick(picker.findChild(ModelButton), Qt.MouseButton.LeftButton)
    assert popup.isVisible()
    assert popup.findChild(QListView).currentIndex().data() == "Qwen"


def test_the_keys_choose_from_the_search_field(qtbot, picker, popup):
    picker.show_models(MODELS, "qwen", UNLOADED)
    picker.open()
    search = popup.findChild(SearchField)
    qtbot.keyClick(search, Qt.Key.Key_Up)
    qtbot.keyClick(search, Qt.Key.Key_Up)
    with qtbot.waitSignal(picker.model_chosen) as chosen:
        qtbot.keyClick(search, Qt.Key.Key_Return)
    assert chosen.args == ["gemma"]
    assert not popup.isVisible()


def test_the_progress_of_a_load_leaves_the_marked_row_alone(qtbot, picker, popup):
    picker.show_models(MODELS, "gemma", UNLOADED)
    picker.open()
    qtbot.keyClick(popup.findChild(SearchField), Qt.Key.Key_Down)
    picker.show_state(EngineState("gemma", "loading", 0.5))
    assert popup.findChild(QListView).currentIndex().data() == "Qwen"
    popup.close()


def test_words_narrow_the_list(qtbot, picker, popup):
    picker.show_models(MODELS, "qwen", UNLOADED)
    picker.open()
    search = popup.findChild(SearchField)
    qtbot.keyClicks(search, "q4 smol")
    models = popup.findChild(QListView)
    assert models.model().rowCount() == 1
    qtbot.keyClicks(search, "zzz")
    assert not models.isVisible()
    with qtbot.assertNotEmitted(picker.model_chosen):
        qtbot.keyClick(search, Qt.Key.Key_Return)
    search.clear()
    assert models.currentIndex().data() == "Qwen"


def test_a_click_chooses(qtbot, picker, popup):
    picker.show_models(MODELS, "qwen", UNLOADED)
    picker.open()
    models = popup.findChild(QListView)
    place = models.visualRect(models.model().index(2)).center()
    with qtbot.waitSignal(picker.model_chosen) as chosen:
        qtbot.mouseClick(models.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen.args == ["smollm2"]


def test_esc_closes_without_a_choice(qtbot, picker, popup):
    picker.show_models(MODELS, "qwen", UNLOADED)
    picker.open()
    with qtbot.assertNotEmitted(picker.model_chosen):
        qtbot.keyClick(popup.findChild(SearchField), Qt.Key.Key_Escape)
    assert not popup.isVisible()


def test_the_last_line_leads_to_more_models(qtbot, picker, popup):
    picker.show_models(MODELS, "qwen", UNLOADED)
    picker.open()
    with qtbot.waitSignal(picker.more_requested):
        qtbot.mouseClick(button_named(popup, "Get more models"), Qt.MouseButton.LeftButton)
    assert not popup.isVisible()


def test_what_is_in_memory_is_marked_in_both_looks(picker, popup, theme):
    picker.show_models(MODELS, "qwen", UNLOADED)
    picker.open()
    cold = popup.grab().toImage()
    picker.show_state(EngineState("qwen", "busy"))
    warm = popup.grab().toImage()
    assert warm != cold
    theme.set_preference("dark")
    assert popup.grab().toImage() != warm
    popup.close()


def offered(source: str, name: str, *, leaves: bool = True) -> OfferedModel:
    return OfferedModel(
        id=f"{source.casefold()}:{name}",
        name=name,
        backend=f"connection {source.casefold()}",
        model=name,
        source=source,
        leaves=leaves,
        context_length=128_000,
    )


WITH_SERVICES = (
    *MODELS,
    offered("OpenAI", "gpt-b"),
    offered("OpenAI", "gpt-a"),
    offered("Ollama", "qwen3", leaves=False),
    offered("Ollama", "glm-cloud"),
)


def spoken(models: ModelList) -> list[str]:
    role = Qt.ItemDataRole.AccessibleTextRole
    return [models.index(row).data(role) for row in range(models.rowCount())]


def test_models_of_services_stand_under_their_source_and_say_that_they_leave():
    models = ModelList()
    models.show_models(WITH_SERVICES)
    assert spoken(models) == [
        "On this computer",
        "Gemma, Q4_K_M, 3.1 GB",
        "Qwen, Q8_0, 2.8 GB",
        "SmolLM2, Q4_1, 98 MB",
        "OpenAI, leaves this computer",
        "gpt-a, OpenAI, leaves this computer, 128,000 tokens",
        "gpt-b, OpenAI, leaves this computer, 128,000 tokens",
        "Ollama",
        "glm-cloud, Ollama, leaves this computer, 128,000 tokens",
        "qwen3, Ollama, 128,000 tokens",
    ]
    assert "goes to OpenAI" in models.index(5).data(Qt.ItemDataRole.ToolTipRole)
    assert models.index(9).data(Qt.ItemDataRole.ToolTipRole) == "qwen3"


def test_a_source_is_found_by_its_name():
    models = ModelList()
    models.show_models(WITH_SERVICES)
    models.search("openai gpt-a")
    assert [models.index(row).data() for row in range(models.rowCount())] == ["OpenAI", "gpt-a"]


def test_the_keys_pass_over_headings(qtbot, picker, popup):
    picker.show_models(WITH_SERVICES, "smollm2", UNLOADED)
    picker.open()
    search = popup.findChild(SearchField)
    qtbot.keyClick(search, Qt.Key.Key_Down)
    assert popup.findChild(QListView).currentIndex().data() == "gpt-a"
    qtbot.keyClick(search, Qt.Key.Key_Up)
    assert popup.findChild(QListView).currentIndex().data() == "SmolLM2"
    qtbot.keyClicks(search, "ollama")
    with qtbot.waitSignal(picker.model_chosen) as chosen:
        qtbot.keyClick(search, Qt.Key.Key_Return)
    assert chosen.args == ["ollama:glm-cloud"]


def test_a_click_on_a_heading_chooses_nothing(qtbot, picker, popup):
    picker.show_models(WITH_SERVICES, "qwen", UNLOADED)
    picker.open()
    rows = popup.findChild(QListView)
    with qtbot.assertNotEmitted(picker.model_chosen):
        place = rows.visualRect(rows.model().index(0)).center()
        qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    popup.close()


def test_offline_what_would_leave_can_not_be_chosen(qtbot, picker, popup):
    picker.show_models(WITH_SERVICES, "qwen", UNLOADED)
    picker.show_offline(True)
    picker.open()
    search = popup.findChild(SearchField)
    qtbot.keyClicks(search, "gpt-a")
    models = popup.findChild(QListView).model()
    assert "can't be asked" in models.index(1).data(Qt.ItemDataRole.ToolTipRole)
    assert spoken(models)[1].endswith("offline")
    with qtbot.assertNotEmitted(picker.model_chosen):
        qtbot.keyClick(search, Qt.Key.Key_Return)
    search.clear()
    qtbot.keyClicks(search, "qwen3")
    with qtbot.waitSignal(picker.model_chosen) as chosen:
        qtbot.keyClick(search, Qt.Key.Key_Return)
    assert chosen.args == ["ollama:qwen3"]


def test_the_button_says_that_a_chat_leaves_and_to_whom(picker):
    picker.show_models(WITH_SERVICES, "openai:gpt-a", UNLOADED)
    button = picker.findChild(ModelButton)
    assert button.accessibleName() == "Model: gpt-a OpenAI, leaves this computer"
    assert "What you write goes to OpenAI." in button.toolTip()
    picker.show_models(WITH_SERVICES, "ollama:qwen3", UNLOADED)
    assert button.accessibleName() == "Model: qwen3 Ollama"
    assert button.toolTip() == ""


def test_a_load_for_another_chat_does_not_hide_the_service(picker):
    picker.show_models(WITH_SERVICES, "openai:gpt-a", EngineState("gemma", "loading", 0.4))
    assert "gpt-a" in picker.findChild(ModelButton).accessibleName()
    assert not picker.findChild(Meter).isVisible()


def test_hundreds_of_models_open_in_a_list_of_bounded_height(picker, popup):
    many = tuple(offered("OpenRouter", f"model {number}") for number in range(2_000))
    picker.show_models((*MODELS, *many), "qwen", UNLOADED)
    picker.open()
    assert popup.height() < 500
    popup.close()


def test_page_keys_go_through_hundreds_of_models_from_end_to_end(qtbot, picker, popup):
    many = tuple(offered("OpenRouter", f"model {number:03}") for number in range(300))
    picker.show_models((*MODELS, *many), "qwen", UNLOADED)
    picker.open()
    rows, search = popup.findChild(QListView), popup.findChild(SearchField)
    before = rows.currentIndex().row()
    qtbot.keyClick(search, Qt.Key.Key_PageDown)
    assert rows.currentIndex().row() > before + 3
    for _ in range(100):
        qtbot.keyClick(search, Qt.Key.Key_PageDown)
    assert rows.currentIndex().data() == "model 299"
    for _ in range(100):
        qtbot.keyClick(search, Qt.Key.Key_PageUp)
    assert rows.currentIndex().data() == "Gemma"
    popup.close()


def test_tooltips_show_names_and_paths_from_outside_as_they_are(picker):
    hostile = model('<img src="file:///x">' + "y" * 200, "Q4_0", 1)
    picker.show_models((hostile,), hostile.id, UNLOADED)
    assert "<img" not in picker.findChild(ModelButton).toolTip()
    models = ModelList()
    models.show_models((hostile,))
    assert "<img" not in models.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)


def test_what_only_completes_text_stands_last_and_says_so():
    base = msgspec.structs.replace(model("A base", "Q8_0", 10**9), kind="completion")
    models = ModelList()
    models.show_models((base, model("Zebra", "Q4_K_M", 10**9)))
    assert spoken(models) == [
        "Zebra, Q4_K_M, 1.0 GB",
        "A base, Q8_0 · completes text only, 1.0 GB",
    ]


def test_a_taller_window_shows_more_models_and_none_beyond_its_edge(qtbot, theme):
    window = QWidget()
    qtbot.addWidget(window)
    picker = ModelPicker(theme, parent=window)
    picker.move(0, 40)
    picker.show_models([model(f"Model {n}", "Q4", 10**9) for n in range(300)], "", UNLOADED)
    popup = picker.findChild(ModelPopup)
    heights = []
    for height in (700, 1000):
        window.resize(900, height)
        window.show()
        picker.open()
        heights.append(popup.height())
        bottom = popup.mapToGlobal(QPoint(0, popup.height())).y()
        edge = window.mapToGlobal(QPoint(0, height)).y()
        assert edge - 60 < bottom <= edge
        popup.close()
    assert heights[1] - heights[0] == 300
