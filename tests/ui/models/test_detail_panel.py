import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QMessageBox
from pytestqt.qtbot import QtBot

from app.adapters import Adapters
from app.installs import request_for
from catalog.catalogues.bundled import load_bundled
from catalog.catalogues.entries import Artifact, HubFile
from catalog.downloads.wanted import DownloadProblem
from catalog.errors import CatalogError
from catalog.hub.records import FoundRepository, PeftFiles
from catalog.library import Library
from tests.ui.models.discover_world import (
    COLLECTIONS,
    ENTRIES,
    GB,
    OLD_7B,
    OLD_65B,
    PLOVER,
    RAW,
    TERMS,
    TERN,
    ScriptedHub,
    SizeFits,
    download,
    entry,
    found,
    group,
    installed,
    machine,
    repository,
)
from tests.ui.tab_order import names, tab_stops
from ui.background import Background
from ui.kit import Button
from ui.kit.filter_chip import FilterChip
from ui.kit.stacked_meter import Legend
from ui.messages.view import MessageView
from ui.models.detail_panel import DetailPanel
from ui.models.detail_quants import QuantRow
from ui.models.detail_repository import RepositoryDetail
from ui.theme import Theme

FOUND = found("model-GGUF")


@pytest.fixture
def hub() -> ScriptedHub:
    hub = ScriptedHub()
    hub.repositories["maker/model-GGUF"] = repository()
    return hub


@pytest.fixture
def fits() -> SizeFits:
    return SizeFits()


@pytest.fixture
def panel(
    theme: Theme, qtbot: QtBot, hub: ScriptedHub, fits: SizeFits, tmp_path: Path
) -> Iterator[DetailPanel]:
    background = Background()
    library = Library(tmp_path / "models", tmp_path / "library.json", load_bundled())
    panel = DetailPanel(theme, background, hub, fits, Adapters(library))
    qtbot.addWidget(panel)
    panel.resize(360, 800)
    panel.show()
    panel.show_entries(ENTRIES, COLLECTIONS)
    panel.show_machine(machine())
    yield panel
    panel.show_subject(None)
    assert background.finish(60_000)


def words(panel: DetailPanel) -> str:
    return "\n".join(
        label.text() for label in panel.findChildren(QLabel) if label.isVisible() and label.text()
    )


def buttons(panel: DetailPanel) -> list[str]:
    return [button.text() for button in panel.findChildren(Button) if button.isVisible()]


def press(panel: DetailPanel, text: str, qtbot: QtBot) -> None:
    button = next(
        each
        for each in panel.findChildren(QAbstractButton)
        if each.isVisible() and text in (each.text(), each.accessibleName())
    )
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def quants(panel: DetailPanel) -> dict[str, QuantRow]:
    return {row.offer.quant: row for row in panel.findChildren(QuantRow) if row.isVisible()}


def show(panel: DetailPanel, subject, qtbot: QtBot) -> None:
    panel.show_subject(subject)
    qtbot.waitUntil(lambda: any("its" in row.accessibleName() for row in quants(panel).values()))


def show_repository(panel: DetailPanel, qtbot: QtBot) -> None:
    show(panel, FOUND, qtbot)


def test_the_quant_that_most_people_want_is_ready_to_be_fetched(panel, qtbot):
    show(panel, PLOVER, qtbot)
    assert "Plover" in words(panel)
    with qtbot.waitSignal(panel.download_requested) as asked:
        press(panel, "Download Q4_K_M", qtbot)
    assert asked.args == [request_for(PLOVER, PLOVER.artifacts[0])]


def test_of_small_files_the_best_is_offered_first(panel, qtbot):
    show(panel, TERN, qtbot)
    qtbot.waitUntil(lambda: "Download Q5_K_M" in buttons(panel))


def test_each_quant_says_what_it_takes_and_whether_it_fits(panel, qtbot):
    show(panel, PLOVER, qtbot)
    said = [row.accessibleName() for row in quants(panel).values()]
    assert said == [
        "Q4_K_M, 4.70 GB, Fits, Needs 5.2 GB · a good start",
        "Q5_K_M, 5.40 GB, Fits, Needs 5.9 GB",
        "Q6_K, 6.30 GB, Fits, Needs 6.9 GB",
        "Q8_0, 8.10 GB, Fits, Needs 8.9 GB",
    ]


def test_another_quant_can_be_chosen_and_fetched(panel, qtbot):
    show(panel, PLOVER, qtbot)
    qtbot.mouseClick(quants(panel)["Q6_K"], Qt.MouseButton.LeftButton)
    assert "Memory for Q6_K" in words(panel)
    with qtbot.waitSignal(panel.download_requested) as asked:
        press(panel, "Download Q6_K", qtbot)
    assert asked.args == [request_for(PLOVER, PLOVER.artifacts[2])]


def test_the_header_of_the_chosen_file_refines_the_sum(panel, qtbot, fits):
    show(panel, PLOVER, qtbot)
    legend = panel.findChild(Legend)
    assert legend.accessibleName() == "Weights 4.7, 8k context 0.5, Working 0.0"
    qtbot.waitUntil(lambda: "Working 1.0" in legend.accessibleName())
    assert fits.exact_asked == [("Q4_K_M", 0)]
    assert "6.2 of 10.0 GB free" in words(panel)


def test_a_header_that_can_not_be_read_leaves_the_rough_sum(panel, qtbot, fits):
    fits.problem = CatalogError("There is no network.")
    show(panel, PLOVER, qtbot)
    qtbot.waitUntil(lambda: bool(fits.exact_asked))
    qtbot.wait(50)
    assert panel.findChild(Legend).accessibleName() == "Weights 4.7, 8k context 0.5, Working 0.0"


def test_a_longer_context_needs_more(panel, qtbot, fits):
    show(panel, PLOVER, qtbot)
    box = next(box for box in panel.findChildren(QComboBox) if box.accessibleName() == "Context")
    box.setCurrentIndex(box.findData(32768))
    box.activated.emit(box.currentIndex())
    legend = panel.findChild(Legend)
    qtbot.waitUntil(lambda: "32k context 1.9" in legend.accessibleName())
    qtbot.waitUntil(lambda: ("Q4_K_M", 32768) in fits.exact_asked)


def test_one_model_offers_no_longer_context_than_it_was_made_for(panel, qtbot):
    show(panel, PLOVER, qtbot)
    box = next(box for box in panel.findChildren(QComboBox) if box.accessibleName() == "Context")
    assert max(box.itemData(place) for place in range(box.count())) == 32768


def test_a_download_shows_its_progress_and_can_be_paused_and_gone_on_with(panel, qtbot):
    show(panel, PLOVER, qtbot)
    request = request_for(PLOVER, PLOVER.artifacts[0])
    panel.show_downloads([download(request)])
    assert "1.00 GB of 4.00 GB" in words(panel)
    with qtbot.waitSignal(panel.pause_requested) as asked:
        press(panel, "Pause", qtbot)
    assert asked.args == [request.id]
    panel.show_downloads([download(request, "paused")])
    with qtbot.waitSignal(panel.download_requested) as asked:
        press(panel, "Resume", qtbot)
    assert asked.args == [request]


def test_between_the_end_of_a_download_and_the_library_nothing_is_offered_again(panel, qtbot):
    show(panel, PLOVER, qtbot)
    request = request_for(PLOVER, PLOVER.artifacts[0])
    panel.show_downloads([download(request)])
    panel.show_downloads([download(request, "done")])
    assert "Download Q4_K_M" not in buttons(panel)
    panel.show_downloads([download(request, "done")])
    assert "Download Q4_K_M" not in buttons(panel)
    panel.show_installed([installed(PLOVER, "Q4_K_M")])
    assert "Chat" in buttons(panel)


def test_what_was_fetched_and_is_gone_again_can_be_fetched_anew(panel, qtbot):
    show(panel, PLOVER, qtbot)
    request = request_for(PLOVER, PLOVER.artifacts[0])
    panel.show_downloads([download(request)])
    panel.show_downloads([download(request, "done")])
    panel.show_installed([])
    assert "Download Q4_K_M" in buttons(panel)


def test_a_download_that_failed_says_why_and_can_be_tried_again(panel, qtbot):
    show(panel, PLOVER, qtbot)
    request = request_for(PLOVER, PLOVER.artifacts[0])
    problem = DownloadProblem("The line broke.", "It was cut.", "Try again later.")
    panel.show_downloads([download(request, "failed", problem=problem)])
    assert "The line broke. It was cut. Try again later." in words(panel)
    with qtbot.waitSignal(panel.download_requested):
        press(panel, "Try again", qtbot)


def test_an_installed_quant_is_chosen_and_can_be_chatted_with(panel, qtbot):
    model = installed(PLOVER, "Q6_K")
    panel.show_installed([model])
    show(panel, PLOVER, qtbot)
    assert "On this computer" in quants(panel)["Q6_K"].accessibleName()
    with qtbot.waitSignal(panel.chat_requested) as asked:
        press(panel, "Chat", qtbot)
    assert asked.args == [model]


def test_a_full_disk_is_said_before_the_download(panel, qtbot):
    panel.show_machine(machine(free=5 * GB, disk_free=GB))
    show(panel, PLOVER, qtbot)
    assert "The disk has 1.0 GB free, which is too little." in words(panel)


def test_a_licence_that_asks_for_it_is_agreed_to_first(panel, qtbot):
    show(panel, TERMS, qtbot)
    with qtbot.assertNotEmitted(panel.download_requested):
        press(panel, "Download Q4_K_M", qtbot)
    assert "Terms comes under the licence “Gemma”." in words(panel)
    assert "Download Q4_K_M" not in buttons(panel)
    press(panel, "Not now", qtbot)
    assert "Agree and download" not in buttons(panel)
    press(panel, "Download Q4_K_M", qtbot)
    with qtbot.waitSignal(panel.download_requested):
        press(panel, "Agree and download", qtbot)
    show(panel, TERMS, qtbot)
    with qtbot.waitSignal(panel.download_requested):
        press(panel, "Download Q4_K_M", qtbot)


def test_one_that_can_not_be_run_says_why_and_leads_to_its_page(panel, qtbot):
    panel.show_subject(RAW)
    assert "It has to be converted first. It is a PyTorch file only." in words(panel)
    press(panel, "Open its page", qtbot)
    box = panel.findChild(QMessageBox)
    assert box.informativeText() == "https://pages.example/raw"
    box.reject()


def test_the_other_sizes_of_a_family_are_one_press_away(panel, qtbot):
    show(panel, OLD_7B, qtbot)
    chips = {chip.text(): chip for chip in panel.findChildren(FilterChip)}
    assert chips["7B"].isChecked()
    with qtbot.waitSignal(panel.subject_chosen) as chosen:
        qtbot.mouseClick(chips["65B"], Qt.MouseButton.LeftButton)
    assert chosen.args == [OLD_65B]
    assert panel.subject == OLD_65B


def test_whether_a_checksum_is_known_is_said_honestly(panel, qtbot):
    show(panel, PLOVER, qtbot)
    assert "recorded on first download" in words(panel)
    known = msgspec.structs.replace(PLOVER.artifacts[0], sha256="a" * 64)
    show(panel, msgspec.structs.replace(PLOVER, artifacts=(known,)), qtbot)
    assert "Checked against the known SHA-256" in words(panel)


def test_a_file_name_that_leaves_its_folder_is_not_offered(panel, qtbot):
    source = HubFile("maker/bad", "C:\\windows\\evil.gguf")
    bad = Artifact(role="weights", quant="Q4_0", sources=(source,), size_bytes=GB)
    show(panel, msgspec.structs.replace(PLOVER, artifacts=(*PLOVER.artifacts, bad)), qtbot)
    assert "Q4_0" not in quants(panel)


def test_a_repository_shows_its_files_numbers_and_licence(panel, qtbot, hub):
    hub.repositories["maker/model-GGUF"] = repository(
        downloads=1_234_567, likes=42, parameters=7_600_000_000, base="maker/base"
    )
    show_repository(panel, qtbot)
    shown = words(panel)
    assert "1.2M downloads · 42 likes" in shown
    assert "7.6 B" in shown
    assert "Made from maker/base." in shown
    assert "Use, change and share it, also for money." in shown
    with qtbot.waitSignal(panel.download_requested) as asked:
        press(panel, "Download Q4_K_M", qtbot)
    assert asked.args[0].id == "hub:maker/model-GGUF:Q4_K_M"


def test_the_projector_comes_along_unless_it_is_not_wanted(panel, qtbot, hub):
    hub.repositories["maker/model-GGUF"] = repository(
        projectors=(group("F16", 0.9, "mmproj"), group("Q8_0", 0.5, "mmproj"))
    )
    show_repository(panel, qtbot)
    with qtbot.waitSignal(panel.download_requested) as asked:
        press(panel, "Download Q4_K_M", qtbot)
    assert [file.role for file in asked.args[0].files] == ["weights", "projector"]
    box = next(box for box in panel.findChildren(QComboBox) if box.accessibleName() == "Projector")
    box.setCurrentIndex(box.findData(-1))
    qtbot.waitUntil(lambda: "Download Q4_K_M" in buttons(panel))
    with qtbot.waitSignal(panel.download_requested) as asked:
        press(panel, "Download Q4_K_M", qtbot)
    assert [file.role for file in asked.args[0].files] == ["weights"]


def test_a_gated_repository_says_what_to_do(panel, qtbot, hub):
    hub.repositories["maker/model-GGUF"] = repository(gated="ask")
    show_repository(panel, qtbot)
    assert "Its owner asks for consent." in words(panel)
    with qtbot.waitSignal(panel.settings_requested):
        press(panel, "Set the token", qtbot)


def test_a_repository_without_a_usable_file_says_so(panel, qtbot, hub):
    hub.repositories["maker/model-GGUF"] = repository(quants=())
    panel.show_subject(FOUND)
    qtbot.waitUntil(lambda: "There is no GGUF file in it." in words(panel))
    hub.repositories["maker/model-GGUF"] = repository(quants=(), listed=False)
    panel.show_subject(FOUND)
    qtbot.waitUntil(lambda: "The mirror does not list the files." in words(panel))


def test_an_adapter_as_it_was_trained_can_be_converted(panel, qtbot, hub):
    hub.repositories["maker/model-GGUF"] = repository(
        quants=(), base="maker/base", peft=PeftFiles((group("x", 0.1).files[0],))
    )
    panel.show_subject(FOUND)
    qtbot.waitUntil(lambda: "An adapter as it was trained (PEFT)." in words(panel))
    with qtbot.waitSignal(panel.convert_requested) as asked:
        press(panel, "Convert for a model…", qtbot)
    assert asked.args == ["maker/model-GGUF", "maker/base"]


def test_an_adapter_in_a_pickle_says_why_it_can_not_be_used(panel, qtbot, hub):
    hub.repositories["maker/model-GGUF"] = repository(
        quants=(), peft=PeftFiles((), "adapter_model.bin")
    )
    panel.show_subject(FOUND)
    qtbot.waitUntil(lambda: "its weights are a pickle, “adapter_model.bin”" in words(panel))
    assert "Convert for a model…" not in buttons(panel)


def test_a_card_is_shown_without_its_html_and_pictures(panel, qtbot, hub):
    hub.repositories["maker/model-GGUF"] = repository(
        card="# Heron\n![x](https://pages.example/x.png)\n<img src='https://pages.example/y.png'>\nA bird."
    )
    show_repository(panel, qtbot)
    view = panel.findChild(MessageView)
    assert view.toPlainText().split() == ["Heron", "A", "bird."]
    assert "2 pictures of its page are not loaded." in words(panel)
    assert view.height() > 0


def test_a_hub_that_does_not_answer_is_said_with_a_way_to_try_again(panel, qtbot, hub):
    hub.problem = CatalogError("The Hub can't be reached.", "There is no network.", "Connect.")
    panel.show_subject(FOUND)
    qtbot.waitUntil(lambda: "The Hub can't be reached." in words(panel))
    hub.problem = None
    press(panel, "Try again", qtbot)
    qtbot.waitUntil(lambda: "Download Q4_K_M" in buttons(panel))


def test_an_answer_for_what_is_no_longer_shown_is_dropped(panel, qtbot):
    panel.show_subject(FOUND)
    panel.show_subject(TERN)
    qtbot.waitUntil(lambda: "Download Q5_K_M" in buttons(panel))
    qtbot.wait(150)
    assert panel.subject == TERN
    assert "Download Q5_K_M" in buttons(panel)


def test_more_of_the_same_owner_is_one_press_away(panel, qtbot):
    show_repository(panel, qtbot)
    with qtbot.waitSignal(panel.search_requested) as asked:
        press(panel, "More from maker", qtbot)
    assert asked.args == ["maker/"]


def test_esc_closes_the_panel(panel, qtbot):
    show(panel, PLOVER, qtbot)
    with qtbot.waitSignal(panel.closed):
        QTest.keyClick(quants(panel)["Q4_K_M"], Qt.Key.Key_Escape)


def test_the_arrows_choose_and_the_tab_key_stops_once_at_the_files(panel, qtbot):
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    show(panel, PLOVER, qtbot)
    quants(panel)["Q4_K_M"].setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(quants(panel)["Q4_K_M"], Qt.Key.Key_Down)
    assert "Download Q5_K_M" in buttons(panel)
    stops = names(tab_stops(panel))
    assert stops[0] == "Close"
    assert stops.index("Download Q5_K_M, 5.40 GB") < stops.index("Context")


def test_the_progress_of_a_download_keeps_the_keys_where_they_are(panel, qtbot):
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    show(panel, PLOVER, qtbot)
    main = next(each for each in panel.findChildren(Button) if each.text() == "Download Q4_K_M")
    main.setFocus()
    request = request_for(PLOVER, PLOVER.artifacts[0])
    panel.show_downloads([download(request)])
    assert panel.focusWidget().accessibleName() == "Pause"


def test_an_adapter_whose_header_can_not_be_had_says_when_its_fit_is_known(panel, hub, qtbot):
    hub.repositories["maker/model-GGUF"] = repository(quants=(), adapters=(group("F16", 0.1),))
    show_repository(panel, qtbot)
    qtbot.waitUntil(lambda: "is told when it is here" in words(panel))
    terse = entry("Terse", (0.1,), kind="adapter")
    artifact = msgspec.structs.replace(terse.artifacts[0], role="adapter")
    show(panel, msgspec.structs.replace(terse, artifacts=(artifact,)), qtbot)
    qtbot.waitUntil(lambda: "is told when it is here" in words(panel))
    show(panel, PLOVER, qtbot)
    assert "is told when it is here" not in words(panel)


def test_a_repository_is_asked_for_again_when_the_page_was_left_meanwhile(
    panel: DetailPanel, hub: ScriptedHub, qtbot: QtBot
) -> None:
    hub.held = threading.Event()
    repo = "maker/model-GGUF"
    hub.repositories[repo] = repository()
    panel.show_subject(FoundRepository(repo=repo))
    qtbot.waitUntil(lambda: hub.asked == [repo])
    panel.hide()
    hub.held.set()
    panel.show()
    qtbot.waitUntil(lambda: bool(panel.findChildren(RepositoryDetail)))
    assert hub.asked == [repo, repo]
    panel.hide()
    panel.show()
    assert hub.asked == [repo, repo]
