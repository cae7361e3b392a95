"""The messages of a chat, below each other, and the reader's place in them."""

from collections.abc import Iterable
from typing import NamedTuple

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from app.conversations.records import Message, Page
from app.formatting import tokens_text
from ui.background import Background
from ui.chat.answer_item import AnswerItem
from ui.chat.message_item import MessageItem, PersonItem
from ui.chat.stack import Stack
from ui.kit import Button
from ui.messages.formats import OUT
from ui.messages.imports import warm_up
from ui.messages.mathematics import Formulas
from ui.theme import Theme

_MARGIN = 16
_ABOVE, _BELOW = 16, 8
_AT_END = 8
_NEAR_TOP = 600
_JUMP_BELOW = 12
_SLICE = 3
_SLICE_MS = 15
_WARM_AFTER_MS = 400


class _Place(NamedTuple):
    """Where the reader is: the first item in sight, and how far its top is from the edge."""

    item: QWidget
    offset: int


class Transcript(QScrollArea):
    """Shows a branch of a conversation from its end upwards.

    The first paint waits only for what fills the viewport; the rest is built in slices above it.
    The view follows the end while the reader is there, and else stays where the reader is,
    whatever happens above or below.

    Signals:
        copy_requested, regenerate_requested, continue_requested, delete_requested,
        retry_requested: a message's id.
        edit_submitted: a message's id and its new text.
        sibling_requested: a message's id and −1 or 1.
        earlier_requested: the reader nears the top of what is loaded; there is more.
        link_activated: an address in a message was clicked.
    """

    copy_requested = Signal(str)
    edit_submitted = Signal(str, str)
    regenerate_requested = Signal(str)
    continue_requested = Signal(str)
    delete_requested = Signal(str)
    sibling_requested = Signal(str, int)
    retry_requested = Signal(str)
    earlier_requested = Signal()
    link_activated = Signal(str)

    def __init__(self, theme: Theme, background: Background, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._background = background
        self._formulas = Formulas(background, self)
        self._waiting: list[Message] = []
        self._items: dict[str, MessageItem] = {}
        self._has_earlier = False
        self._asked_earlier = False
        self._following = True
        self._placing = False
        self._warm = False
        self.setAccessibleName(self.tr("Messages"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAutoFillBackground(False)
        self._content = QWidget()
        self._content.setAutoFillBackground(False)
        self._column = Stack(self._content)
        self.setWidget(self._content)
        self._jump = Button(theme, self.tr("Jump to the end"), icon="arrow-down", parent=self)
        self._jump.hide()
        self._jump.clicked.connect(self.jump_to_end)
        self._slices = QTimer(self)
        # Between two slices, what is there is painted.
        self._slices.setInterval(_SLICE_MS)
        self._slices.timeout.connect(self._build_slice)
        self._warming = QTimer(self)
        self._warming.setSingleShot(True)
        self._warming.setInterval(_WARM_AFTER_MS)
        self._warming.timeout.connect(self._warm_up)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)

    @property
    def following(self) -> bool:
        """Whether the view stays at the end as the text grows."""
        return self._following

    @property
    def items(self) -> list[MessageItem]:
        """The messages that are built, from the top."""
        return [part for part in self._column.parts if isinstance(part, MessageItem)]

    # What is shown

    def show_page(self, page: Page) -> None:
        """Show the end of a branch, in place of whatever was shown."""
        self.clear()
        self._has_earlier = page.has_earlier
        self._waiting = list(page.messages)
        self._fill()
        self.jump_to_end()

    def prepend_page(self, page: Page) -> None:
        """Earlier messages; the reader's place is kept."""
        self._has_earlier = page.has_earlier
        self._asked_earlier = False
        known = {message.id for message in self._waiting} | self._items.keys()
        self._waiting[:0] = [message for message in page.messages if message.id not in known]
        self._slices.start()

    def append_message(self, message: Message) -> None:
        """A new message at the end. The view goes there: the person has just sent it."""
        self._put(self._make(message))
        self.jump_to_end()

    def replace_message(self, message: Message) -> None:
        """A message has changed: other siblings, another text."""
        old = self._items.get(message.id)
        if old is None:
            return
        index = self._column.parts.index(old)
        self._column.take(old)
        self._put(self._make(message), index)

    def remove_after(self, message_id: str) -> None:
        """Remove all messages after this one."""
        ids = list(self._items)
        if message_id in ids:
            for later in ids[ids.index(message_id) + 1 :]:
                self._column.take(self._items.pop(later))
            self._pin_last()
            self._settle()

    def clear(self) -> None:
        """Show nothing."""
        self._slices.stop()
        self._waiting.clear()
        for part in self._column.parts:
            self._column.take(part)
        self._items.clear()
        self._has_earlier = self._asked_earlier = False
        self._following = True
        self._settle()

    # The answer that is being written

    def begin_answer(self, message: Message) -> None:
        """An answer is going to be written at the end, after the text that it has already."""
        if old := self._items.pop(message.id, None):
            self._column.take(old)
        self._put(AnswerItem(self._theme, self._formulas, message, streaming=True))

    def add_text(self, text: str) -> None:
        if answer := self._answer():
            answer.add_text(text)

    def add_reasoning(self, text: str) -> None:
        if answer := self._answer():
            answer.add_reasoning(text)

    def show_prompt_progress(self, done: int, total: int) -> None:
        """Tokens of the prompt that were read, of `total`."""
        words = self.tr("Reading the chat, {done} of {total}").format(
            done=f"{done:,}", total=tokens_text(total)
        )
        self._show_progress(words, done / total if total else None)

    def show_loading(self, name: str, fraction: float) -> None:
        """The model is being loaded; `fraction` from 0 to 1."""
        self._show_progress(self.tr("Loading {model}").format(model=name), fraction)

    def show_waiting(self) -> None:
        """Another answer is being written first."""
        self._show_progress(self.tr("Waiting for another answer to finish"), None)

    def finish_answer(self, message: Message) -> None:
        """The answer has ended and is stored."""
        item = self._items.get(message.id)
        if isinstance(item, AnswerItem):
            item.finish(message)

    # What others ask

    def first_message_id(self) -> str:
        """The earliest message that was handed over, empty where there is none."""
        if self._waiting:
            return self._waiting[0].id
        return next(iter(self._items), "")

    def last_answer_text(self) -> str:
        """The Markdown of the last answer, empty where there is none."""
        answers = [item for item in self.items if isinstance(item, AnswerItem)]
        return answers[-1].written if answers else ""

    def edit_last_question(self) -> None:
        """Rewrite the person's last message."""
        questions = [item for item in self.items if isinstance(item, PersonItem)]
        if questions:
            questions[-1].begin_edit()
            self.ensureWidgetVisible(questions[-1], 0, _MARGIN)

    def holds(self, focused: QObject) -> bool:
        """Whether that is a part of the transcript."""
        return focused is self or (isinstance(focused, QWidget) and self.isAncestorOf(focused))

    def jump_to_end(self) -> None:
        """Go to the end and follow it."""
        self._following = True
        self._settle()

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        place = self._reader_place()
        super().resizeEvent(event)
        self._settle(place)
        self._fill()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._settle()
        if not self._warm:
            self._warm = True
            self._warming.start()

    def _warm_up(self) -> None:
        self._background.run(self, warm_up)

    # Building

    def _make(self, message: Message) -> MessageItem:
        kind = PersonItem if message.role == "user" else AnswerItem
        return kind(self._theme, self._formulas, message)

    def _put(self, item: MessageItem, index: int | None = None) -> None:
        self._add(item, index)
        self._settle()

    def _add(self, item: MessageItem, index: int | None = None) -> None:
        item.acted.connect(self._act)
        item.edit_submitted.connect(self.edit_submitted)
        item.step_requested.connect(self.sibling_requested)
        item.link_activated.connect(self.link_activated)
        item.height_changed.connect(self._item_changed)
        item.parts_changed.connect(self._parts_changed)
        self._column.put(item, item.gap, index)
        if index is None:
            self._items[item.message.id] = item
        else:
            self._items = {each.message.id: each for each in self.items}
        self._order_focus(item)
        self._pin_last()

    def _fill(self) -> None:
        """Build from the end upwards until the viewport is full; the rest follows in slices."""
        needed = self.viewport().height()
        while self._waiting and self._column.height() < needed:
            self._build_above(1)
        if self._waiting:
            self._slices.start()

    def _build_slice(self) -> None:
        self._build_above(_SLICE)
        if not self._waiting:
            self._slices.stop()
            self._ask_earlier()

    def _build_above(self, count: int) -> None:
        place = self._reader_place()
        for _ in range(min(count, len(self._waiting))):
            self._add(self._make(self._waiting.pop()), 0)
        self._settle(place)

    def _pin_last(self) -> None:
        """The last message's actions are always shown."""
        for item in (two := self.items[-2:]):
            item.row.set_pinned(item is two[-1])

    def _parts_changed(self) -> None:
        item = self.sender()
        if isinstance(item, MessageItem) and item in self._column.parts:
            self._order_focus(item)

    def _order_focus(self, item: MessageItem) -> None:
        """Tab goes from the top to the bottom, whatever was built first."""
        items = self.items
        index = items.index(item)
        anchor: QWidget = items[index - 1].focus_widgets()[-1] if index else self
        for widget in item.focus_widgets():
            QWidget.setTabOrder(anchor, widget)
            anchor = widget

    # The reader's place

    def _reader_place(self) -> _Place | None:
        """None where the reader is at the end."""
        if self._following:
            return None
        top = self.verticalScrollBar().value()
        for item in self._column.parts:
            y = item.y() + self._column.y()
            if y + item.height() > top:
                return _Place(item, y - top)
        return None

    def _settle(self, place: _Place | None = None) -> None:
        """Lay out for the present width and go back to the reader's place."""
        column = self._theme.size("column") + 2 * OUT
        width = min(self.width() - 2 * _MARGIN, column)
        if width <= 0:
            return
        if place is None:
            place = self._reader_place()
        if self._column.width() != width:
            self._column.fit(width)
        else:
            self._column.place()
        self._column.move((self.width() - width) // 2, _ABOVE)
        self._resize_content(place)

    def _item_changed(self) -> None:
        item = self.sender()
        if not isinstance(item, MessageItem) or item not in self._column.parts:
            return
        place = self._reader_place()
        self._column.refit(item)
        self._resize_content(place)

    def _resize_content(self, place: _Place | None) -> None:
        self._placing = True
        self._content.resize(
            self.viewport().width(), self._column.height() + _ABOVE + _BELOW if self._items else 0
        )
        bar = self.verticalScrollBar()
        if place is None:
            bar.setValue(bar.maximum())
        else:
            bar.setValue(place.item.y() + self._column.y() - place.offset)
        self._placing = False
        self._show_jump()

    def _scrolled(self) -> None:
        if self._placing:
            return
        bar = self.verticalScrollBar()
        self._following = bar.value() >= bar.maximum() - _AT_END
        self._show_jump()
        self._ask_earlier()

    def _ask_earlier(self) -> None:
        near = self.verticalScrollBar().value() < _NEAR_TOP
        if near and self._has_earlier and not self._waiting and not self._asked_earlier:
            self._asked_earlier = True
            self.earlier_requested.emit()

    def _show_jump(self) -> None:
        self._jump.setVisible(not self._following)
        if not self._following:
            size = self._jump.sizeHint()
            self._jump.setGeometry(
                (self.width() - size.width()) // 2,
                self.height() - size.height() - _JUMP_BELOW,
                size.width(),
                size.height(),
            )
            self._jump.raise_()

    # Messages

    def _answer(self) -> AnswerItem | None:
        """The one that is being written."""
        streaming: Iterable[AnswerItem] = (
            item for item in reversed(self.items) if isinstance(item, AnswerItem) and item.streaming
        )
        return next(iter(streaming), None)

    def _show_progress(self, words: str, fraction: float | None) -> None:
        if answer := self._answer():
            answer.show_progress(words, fraction)

    def _act(self, action: str, message_id: str) -> None:
        signal = {
            "copy": self.copy_requested,
            "regenerate": self.regenerate_requested,
            "continue": self.continue_requested,
            "delete": self.delete_requested,
            "retry": self.retry_requested,
        }[action]
        signal.emit(message_id)
