"""The window: the rail, the pages, and which of them is shown."""

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, Qt, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QDragEnterEvent,
    QDropEvent,
    QKeySequence,
    QShortcut,
)
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QWidget

from app.errors import StorageError, problem_from
from app.paths import Paths
from app.settings_file import SettingsFile
from ui.background import Background
from ui.kit import Toast
from ui.model_files import dropped_model_files
from ui.rail import Rail
from ui.shell import Shell
from ui.theme import Theme
from ui.window_place import keep_on_screen, place_in_the_middle

if TYPE_CHECKING:
    from ui.pages import Pages
    from ui.rescue import Rescue
    from ui.startup import Opened


class MainWindow(QMainWindow):
    """Shows an empty shell at once, opens the program's parts behind it, and then its pages.

    What the shell does not need is imported afterwards: it takes as long as all the rest of a start.
    """

    def __init__(
        self, theme: Theme, background: Background, paths: Paths, settings: SettingsFile
    ) -> None:
        super().__init__()
        self._theme = theme
        self._background = background
        self._paths = paths
        self._settings = settings
        self._file = ""
        self._pages: Pages | None = None
        self._rescue: Rescue | None = None
        self._opened: Opened | None = None
        self.setWindowTitle("Causeway")
        self.setAcceptDrops(True)
        self._rail = Rail(theme)
        self._rail.setEnabled(False)
        self._stack = QStackedWidget()
        self._shell = Shell(theme)
        # By then the window has its frame, which may not fit on the screen with it.
        self._shell.painted.connect(self.keep_on_screen, Qt.ConnectionType.QueuedConnection)
        self._shell.painted.connect(self._open, Qt.ConnectionType.QueuedConnection)
        self._stack.addWidget(self._shell)
        self._toast = Toast(theme, self._stack)
        # The stack lays the page that it shows over everything else.
        self._stack.currentChanged.connect(self._toast.raise_)
        centre = QWidget()
        row = QHBoxLayout(centre)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._rail)
        row.addWidget(self._stack, 1)
        self.setCentralWidget(centre)
        self._restore_geometry()

    @property
    def is_ready(self) -> bool:
        """Whether the program has been opened and its first page is shown."""
        return self._pages is not None

    def open_with(self, file: str) -> None:
        """Go to the chats with this model file, as soon as there are any."""
        self._file = file
        if self._pages is not None:
            self._pages.open_file(file)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._pages is not None and dropped_model_files(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        files = dropped_model_files(event.mimeData())
        if self._pages is not None and files:
            event.acceptProposedAction()
            self._pages.adopt_files(files)

    def _open(self) -> None:
        """Open database and library off the main thread, and show the pages when they are there."""
        self._background.run_in_order(
            self,
            partial(_open, self._paths, self._settings),
            self._show_program,
            self._show_trouble,
        )

    def come_forward(self, file: str) -> None:
        """Another start asked for this window, perhaps with a model file."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()
        if file:
            self.open_with(file)

    def keep_on_screen(self) -> None:
        """Move and shrink the window where it reaches out of the screen."""
        keep_on_screen(self)

    def show_bug(self, words: str) -> None:
        """A bug of ours was reported; the window goes on."""
        self._toast.show_message(words)

    def stop_work(self) -> None:
        """The program ends: whatever is going on shall come to its end soon."""
        if self._pages is not None:
            self._pages.stop_work()
        if self._rescue is not None:
            self._rescue.stop()

    def close_services(self) -> None:
        """When nothing runs any more: keep what the next start restores, and close everything."""
        window = dict(self._settings.current.window) | {"geometry": self._geometry()}
        if self._pages is not None:
            window |= self._pages.layout_state()
            self._pages.save_draft()
        with suppress(StorageError):  # not worth a word when the window is gone
            self._settings.update(window=window)
        if self._opened is not None:
            self._opened.services.close()

    def _geometry(self) -> str:
        return bytes(self.saveGeometry().toBase64().data()).decode()

    def _restore_geometry(self) -> None:
        geometry = self._settings.current.window.get("geometry")
        if isinstance(geometry, str) and self.restoreGeometry(
            QByteArray.fromBase64(geometry.encode())
        ):
            keep_on_screen(self)
        else:
            place_in_the_middle(self)

    def _show_program(self, opened: "Opened") -> None:
        from ui.pages import Pages
        from ui.window_icon import window_icon

        self._opened = opened
        self.setWindowIcon(window_icon(self._theme))
        pages = Pages(self._theme, self._background, opened, self._toast, self._stack)
        self._pages = pages
        pages.place_changed.connect(self._rail.show_place)
        pages.fetching.connect(self._rail.show_progress)
        pages.title_changed.connect(self._show_title)
        pages.serving.connect(self._rail.show_server)
        self._rail.place_chosen.connect(pages.show_place)
        self._rail.setEnabled(True)
        self._bind_shortcuts(pages)
        pages.start(self._file)

    def _bind_shortcuts(self, pages: "Pages") -> None:
        from ui.shortcuts import shortcuts

        actions = pages.actions()
        for entry in shortcuts():
            if entry.bound:
                for keys in entry.keys:
                    QShortcut(QKeySequence(keys), self, actions[entry.id])

    def _show_title(self, title: str) -> None:
        self.setWindowTitle(f"{title} — Causeway" if title else "Causeway")

    def _show_trouble(self, error: Exception) -> None:
        problem = problem_from(error)
        if problem is None:
            raise error
        from app.conversations.database import DamagedDatabase
        from ui.rescue import Rescue
        from ui.trouble_page import TroublePage

        page = TroublePage(self._theme, problem, damaged=isinstance(error, DamagedDatabase))
        page.retry_requested.connect(self._retry)
        page.fresh_start_requested.connect(self._start_fresh)
        page.folder_requested.connect(self._show_folder)
        page.quit_requested.connect(self.close)
        self._replace_page(page)
        self._rescue = Rescue(self._background, self._paths.database_file, page)
        self._rescue.saved_copy_used.connect(self._retry)

    def _retry(self) -> None:
        self._replace_page(Shell(self._theme))
        self._open()

    def _start_fresh(self) -> None:
        from app.conversations.database import back_up_and_start_fresh

        self._replace_page(Shell(self._theme))
        self._background.run_in_order(
            self,
            partial(back_up_and_start_fresh, self._paths.database_file),
            lambda _: self._open(),
            self._show_trouble,
        )

    def _replace_page(self, page: QWidget) -> None:
        old = self._stack.currentWidget()
        self._stack.addWidget(page)
        self._stack.setCurrentWidget(page)
        if old is not None:
            self._stack.removeWidget(old)
            old.deleteLater()

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._paths.database_file.parent)))


def _open(paths: Paths, settings: SettingsFile) -> "Opened":
    import ui.pages  # noqa: F401 — here, so that it does not hold up the main thread
    from ui.startup import open_program

    return open_program(paths, settings)
