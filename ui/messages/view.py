"""One message's text: rendered Markdown that can be selected, copied and followed by links."""

import math
from collections.abc import Sequence
from time import perf_counter

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QAction,
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from ui.kit import Menu
from ui.kit.painting import INNER_RADIUS, came_by_keyboard, focus_ring, rounded
from ui.messages.blocks import Block, Code, Table
from ui.messages.code import language_name
from ui.messages.document import DocumentWriter
from ui.messages.formats import CODE_PADDING, Formats, Ground
from ui.messages.ground import CopyLabel, GroundPainter, Words
from ui.messages.markdown import blocks_of
from ui.messages.mathematics import Formulas
from ui.messages.selection import selected_text
from ui.theme import Theme

_COPIED_MS = 1500
_SCROLL_KEYS = (
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_Space,
)


class MessageView(QTextBrowser):
    """Shows a text as high as it is; whoever holds it scrolls.

    Attributes:
        last_paint_ms: how long the last painting took.

    Signals:
        link_activated: an address was clicked; nothing is opened here.
        height_changed: the text needs another height than it has.
        selection_dragged: the mouse draws a selection and is at this point of the screen.
    """

    link_activated = Signal(str)
    height_changed = Signal()
    selection_dragged = Signal(QPoint)

    def __init__(
        self,
        theme: Theme,
        formulas: Formulas,
        ground: Ground = "page",
        name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._formulas = formulas
        self._formats = Formats(theme, ground)
        self._text = ""
        self._height = 0
        self._caret = False
        self._ring = False
        self._copied = -1
        self.last_paint_ms = 0.0
        self._words = Words(
            CopyLabel(self.tr("Copy"), "copy-simple"),
            CopyLabel(self.tr("Copied"), "check"),
            self.tr("Code"),
        )
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.viewport().setAutoFillBackground(False)
        self.viewport().setMouseTracking(True)
        document = self.document()
        document.setDocumentMargin(0)
        document.setDefaultFont(theme.font("reading"))
        self._writer = DocumentWriter(theme, self._formats, formulas, document)
        self._painter = GroundPainter(theme, self._formats, self._writer, document)
        self._forget_copied = QTimer(self)
        self._forget_copied.setSingleShot(True)
        self._forget_copied.setInterval(_COPIED_MS)
        self._forget_copied.timeout.connect(self._end_copied)
        self.anchorClicked.connect(self._activate)
        theme.changed.connect(self._render_again)
        formulas.drawn.connect(self._show_drawn_formulas)

    @property
    def markdown(self) -> str:
        """The text as it was written."""
        return self._text

    @property
    def blocks(self) -> Sequence[Block]:
        """What is shown."""
        return self._writer.blocks

    def show_text(self, text: str) -> None:
        """Show a whole text."""
        self._text = text
        self.show_blocks(blocks_of(text), 0)

    def show_blocks(self, blocks: list[Block], first_changed: int, text: str | None = None) -> None:
        """Show blocks, of which those before `first_changed` are shown already."""
        if text is not None:
            self._text = text
        self._writer.set_ratio(self.devicePixelRatioF())
        self._writer.show(blocks, first_changed)
        self._settle_height()

    def show_caret(self, shown: bool) -> None:
        """The mark at the end of a text that is being written."""
        self._caret = shown
        self.viewport().update()
        self._settle_height()

    def fit(self, width: int) -> int:
        """Take a width; returns the height that the text then has, and takes it."""
        if self.width() != width or self.document().textWidth() != width:
            self.resize(width, self.height())
            self.document().setTextWidth(width)
        self._height = self._needed_height()
        self.resize(width, self._height)
        return self._height

    def copy_selection(self) -> None:
        """Copy what is selected, or everything where nothing is."""
        cursor = self.textCursor()
        text = selected_text(cursor, self.document(), self._writer)
        QGuiApplication.clipboard().setText(text if cursor.hasSelection() else self._text)

    def copy_code(self, index: int) -> None:
        """Copy the code block that is the message's block of that index."""
        block = self._writer.blocks[index]
        if isinstance(block, Code):
            QGuiApplication.clipboard().setText(block.text)
            self._copied = index
            self._forget_copied.start()
            self.viewport().update()

    def menu_at(self, index: int | None) -> Menu:
        """The context menu; `index` is the code block below the mouse, None for the keyboard."""
        menu = Menu(self)
        has_selection = self.textCursor().hasSelection()
        self._add(menu, self.tr("Copy"), self.copy_selection).setEnabled(has_selection)
        markdown = self._add(menu, self.tr("Copy as Markdown"), self._copy_markdown)
        markdown.setEnabled(bool(self._text))
        for number, block in enumerate(self._writer.blocks):
            if isinstance(block, Code) and index in (None, number):
                words = self.tr("Copy code: {name}").format(name=_summary(block))
                action = self._add(menu, words, self._copy_code_of_action)
                action.setData(number)
        menu.addSeparator()
        self._add(menu, self.tr("Select all"), self.selectAll)
        return menu

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Nothing is ever loaded: images of formulas lie in the document already."""
        return None

    def sizeHint(self) -> QSize:
        return QSize(self.width(), self._height)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        began = perf_counter()
        painter = QPainter(self.viewport())
        self._painter.paint(painter, QRectF(event.rect()), self._words, self._copied)
        painter.end()
        super().paintEvent(event)
        # Below a table there is no line for the caret to stand in.
        caret = self._caret and not any(isinstance(block, Table) for block in self.blocks[-1:])
        if caret or (self._ring and self.hasFocus()):
            painter = QPainter(self.viewport())
            if caret:
                rounded(painter, self._painter.caret_rect(), 2, self._theme.color("accent"))
            if self._ring and self.hasFocus():
                ring = self._theme.color("ring")
                focus_ring(painter, self.viewport().rect(), INNER_RADIUS, ring)
            painter.end()
        self.last_paint_ms = (perf_counter() - began) * 1000

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_selection()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.selectAll()
        elif event.key() in _SCROLL_KEYS and not event.modifiers():
            event.ignore()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._ring = came_by_keyboard(event, self._ring)
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if event.buttons() == Qt.MouseButton.LeftButton and self.textCursor().hasSelection():
            self.selection_dragged.emit(event.globalPosition().toPoint())
        if event.buttons() == Qt.MouseButton.NoButton and self._copy_index(event.position()) >= 0:
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self._copy_index(event.position())
        event.accept()
        dragged = self.textCursor().hasSelection()
        if event.button() == Qt.MouseButton.LeftButton and index >= 0 and not dragged:
            self.copy_code(index)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        index = self._painter.code_at(QPointF(event.pos())) if by_mouse else None
        menu = self.menu_at(-1 if by_mouse and index is None else index)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos() if by_mouse else self.mapToGlobal(QPoint(16, 16)))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._render_again()

    def _copy_index(self, point: QPointF) -> int:
        index = self._painter.code_at(point)
        if index is None:
            return -1
        rect = self._painter.copy_rect(index, self._words.copied)
        return index if rect.contains(point) else -1

    def _copy_markdown(self) -> None:
        QGuiApplication.clipboard().setText(self._text)

    def _copy_code_of_action(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.copy_code(int(action.data()))

    def _add(self, menu: Menu, words: str, slot: object) -> QAction:
        action = menu.addAction(words)
        action.triggered.connect(slot)
        return action

    def _end_copied(self) -> None:
        self._copied = -1
        self.viewport().update()

    def _activate(self, url: QUrl) -> None:
        self.link_activated.emit(url.toString())

    def _render_again(self) -> None:
        self._formats.forget()
        self.show_blocks(list(self._writer.blocks), 0)

    def _show_drawn_formulas(self) -> None:
        if self._writer.pending:
            self._writer.set_ratio(self.devicePixelRatioF())
            self._writer.show_drawn_formulas()
            self._settle_height()

    def _needed_height(self) -> int:
        if not self._writer.blocks:
            return self._theme.line_height("reading") if self._caret else 0
        height = math.ceil(self.document().size().height())
        # Qt leaves out the space below the last block, where a code block's ground ends.
        return height + (CODE_PADDING if isinstance(self._writer.blocks[-1], Code) else 0)

    def _settle_height(self) -> None:
        height = self._needed_height()
        if height != self._height:
            self._height = height
            self.height_changed.emit()


def _summary(code: Code) -> str:
    first = next((line.strip() for line in code.text.split("\n") if line.strip()), "")
    name = language_name(code.language)
    words = f"{name}, {first}" if name and first else name or first
    return words if len(words) <= 48 else f"{words[:47]}…"
