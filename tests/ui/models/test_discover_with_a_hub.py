"""Discover with the real client of the Hub, the real downloader's resolver and a server on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.adapters import Adapters
from app.fitting import Fitting
from catalog.catalogues.bundled import load_bundled
from catalog.hub.hub import Hub
from catalog.hub.records import FoundRepository
from catalog.library import Library
from catalog.network import Network
from tests.catalog.hub_server import HubServer
from tests.gguf_files import write_adapter, write_model
from tests.ui.models.discover_world import COLLECTIONS, ENTRIES, machine
from ui.background import Background
from ui.kit.stacked_meter import Legend
from ui.models.detail_panel import DetailPanel
from ui.models.discover_page import DiscoverPage
from ui.models.discover_results import ResultsView
from ui.theme import Theme


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HubServer]:
    model = write_model(tmp_path / "model.gguf").read_bytes()
    with HubServer() as server:
        server.add(
            "maker/Heron-GGUF",
            {"heron-Q4_K_M.gguf": model, "heron-Q8_0.gguf": model},
            card="---\nlicense: mit\n---\n# Heron\nA bird.",
            parameters=100_000,
        )
        yield server


def library(folder: Path) -> Library:
    return Library(folder / "models", folder / "library.json", load_bundled())


def test_a_repository_is_found_and_its_header_read_from_afar(
    theme: Theme, qtbot: QtBot, server: HubServer, tmp_path: Path
) -> None:
    network = Network(hub_endpoint=server.url)
    hub = Hub(lambda: network)
    fitting = Fitting(hub.resolve, tmp_path / "cache", lambda: network, machine)
    background = Background()
    page = DiscoverPage(theme, background, hub, fitting)
    panel = DetailPanel(theme, background, hub, fitting, Adapters(library(tmp_path)))
    for widget in (page, panel):
        qtbot.addWidget(widget)
        widget.resize(600, 700)
        widget.show()
        widget.show_entries(ENTRIES, COLLECTIONS)
        widget.show_machine(machine())
    page.subject_chosen.connect(panel.show_subject)
    page.search_for("heron")
    results = page.findChild(ResultsView)

    def names() -> list[str]:
        model = results.model()
        return [model.index(row, 0).data().split(".")[0] for row in range(model.rowCount())]

    qtbot.waitUntil(lambda: "Heron-GGUF" in names(), timeout=60_000)
    results.opened.emit(results.model().index(names().index("Heron-GGUF"), 0))

    def is_exact() -> bool:
        legend = panel.findChild(Legend)
        return legend is not None and "the file's header" in legend.toolTip()

    qtbot.waitUntil(is_exact, timeout=60_000)
    assert server.cdn.requests
    assert all("Range" in each.headers for each in server.cdn.requests)
    page.search_for("")
    panel.show_subject(None)
    assert background.finish(60_000)
    hub.close()


def test_an_adapter_says_before_the_download_which_models_it_fits(
    theme: Theme, qtbot: QtBot, server: HubServer, tmp_path: Path
) -> None:
    adapter = write_adapter(tmp_path / "terse.gguf").read_bytes()
    server.add("maker/Terse-lora", {"terse-lora-F32.gguf": adapter}, tags=("gguf", "lora"))
    here = library(tmp_path)
    here.add_file(write_model(tmp_path / "plain.gguf", name="Plain"))
    network = Network(hub_endpoint=server.url)
    hub = Hub(lambda: network)
    background = Background()
    fitting = Fitting(hub.resolve, tmp_path / "cache", lambda: network, machine)
    panel = DetailPanel(theme, background, hub, fitting, Adapters(here))
    qtbot.addWidget(panel)
    panel.show()

    def said() -> str:
        return " ".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())

    panel.show_subject(FoundRepository(repo="maker/Terse-lora"))
    qtbot.waitUntil(lambda: "Plain F32. It fits." in said(), timeout=60_000)
    wide = here.add_file(write_model(tmp_path / "wide.gguf", n_embd=128, name="Wide"))
    panel.show_installed([wide])
    qtbot.waitUntil(lambda: "Wide F32. It was made for models of 64 values" in said())
    panel.show_subject(None)
    hub.close()
    assert background.finish(60_000)
