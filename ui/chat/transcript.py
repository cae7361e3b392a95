"""The messages of a chat, below each other, and the reader's place in them."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QSize, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from app.conversations.records import Message, Page, ReadingPlace
from app.formatting import tokens_text
from ui.background import Background
from ui.chat.answer_item import AnswerItem
from ui.chat.message_item import MessageItem, PersonItem
from ui.chat.reading_area import Place, ReadingArea
from ui.messages.imports import warm_up
from ui.messages.mathematics import Formulas
from ui.theme import Theme

_NEAR_TOP = 600
_SLICE = 3
_SLICE_MS = 15
_TIDY_AFTER_MS = 400
_WARM_AFTER_MS = 400

_LINE_LENGTH, _LINE_HEIGHT, _ROW_HEIGHT = 95, 23, 48

_KEPT = 90
_KEPT_AT_END = 20
_NEAR, _FAR = 1.5, 4.0


class _Blank(QWidget):
    """Stands for a message that is far from the reader, at its height, as far as that is known."""

    def __init__(self, message: Message, height: int) -> None:
        super().__init__()
        self.message = message
        self._height = height

    def sizeHint(self) -> QSize:
        return QSize(0, self._height)


class Transcript(ReadingArea):
    """Shows a branch of a conversation from its end upwards.

    The first paint waits only for what fills the viewport; the rest is built in slices above it.
    Of very many messages, those far from the reader are blanks of the same height.

    Signals:
        copy_requested, regenerate_requested, continue_requested, delete_requested,
        retry_requested: a message's id; to regenerate may be meant of a question without an answer.
        services_requested: the id of an answer that a service failed to write: the person wants to see
            how it is connected.
        plain_regenerate_requested: the id of an answer that shall be written without adapters.
        details_requested: the `Message` whose making is of interest.
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
    services_requested = Signal(str)
    plain_regenerate_requested = Signal(str)
    details_requested = Signal(object)
    earlier_requested = Signal()
    link_activated = Signal(str)

    def __init__(self, theme: Theme, background: Background, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._background = background
        self._formulas = Formulas(background, self)
        self._waiting: list[Message] = []
        self._parts: dict[str, MessageItem | _Blank] = {}
        self._has_earlier = False
        self._asked_earlier = False
        self._warm = False
        self.setAccessibleName(self.tr("Messages"))
        # Between two slices, what is there is painted.
        self._slices = self._timer(_SLICE_MS, self._build_slice, once=False)
        self._tidying = self._timer(_TIDY_AFTER_MS, self._release_far)
        self._warming = self._timer(_WARM_AFTER_MS, self._warm_up)
        self.moved.connect(self._moved)

    @property
    def items(self) -> list[MessageItem]:
        """The messages that are built, from the top."""
        return [part for part in self._parts.values() if isinstance(part, MessageItem)]

    # What is shown

    def show_page(self, page: Page, place: ReadingPlace | None = None) -> None:
        """Show the end of a branch, in place of whatever was shown, or that place in it."""
        self.clear()
        self._has_earlier = page.has_earlier
        self._waiting = list(page.messages)
        ids = [message.id for message in page.messages]
        if place is not None and place.message_id in ids:
            self._show_at(place, ids.index(place.message_id))
        else:
            self._fill()
            self.jump_to_end()

    def reading_place(self) -> ReadingPlace | None:
        """Where the reader is, in any width; None at the end."""
        place = self.place()
        if place is None or not isinstance(place.part, MessageItem | _Blank):
            return None
        return ReadingPlace(place.part.message.id, -place.offset / max(place.part.height(), 1))

    def top_of(self, message_id: str) -> int:
        """How far below the upper edge of what is seen a message begins, in pixels."""
        part = self._parts.get(message_id)
        return part.y() + self.column.y() - self.above if part is not None else 0

    def prepend_page(self, page: Page) -> None:
        """Earlier messages; the reader's place is kept."""
        self._has_earlier = page.has_earlier
        self._asked_earlier = False
        known = {message.id for message in self._waiting} | self._parts.keys()
        self._waiting[:0] = [message for message in page.messages if message.id not in known]
        self._slices.start()

    def append_message(self, message: Message) -> None:
        """A new message at the end. The view goes there: the person has just sent it."""
        self._put(self._make(message))
        self.jump_to_end()

    def clear(self) -> None:
        """Show nothing."""
        self._slices.stop()
        self._tidying.stop()
        self._waiting.clear()
        for part in self.column.parts:
            self.column.take(part)
        self._parts.clear()
        self._has_earlier = self._asked_earlier = False
        self.jump_to_end()

    # The answer that is being written

    def begin_answer(self, message: Message) -> None:
        """An answer is going to be written at the end, after the text that it has already."""
        if old := self._parts.pop(message.id, None):
            self.column.take(old)
        self._put(AnswerItem(self._theme, self._formulas, message, streaming=True))

    def add_text(self, text: str) -> None:
        if answer := self._answer():
            answer.add_text(text)

    def add_reasoning(self, text: str) -> None:
        if answer := self._answer():
            answer.add_reasoning(text)

    def show_prompt_progress(self, done: int, total: int) -> None:
        """Tokens of the prompt that were read, of `total`; without those that were known already."""
        if total <= 0:
            return
        words = self.tr("Reading the chat, {done} of {total}").format(
            done=f"{done:,}", total=tokens_text(total)
        )
        self._show_progress(words, min(max(done / total, 0.0), 1.0))

    def show_loading(self, name: str, fraction: float) -> None:
        """The model is being loaded; `fraction` from 0 to 1."""
        self._show_progress(self.tr("Loading {model}").format(model=name), fraction)

    def show_waiting(self) -> None:
        """Another answer is being written first."""
        self._show_progress(self.tr("Waiting for another answer to finish"), None)

    def finish_answer(self, message: Message) -> None:
        """The answer has ended and is stored."""
        item = self._parts.get(message.id)
        if isinstance(item, AnswerItem):
            item.finish(message)

    # What others ask

    def first_message_id(self) -> str:
        """The earliest message that was handed over, empty where there is none."""
        if self._waiting:
            return self._waiting[0].id
        return next(iter(self._parts), "")

    def last_answer_text(self) -> str:
        """The Markdown of the last answer, empty where there is none."""
        answers = [item for item in self.items if isinstance(item, AnswerItem)]
        return answers[-1].written if answers else ""

    def edit_last_question(self) -> None:
        """Rewrite the person's last message."""
        questions = [item for item in self.items if isinstance(item, PersonItem)]
        if questions:
            questions[-1].begin_edit()

    def holds(self, focused: QObject) -> bool:
        """Whether that is a part of the transcript."""
        return focused is self or (isinstance(focused, QWidget) and self.isAncestorOf(focused))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._warm:
            self._warm = True
            self._warming.start()

    def _timer(self, interval_ms: int, slot: Callable[[], None], *, once: bool = True) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(once)
        timer.setInterval(interval_ms)
        timer.timeout.connect(slot)
        return timer

    def _warm_up(self) -> None:
        self._background.run(self, warm_up)

    # Building

    def _make(self, message: Message) -> MessageItem:
        kind = PersonItem if message.role == "user" else AnswerItem
        return kind(self._theme, self._formulas, message)

    def _put(self, item: MessageItem) -> None:
        self._add(item, len(self._parts))
        self.settle()

    def _add(self, item: MessageItem, index: int) -> None:
        item.acted.connect(self._act)
        item.details_requested.connect(self.details_requested)
        item.edit_submitted.connect(self.edit_submitted)
        item.edit_begun.connect(self._show_edit)
        item.step_requested.connect(self.sibling_requested)
        item.link_activated.connect(self.link_activated)
        item.selection_dragged.connect(self.scroll_towards)
        item.height_changed.connect(self._item_changed)
        item.parts_changed.connect(self._parts_changed)
        self._hold(item, item.gap, index)
        self._order_focus(item)
        self._pin_last()

    def _hold(self, part: MessageItem | _Blank, gap: int, index: int) -> None:
        self.column.put(part, gap, index)
        if index == len(self._parts):
            self._parts[part.message.id] = part
            return
        parts = [*self._parts.values()]
        parts.insert(index, part)
        self._parts = {each.message.id: each for each in parts}

    def _swap(self, old: MessageItem | _Blank, new: MessageItem) -> None:
        """Put an item where another part of the same message was."""
        place = self.place()
        index = self.column.parts.index(old)
        self.column.take(old)
        del self._parts[old.message.id]
        self._add(new, index)
        if place is not None and place.part is old:
            place = Place(new, place.offset)
        self.settle(place)

    def _show_at(self, place: ReadingPlace, index: int) -> None:
        """Build what is seen there, and a message above it; of what lies far below, only the room."""
        needed = max(place.below, 0) + 2 * self.viewport().height()
        below, self._waiting = self._waiting[index:], self._waiting[: index + 1]
        target = self._build_last()
        unseen = iter(below[1:])
        while self.column.height() - round(place.part * target.height()) < needed:
            if (message := next(unseen, None)) is None:
                break
            self._add(self._make(message), len(self._parts))
            self.column.place()
        for message in unseen:
            self._hold(_Blank(message, _height_of(message)), MessageItem.gap, len(self._parts))
        while self._waiting and target.y() < max(place.below, 0):
            self._build_last()
        self.keep_at(target, place.part, place.below)
        if self._waiting:
            self._slices.start()

    def _build_last(self) -> MessageItem:
        """Of what waits, the last is put on top."""
        item = self._make(self._waiting.pop())
        self._add(item, 0)
        self.column.place()
        return item

    def _fill(self) -> None:
        """Build from the end upwards until the viewport is full; the rest follows in slices."""
        needed = self.viewport().height()
        while self._waiting and self.column.height() < needed:
            self._build_above(1)
        if self._waiting:
            self._slices.start()

    def _build_slice(self) -> None:
        self._build_above(_SLICE)
        if not self._waiting:
            self._slices.stop()
            self._ask_earlier()

    def _build_above(self, count: int) -> None:
        place = self.place()
        for _ in range(min(count, len(self._waiting))):
            self._add(self._make(self._waiting.pop()), 0)
        self.settle(place)

    def _moved(self) -> None:
        if self._waiting:
            self._fill()
        for part in self.parts_near(_NEAR):
            if isinstance(part, _Blank):
                self._swap(part, self._make(part.message))
        self._ask_earlier()
        if len(self._parts) > _KEPT:
            self._tidying.start()

    def _ask_earlier(self) -> None:
        near = self.above < _NEAR_TOP
        if near and self._has_earlier and not self._waiting and not self._asked_earlier:
            self._asked_earlier = True
            self.earlier_requested.emit()

    def _release_far(self) -> None:
        """Give the memory of messages back that nobody is looking at."""
        place = self.place()
        near = set(self.parts_near(_FAR))
        for index, item in enumerate([*self._parts.values()][:-_KEPT_AT_END]):
            if isinstance(item, MessageItem) and item not in near and item.idle:
                self.column.take(item)
                del self._parts[item.message.id]
                self._hold(_Blank(item.message, item.height()), item.gap, index)
        self.settle(place)

    def _item_changed(self) -> None:
        item = self.sender()
        if isinstance(item, MessageItem) and item in self.column.parts:
            self.settle_part(item)

    def _show_edit(self) -> None:
        item = self.sender()
        if isinstance(item, MessageItem) and item.editing is not None:
            self.show_part(item.editing)

    def _pin_last(self) -> None:
        """The last message's actions are always shown."""
        for item in (two := self.items[-2:]):
            item.show_last(item is two[-1])

    def _parts_changed(self) -> None:
        item = self.sender()
        if isinstance(item, MessageItem) and item in self.column.parts:
            self._order_focus(item)

    def _order_focus(self, item: MessageItem) -> None:
        """Tab goes from the top to the bottom, whatever was built first."""
        items = self.items
        index = items.index(item)
        anchor: QWidget = items[index - 1].focus_widgets()[-1] if index else self
        for widget in item.focus_widgets():
            QWidget.setTabOrder(anchor, widget)
            anchor = widget

    # Messages

    def _answer(self) -> AnswerItem | None:
        """The one that is being written."""
        last = next(reversed(self._parts.values()), None)
        return last if isinstance(last, AnswerItem) and last.streaming else None

    def _show_progress(self, words: str, fraction: float | None) -> None:
        if answer := self._answer():
            answer.show_progress(words, fraction)

    def _act(self, action: str, message_id: str) -> None:
        signal = {
            "copy": self.copy_requested,
            "regenerate": self.regenerate_requested,
            "regenerate_plain": self.plain_regenerate_requested,
            "continue": self.continue_requested,
            "delete": self.delete_requested,
            "retry": self.retry_requested,
            "services": self.services_requested,
            "answer": self.regenerate_requested,
        }[action]
        signal.emit(message_id)


def _height_of(message: Message) -> int:
    """About, for a message that nobody has seen yet."""
    lines = sum(1 + len(line) // _LINE_LENGTH for line in message.text.split("\n"))
    return lines * _LINE_HEIGHT + _ROW_HEIGHT
