"""What a person types into: Qt's own fields under the style sheet, completed by a little painting."""

from collections.abc import Iterable
from typing import Literal

from PySide6.QtCore import QMimeData, QRectF, Qt
from PySide6.QtGui import (
    QDragEnterEvent,
    QFocusEvent,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPlainTextEdit,
    QStyledItemDelegate,
    QWidget,
)

from ui.icons import paint_icon
from ui.kit.painting import INNER_RADIUS, RADIUS, came_by_keyboard, focus_ring
from ui.kit.wheel import LeavesWheel
from ui.theme import Theme

FieldGround = Literal["raised", "page"]
"""A field on a panel is raised; one on a card takes the ground of the page."""


class TextField(QLineEdit):
    """One line of text. `set_invalid` gives it a red edge; the words for it go below the field."""

    def __init__(
        self,
        theme: Theme,
        name: str,
        placeholder: str = "",
        ground: FieldGround = "raised",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.setProperty("ground", ground)
        self.setFixedHeight(theme.size("control"))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        # A model file that is dropped belongs to the window, not its address into a field.
        if _has_files(event.mimeData()):
            event.ignore()
        else:
            super().dragEnterEvent(event)

    @property
    def invalid(self) -> bool:
        return bool(self.property("invalid"))

    def set_invalid(self, invalid: bool) -> None:
        self.setProperty("invalid", invalid)
        # Qt looks a style sheet's properties up only when it polishes a widget.
        self.style().unpolish(self)
        self.style().polish(self)


class SearchField(TextField):
    """A field with a magnifying glass, and its shortcut while it is empty and not in use."""

    def __init__(
        self, theme: Theme, placeholder: str, hint: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, placeholder, placeholder, parent=parent)
        self._hint = hint
        self._hint_font = theme.font("caption")
        room = QFontMetricsF(self._hint_font).horizontalAdvance(hint) + 8 if hint else 0
        self.setTextMargins(22, 0, round(room), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        quiet = self.theme.color("text3")
        rect = QRectF(self.rect())
        paint_icon(painter, "magnifying-glass", QRectF(9, 0, 16, rect.height()), 16, quiet)
        if self._hint and not self.hasFocus() and not self.text():
            painter.setFont(self._hint_font)
            painter.setPen(quiet)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(rect.adjusted(0, 0, -10, 0), right, self._hint)


class TextArea(QPlainTextEdit):
    """Several lines of plain text. Tab moves on, as everywhere else in the window."""

    def __init__(
        self,
        theme: Theme,
        name: str,
        placeholder: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.setTabChangesFocus(True)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() and not _has_files(source)


class NumberField(LeavesWheel, QDoubleSpinBox):
    """A number, typed or stepped with the arrow keys; `special` stands for the smallest one.

    `valueChanged` comes when the number is complete, not for each digit.
    """

    def __init__(
        self,
        theme: Theme,
        name: str,
        *,
        minimum: float = 0,
        maximum: float = 100,
        step: float = 1,
        decimals: int = 0,
        special: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAccessibleName(name)
        self.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setDecimals(decimals)
        self.setRange(minimum, maximum)
        self.setSingleStep(step)
        self.setSpecialValueText(special)
        self.setGroupSeparatorShown(decimals == 0)
        self.setKeyboardTracking(False)
        self.setFont(theme.font("smallmd", tabular=True))
        self.setFixedHeight(24)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


class ComboBox(LeavesWheel, QComboBox):
    """One of a few."""

    def __init__(
        self,
        theme: Theme,
        name: str,
        items: Iterable[tuple[str, object]] = (),
        ground: FieldGround = "raised",
        parent: QWidget | None = None,
        *,
        small: bool = False,
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self._ring = False
        self.setAccessibleName(name)
        self.setProperty("ground", ground)
        self.setProperty("small", small)
        self.setFixedHeight(24 if small else theme.size("control"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # Qt's own delegate for combo boxes knows nothing of the style sheet.
        self.setItemDelegate(QStyledItemDelegate(self))
        for text, data in items:
            self.addItem(text, data)

    def select(self, data: object) -> None:
        """Show the item with that data, where there is one."""
        self.setCurrentIndex(self.findData(data))

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._ring = came_by_keyboard(event, self._ring)
        super().focusInEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        role = "text2" if self.isEnabled() else "disabled"
        room = 22 if self.property("small") else 28
        caret = QRectF(self.width() - room + 2, 0, 16, self.height())
        paint_icon(painter, "caret-down", caret, 12, self.theme.color(role))
        if self._ring and self.hasFocus():
            radius = RADIUS if self.height() >= 32 else INNER_RADIUS
            focus_ring(painter, self.rect(), radius, self.theme.color("ring"))


def _has_files(data: QMimeData) -> bool:
    return any(url.isLocalFile() for url in data.urls())
