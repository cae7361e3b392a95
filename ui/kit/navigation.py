"""Where to go: the buttons of the rail and the rows of a list of places."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.icons import glyph, paint_icon
from ui.kit.buttons import PaintedButton
from ui.kit.painting import rounded
from ui.kit.tooltips import plain_tooltip
from ui.theme import Theme


class Place(PaintedButton):
    """One of several places to go to. The Tab key stops at the one that is shown, and only there;
    the arrow keys go to its neighbours.
    """

    def __init__(self, theme: Theme, icon: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, parent)
        if icon:
            glyph(f"{icon}-fill")
        self.icon_name = icon
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.toggled.connect(self._take_tab_stop)
        self._take_tab_stop(False)

    @property
    def shown_icon(self) -> str:
        return f"{self.icon_name}-fill" if self.isChecked() else self.icon_name

    def _take_tab_stop(self, here: bool) -> None:
        policy = Qt.FocusPolicy.StrongFocus if here else Qt.FocusPolicy.ClickFocus
        self.setFocusPolicy(policy)


class RailButton(Place):
    """One place of the window. `set_progress` draws a ring over it while something runs there, and
    `set_on` a dot while something is switched on there.
    """

    def __init__(self, theme: Theme, icon: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, icon, name, parent)
        self._progress: float | None = None
        self._on = False
        side = theme.size("rail_button")
        self.setFixedSize(side, side)
        self.setToolTip(name)

    def set_progress(self, fraction: float | None, words: str = "") -> None:
        """`words` say what runs; they follow the name in the tooltip."""
        self._progress = fraction
        self._describe(words)

    def set_on(self, on: bool, words: str = "") -> None:
        """`words` say what is on; they follow the name in the tooltip."""
        self._on = on
        self._describe(words)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        rect = QRectF(self.rect())
        color = self.theme.color
        on = self.isChecked()
        if on:
            rounded(painter, rect, self.radius, color("selected"))
        else:
            self.paint_overlay(painter, rect)
        self.paint_ring(painter, rect)
        paint_icon(painter, self.shown_icon, rect, 22, color("accent_text" if on else "text2"))
        if self._on:
            self._paint_dot(painter)
        if self._progress is not None:
            self._paint_progress(painter, self._progress)

    def _describe(self, words: str) -> None:
        name = self.accessibleName()
        self.setAccessibleDescription(words)
        self.setToolTip(plain_tooltip(f"{name}\n{words}") if words else name)
        self.update()

    def _paint_dot(self, painter: QPainter) -> None:
        color = self.theme.color
        centre = QPointF(self.width() - 10, self.height() - 10)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("selected" if self.isChecked() else "rail"))
        painter.drawEllipse(centre, 5.5, 5.5)
        painter.setBrush(color("accent"))
        painter.drawEllipse(centre, 3.5, 3.5)

    def _paint_progress(self, painter: QPainter, fraction: float) -> None:
        color = self.theme.color
        centre = QPointF(self.width() - 9, self.height() - 9)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("selected" if self.isChecked() else "rail"))
        painter.drawEllipse(centre, 7.5, 7.5)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(color("track"), 2.4))
        painter.drawEllipse(centre, 4.6, 4.6)
        pen = QPen(color("accent"), 2.4)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        circle = QRectF(centre.x() - 4.6, centre.y() - 4.6, 9.2, 9.2)
        painter.drawArc(circle, 90 * 16, round(-360 * 16 * fraction))


class NavItem(Place):
    """A row of a list of places, with an icon, or a lower one without; `set_count` says how many things
    are there.
    """

    def __init__(self, theme: Theme, icon: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, icon, text, parent)
        self._count: int | None = None
        self._count_font = theme.font("small", tabular=True)
        self.setText(text)
        self.setFixedHeight(theme.size("row_nav") if icon else theme.size("control"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_count(self, count: int | None) -> None:
        """None shows no number."""
        self._count = count
        name = self.text() if count is None else f"{self.text()}, {count}"
        self.setAccessibleName(name)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(160, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        rect = QRectF(self.rect()).adjusted(0, 1, 0, -1)
        color = self.theme.color
        on = self.isChecked()
        if on:
            rounded(painter, rect, self.radius, color("selected"))
        else:
            self.paint_overlay(painter, rect)
        self.paint_ring(painter, rect)
        words = QRectF(self.rect()).adjusted(8, 0, -10, 0)
        if self.icon_name:
            box = QRectF(8, 0, 18, self.height())
            role = "accent_text" if on else "text2"
            paint_icon(painter, self.shown_icon, box, 18, color(role))
            words.setLeft(36)
        middle = Qt.AlignmentFlag.AlignVCenter
        if self._count is not None:
            count = f"{self._count:,}"
            painter.setFont(self._count_font)
            painter.setPen(color("text2"))
            painter.drawText(words, middle | Qt.AlignmentFlag.AlignRight, count)
            words.adjust(0, 0, -QFontMetricsF(self._count_font).horizontalAdvance(count) - 8, 0)
        font = self.theme.font("label" if on else "body")
        painter.setFont(font)
        painter.setPen(color("text"))
        end = Qt.TextElideMode.ElideRight
        shown = QFontMetricsF(font).elidedText(self.text(), end, words.width())
        painter.drawText(words, middle, shown)
