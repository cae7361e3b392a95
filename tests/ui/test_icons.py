import subprocess
import sys

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from tests.ui.colors import colors_in
from ui.icons import glyph, paint_icon
from ui.kit import Button, Icon, IconButton, NavItem, RailButton, Tile
from ui.theme import Theme


def test_an_icon_is_painted_in_its_colour(qapp: QApplication) -> None:
    image = QImage(32, 32, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    paint_icon(painter, "chat-circle-text-fill", QRectF(0, 0, 32, 32), 24, QColor("#0a6a62"))
    painter.end()
    assert "#0a6a62" in colors_in(image)
    assert image.pixelColor(1, 1) == QColor("white")


def test_an_unknown_icon_is_an_error_at_once(theme: Theme) -> None:
    with pytest.raises(ValueError, match="no icon called “submarine”"):
        glyph("submarine")
    for make in (
        lambda: Button(theme, "Go", icon="submarine"),
        lambda: IconButton(theme, "submarine", "Go"),
        lambda: Icon(theme, "submarine"),
        lambda: Tile(theme, "submarine"),
        lambda: NavItem(theme, "submarine", "Go"),
        lambda: RailButton(theme, "submarine", "Go"),
    ):
        with pytest.raises(ValueError, match="submarine"):
            make()


def test_the_slow_package_is_not_imported_for_its_font() -> None:
    code = (
        "import sys; from PySide6.QtGui import QGuiApplication; app = QGuiApplication([]);"
        "from ui.icons import icon_font; icon_font(16);"
        "sys.exit('qtawesome' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
