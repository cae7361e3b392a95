"""The mark as the window's icon, drawn for each size."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap

from ui.kit.painting import paint_mark
from ui.theme import Theme

SIZES = (16, 24, 32, 48, 64, 128, 256)


def window_icon(theme: Theme) -> QIcon:
    """What task bars and window switchers show."""
    icon = QIcon()
    for size in SIZES:
        pixmap = QPixmap(size, size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        rect = QRectF(0, 0, size, size)
        paint_mark(painter, rect, theme.color("accent"), theme.color("on_accent"))
        painter.end()
        icon.addPixmap(pixmap)
    return icon
