"""Buttons, painted: one base that knows its state, and what is made of it."""

import math
from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from ui.icons import glyph, paint_icon
from ui.kit.painting import INNER_RADIUS, RADIUS, came_by_keyboard, focus_ring, rounded
from ui.kit.tooltips import plain_tooltip
from ui.theme import Theme

ButtonKind = Literal["normal", "primary", "soft", "ghost", "link", "danger"]
ButtonState = Literal["rest", "hover", "press", "disabled"]

_INK = {
    "normal": "text",
    "primary": "on_accent",
    "soft": "accent_text",
    "ghost": "text2",
    "link": "accent_text",
    "danger": "danger",
}
_PRIMARY_GROUND = {
    "rest": "accent",
    "hover": "accent_hover",
    "press": "accent_press",
    "disabled": "fill",
}


class PaintedButton(QAbstractButton):
    """A button that paints itself: it knows its state, and shows a ring for keyboard focus only."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._ring = False
        self.setAccessibleName(name)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def state(self) -> ButtonState:
        if not self.isEnabled():
            return "disabled"
        if self.isDown():
            return "press"
        return "hover" if self.underMouse() else "rest"

    @property
    def radius(self) -> int:
        return RADIUS if self.height() >= 32 else INNER_RADIUS

    @property
    def shows_ring(self) -> bool:
        return self._ring and self.hasFocus()

    def paint_overlay(self, painter: QPainter, rect: QRectF) -> None:
        """Lay hover and press over whatever ground is below."""
        if self.state in ("hover", "press"):
            rounded(painter, rect, self.radius, self.theme.color(self.state))

    def paint_ring(self, painter: QPainter, rect: QRectF, inner: QColor | None = None) -> None:
        if self.shows_ring:
            focus_ring(painter, rect, self.radius, self.theme.color("ring"), inner)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat():
            self.click()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._ring = False
        super().mousePressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._ring = came_by_keyboard(event, self._ring)
        super().focusInEvent(event)


class Button(PaintedButton):
    """A button with words. `hint` is its shortcut, written small behind them."""

    def __init__(
        self,
        theme: Theme,
        text: str,
        kind: ButtonKind = "normal",
        icon: str = "",
        hint: str = "",
        small: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, text, parent)
        self._kind = kind
        self._icon = icon
        self._hint = hint
        self._font = theme.font("label")
        self._hint_font = theme.font("caption")
        self._padding = 0 if kind == "link" else 8 if kind == "ghost" or small else 12
        if icon:
            glyph(icon)
        self.setText(text)
        self.setFixedHeight(24 if kind == "link" else 28 if small else theme.size("control"))

    def set_words(self, text: str, icon: str = "", hint: str = "") -> None:
        """Become another action: "Send" turns into "Stop"."""
        if icon:
            glyph(icon)
        self._icon = icon
        self._hint = hint
        self.setText(text)
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def set_kind(self, kind: ButtonKind) -> None:
        """Weigh more or less among the buttons around; for kinds of one width."""
        if kind != self._kind:
            self._kind = kind
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(math.ceil(self._content_width()) + 2 * self._padding, self.height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        rect = QRectF(self.rect())
        color = self.theme.color
        self._paint_ground(painter, rect)
        self.paint_ring(painter, rect, color("on_accent") if self._kind == "primary" else None)
        ink = self._ink()
        x = (rect.width() - self._content_width()) / 2
        if self._icon:
            quiet = self._kind == "normal" and self.isEnabled()
            paint_icon(
                painter,
                self._icon,
                QRectF(x, 0, 16, rect.height()),
                16,
                color("text2") if quiet else ink,
            )
            x += 22
        left = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.setFont(self._font)
        painter.setPen(ink)
        width = QFontMetricsF(self._font).horizontalAdvance(self.text())
        painter.drawText(QRectF(x, 0, width + 4, rect.height()), left, self.text())
        if self._kind == "link" and self.state in ("hover", "press"):
            base = round(rect.height() / 2 + QFontMetricsF(self._font).ascent() / 2) + 1
            painter.fillRect(QRectF(x, base, width, 1), ink)
        if self._hint:
            painter.setFont(self._hint_font)
            painter.drawText(
                QRectF(x + width + 8, 0, rect.width(), rect.height()), left, self._hint
            )

    def _content_width(self) -> float:
        width = QFontMetricsF(self._font).horizontalAdvance(self.text())
        if self._icon:
            width += 22
        if self._hint:
            width += 8 + QFontMetricsF(self._hint_font).horizontalAdvance(self._hint)
        return width

    def _ink(self) -> QColor:
        if self.state == "disabled":
            return self.theme.color("disabled")
        if self._kind == "ghost" and self.state != "rest":
            return self.theme.color("text")
        return self.theme.color(_INK[self._kind])

    def _paint_ground(self, painter: QPainter, rect: QRectF) -> None:
        color = self.theme.color
        if self._kind == "primary":
            rounded(painter, rect, self.radius, color(_PRIMARY_GROUND[self.state]))
            return
        if self._kind == "soft":
            rounded(painter, rect, self.radius, color("accent_soft"))
        elif self._kind in ("normal", "danger"):
            if self.isEnabled():
                rounded(painter, rect, self.radius, color("raised"), color("border"))
            else:
                rounded(painter, rect, self.radius, edge=color("hairline"))
        if self._kind != "link":
            self.paint_overlay(painter, rect)


class IconButton(PaintedButton):
    """A button of one icon. `name` is what a screen reader says, and the tooltip."""

    def __init__(
        self,
        theme: Theme,
        icon: str,
        name: str,
        *,
        box: int = 28,
        size: int = 16,
        checkable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, name, parent)
        glyph(icon)
        self._icon = icon
        self._size = size
        self.setFixedSize(box, box)
        self.setCheckable(checkable)
        self.setToolTip(plain_tooltip(name))

    @property
    def icon_name(self) -> str:
        return self._icon

    def set_action(self, icon: str, name: str) -> None:
        """Become another action: "Mute" turns into "Let it act again"."""
        glyph(icon)
        self._icon = icon
        self.setAccessibleName(name)
        self.setToolTip(plain_tooltip(name))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        rect = QRectF(self.rect())
        color = self.theme.color
        if self.isChecked():
            rounded(painter, rect, self.radius, color("selected"))
        self.paint_overlay(painter, rect)
        self.paint_ring(painter, rect)
        paint_icon(painter, self._icon, rect, self._size, color(self._ink_role()))

    def _ink_role(self) -> str:
        if not self.isEnabled():
            return "disabled"
        if self.isChecked():
            return "accent_text"
        return "text2" if self.state == "rest" else "text"
