"""The window on a small screen: it fits, and so does everything that a person needs on its pages."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QSlider,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.paths import Paths, paths_under
from app.settings_file import SettingsFile
from tests.ui.tour import Tour, furnish
from tests.ui.whole_window import whole_window
from ui.main_window import MainWindow
from ui.theme import Theme
from ui.window_place import SMALLEST, fitted

CONTROLS = (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QTextEdit,
)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path / "home")


def test_what_reaches_out_of_the_screen_is_moved_and_shrunk() -> None:
    free = QRect(0, 30, 1366, 738)
    assert fitted(QRect(100, 100, 800, 500), free) == QRect(100, 100, 800, 500)
    assert fitted(QRect(0, 0, 1280, 830), free) == QRect(0, 30, 1280, 738)
    assert fitted(QRect(5000, -900, 1000, 600), free) == QRect(366, 30, 1000, 600)
    assert fitted(QRect(-10, -10, 4000, 3000), free) == free


def test_a_window_of_a_screen_that_has_gone_comes_back_on_this_one(
    qtbot: QtBot, theme: Theme, paths: Paths
) -> None:
    settings = SettingsFile(paths.settings_file)
    with whole_window(theme, paths, settings) as window:
        qtbot.waitUntil(lambda: window.is_ready)
        window.setGeometry(5000, 4000, 2600, 1500)
    with whole_window(theme, paths, settings, size=None) as window:
        qtbot.waitUntil(lambda: window.is_ready)
        free = window.screen().availableGeometry()
        assert free.contains(window.frameGeometry())


@pytest.mark.parametrize(
    ("width", "height", "ratio"), [(1366, 768, 1), (1920, 1080, 2), (2560, 1440, 1)]
)
def test_the_first_window_fits_on_the_screen_with_its_frame(
    tmp_path: Path, width: int, height: int, ratio: int
) -> None:
    screen = {"name": "", "x": 0, "y": 0, "width": width, "height": height, "dpr": 1}
    screen |= {"logicalDpi": 96, "logicalBaseDpi": 96}
    (tmp_path / "screen.json").write_text(json.dumps({"screens": [screen]}))
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen:configfile=screen.json",
        "QT_SCALE_FACTOR": str(ratio),
        "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path]),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "home")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    left, top, right, bottom, inner_width, inner_height = map(int, done.stdout.split())
    assert left >= 0
    assert top >= 0
    assert right <= width // ratio
    assert bottom <= height // ratio
    assert inner_width >= min(1280, width // ratio - 16)
    assert inner_height >= min(800, height // ratio - 48)


PROGRAM = """
import sys
from pathlib import Path
from app.paths import paths_under
from app.settings_file import SettingsFile
from ui.application import make_application
from ui.background import Background
from ui.main_window import MainWindow
from ui.theme import Theme

app = make_application()
paths = paths_under(Path(sys.argv[1]))
theme = Theme("light")
theme.apply(app)
background = Background()
window = MainWindow(theme, background, paths, SettingsFile(paths.settings_file))
window.show()
while not window.is_ready:
    app.processEvents()
app.processEvents()
frame = window.frameGeometry()
print(frame.left(), frame.top(), frame.right() + 1, frame.bottom() + 1, end=" ")
print(window.width(), window.height())
window.hide()
window.stop_work()
background.finish(10_000)
window.close_services()
"""


@pytest.fixture(params=[(800, 500), (SMALLEST.width(), SMALLEST.height())], ids=str)
def small(
    request: pytest.FixtureRequest, qtbot: QtBot, theme: Theme, paths: Paths
) -> Iterator[MainWindow]:
    with whole_window(theme, paths, furnish(paths), size=QSize(*request.param)) as window:
        qtbot.waitUntil(lambda: window.is_ready, timeout=30_000)
        yield window
        assert (window.width(), window.height()) == request.param


def test_every_page_can_be_used_on_a_small_screen(small: MainWindow, qtbot: QtBot) -> None:
    wrong = []
    for name in Tour(small, qtbot).stops():
        wrong += [f"{name}: {words}" for words in cut_in(small)]
    assert not wrong, "\n".join(wrong)


def test_the_welcome_page_can_be_used_on_a_small_screen(
    qtbot: QtBot, theme: Theme, paths: Paths
) -> None:
    settings = SettingsFile(paths.settings_file)
    with whole_window(theme, paths, settings, size=SMALLEST) as window:
        qtbot.waitUntil(lambda: window.is_ready)
        assert not cut_in(window)


def cut_in(window: QWidget) -> list[str]:
    """What a person can't reach, or can't read, in words."""
    QApplication.processEvents()
    wrong = []
    for area in (each for each in window.findChildren(QScrollArea) if each.isVisible()):
        page = area.widget()
        if page is not None and page.width() > area.viewport().width():
            wrong.append(f"“{area.accessibleName()}” cuts a page of {page.width()} px")
    for control in window.findChildren(QWidget):
        if isinstance(control, CONTROLS) and control.isVisible():
            words = f"{type(control).__name__} “{control.accessibleName()}”"
            if not _is_inside(control, window):
                wrong.append(f"{words} is cut")
            elif isinstance(control, QAbstractButton) and control.text():
                needed = control.sizeHint().width()
                if control.width() < needed:
                    wrong.append(f"{words} has {control.width()} px of {needed}")
    return wrong


def _is_inside(control: QWidget, window: QWidget) -> bool:
    """Whether all of it can be seen, perhaps after scrolling."""
    place = QRect(QPoint(0, 0), control.size())
    inner: QWidget = control
    while inner is not window:
        around = inner.parentWidget()
        assert around is not None
        place.translate(inner.pos())
        room = around.rect()
        if isinstance(around.parentWidget(), QScrollArea):
            room.setTop(min(room.top(), place.top()))
            room.setBottom(max(room.bottom(), place.bottom()))
        if not room.contains(place):
            return False
        if isinstance(around.parentWidget(), QScrollArea):
            place.moveTop(0)
            place.setHeight(1)
        inner = around
    return True
