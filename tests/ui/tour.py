"""Every page of the real window, over a home in which something is on each of them."""

from collections.abc import Callable, Iterator

from PySide6.QtCore import QModelIndex
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.connections.records import Connection
from app.conversations.store import ConversationStore
from app.options.adapter_stack import StackedAdapter, stack_text
from app.paths import Paths
from app.settings_file import SettingsFile
from catalog.catalogues.bundled import load_bundled
from catalog.library import Library
from tests.gguf_adapters import write_adapter_for
from tests.gguf_files import write_model
from ui.chat.adapters.adapter_row import AdapterRow
from ui.chat.answer_item import AnswerItem
from ui.chat.layout import ChatLayout
from ui.kit import Button, FoldLine, NavItem, RailButton
from ui.main_window import MainWindow
from ui.models.detail_panel import DetailPanel
from ui.models.discover_page import DiscoverPage
from ui.models.download_row import DownloadRow
from ui.models.entry_card import CardGrid
from ui.models.installed_view import InstalledView
from ui.models.model_details import ModelDetailsPanel
from ui.models.services.service_row import ServiceRow

QUESTION = "Explain the tides, and why there are two of them a day?"
ANSWER = "The **Moon** pulls.\n\n```python\nprint('two bulges')\n```\n\nAnd the Earth turns below."
STARTER = "SmolLM2 135M Instruct"


def furnish(paths: Paths) -> SettingsFile:
    """A model, an adapter for it, a chat that uses both, a download that waits, a service."""
    paths.home.mkdir(parents=True)
    model = write_model(paths.home / "polite.gguf", says=("Good", " morning", "."))
    library = Library(paths.models_folder, paths.library_file, load_bundled())
    library.add_file(model)
    adapter = library.add_file(write_adapter_for(model, paths.home / "adapter.gguf"))
    store = ConversationStore(paths.database_file)
    for number in range(12):
        stack = stack_text([StackedAdapter(adapter.id, 0.8)]) if number == 11 else ""
        chat = store.create(options={"adapters": stack, "temperature": 0.8} if stack else {})
        question = store.add_message(
            chat.id, parent_id=None, role="user", text=f"{number}. {QUESTION}"
        )
        first = store.add_message(
            chat.id, parent_id=question.id, role="assistant", text=ANSWER, status="complete"
        )
        again = store.add_message(chat.id, parent_id=first.id, role="user", text="And neap tides?")
        store.add_message(
            chat.id, parent_id=again.id, role="assistant", text=ANSWER, status="complete"
        )
    store.close()
    settings = SettingsFile(paths.settings_file)
    shed = Connection(id="shed", provider="custom", title="Shed", url="http://127.0.0.1:9/v1")
    settings.update(offline=True, adopt_places=False, connections=(shed,), window={"chat": chat.id})
    return settings


class Tour:
    """Goes from page to page as a person does: by the rail, the lists and the buttons."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self._window = window
        self._qtbot = qtbot

    def stops(self) -> Iterator[str]:
        """Shows a page, and says its name."""
        for stop in (self._chats, self._discover, self._other_models, self._server, self._settings):
            for name in stop():
                QApplication.processEvents()
                yield name

    def _chats(self) -> Iterator[str]:
        self._wait(lambda: len(self._seen(AnswerItem)) >= 2)
        self._wait(lambda: bool(self._seen(AdapterRow)))
        yield "a chat"
        for fold in self._seen(FoldLine):
            fold.click()
        yield "a chat, with everything in the inspector"
        layout = self._window.findChildren(ChatLayout)[0]
        if not layout.list.isVisible():
            layout.toggle_list()
            yield "a chat, with the list of chats"
        layout.list.new_chat_requested.emit()
        self._wait(layout.new_chat.isVisible)
        yield "a new chat"

    def _discover(self) -> Iterator[str]:
        self._press(RailButton, "Models")
        self._wait(lambda: self._index_of(STARTER) is not None)
        yield "discover"
        index = self._index_of(STARTER)
        assert index is not None
        index.model().parent().opened.emit(index)
        self._wait(lambda: bool(self._seen(DetailPanel)))
        yield "an entry of the catalogue"
        # The program was told to stay offline, so that this fails, and says why.
        download = next(
            each for each in self._seen(Button) if each.accessibleName().startswith("Download")
        )
        download.click()
        self._window.findChildren(DiscoverPage)[0].search_for("small")
        yield "results, with the entry"

    def _other_models(self) -> Iterator[str]:
        for place in ("On this computer", "Adapters"):
            self._press(NavItem, place)
            self._wait(lambda: bool(self._rows()))
            yield place
            view = self._rows()[0]
            view.clicked.emit(view.model().index(0, 0))
            self._wait(lambda: bool(self._seen(ModelDetailsPanel)))
            yield f"{place}, with its details"
        self._press(NavItem, "Downloads")
        self._wait(lambda: bool(self._seen(DownloadRow)))
        yield "downloads"
        self._press(NavItem, "Services")
        self._wait(lambda: bool(self._seen(ServiceRow)))
        yield "services"

    def _server(self) -> Iterator[str]:
        self._press(RailButton, "Server")
        yield "the server"

    def _settings(self) -> Iterator[str]:
        self._press(RailButton, "Settings")
        for section in [item.text() for item in self._seen(NavItem)]:
            self._press(NavItem, section)
            yield f"settings: {section}"

    def _seen(self, kind: type) -> list:
        return [part for part in self._window.findChildren(kind) if part.isVisible()]

    def _rows(self) -> list[InstalledView]:
        return [view for view in self._seen(InstalledView) if view.model().rowCount()]

    def _index_of(self, title: str) -> QModelIndex | None:
        for view in self._seen(CardGrid):
            model = view.model()
            for row in range(model.rowCount()):
                if model.index(row, 0).data() == title:
                    return model.index(row, 0)
        return None

    def _press(self, kind: type, name: str) -> None:
        next(each for each in self._seen(kind) if each.accessibleName().startswith(name)).click()

    def _wait(self, until: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(until, timeout=30_000)
