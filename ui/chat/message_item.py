"""A message of the transcript: its text, what is said about it, and what can be done with it."""

from typing import ClassVar

from PySide6.QtCore import QEvent, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QEnterEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from app.conversations.records import Message
from ui.chat.action_row import Action, ActionRow
from ui.chat.edit_field import EditField
from ui.chat.stack import Stack
from ui.kit.painting import RADIUS, rounded
from ui.messages.mathematics import Formulas
from ui.messages.view import MessageView
from ui.theme import Theme


class MessageItem(Stack):
    """What messages of both roles share.

    Signals:
        height_changed: it needs another height.
        edit_begun: the field for rewriting is there.
        parts_changed: there is something else to visit with Tab.
        acted: an action and the message's id.
        edit_submitted: the message's id and its new text.
        details_requested: the `Message`.
        step_requested: the message's id and −1 or 1, for the sibling before or after.
        link_activated: an address.
        selection_dragged: the mouse draws a selection and is at this point of the screen.
    """

    height_changed = Signal()
    parts_changed = Signal()
    edit_begun = Signal()
    acted = Signal(str, str)
    edit_submitted = Signal(str, str)
    details_requested = Signal(object)
    step_requested = Signal(str, int)
    link_activated = Signal(str)
    selection_dragged = Signal(QPoint)

    gap: ClassVar[int] = 16
    """Pixels above the item."""

    def __init__(self, theme: Theme, formulas: Formulas, message: Message) -> None:
        super().__init__()
        self.theme = theme
        self.formulas = formulas
        self.message = message
        self.view: MessageView
        self.row: ActionRow
        self._edit: EditField | None = None
        self._came_from: QWidget | None = None

    @property
    def editing(self) -> EditField | None:
        """The field in which the message is being rewritten."""
        return self._edit

    @property
    def idle(self) -> bool:
        """Nobody is doing anything with the message."""
        focused = QApplication.focusWidget()
        return (
            self._edit is None
            and not self.view.textCursor().hasSelection()
            and not (focused is not None and self.isAncestorOf(focused))
        )

    def focus_widgets(self) -> list[QWidget]:
        """What Tab visits, from top to bottom."""
        return [
            widget
            for part in self.parts
            for widget in (part, *part.findChildren(QWidget))
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not widget.isHidden()
        ]

    def put(self, part: QWidget, gap: int = 0, index: int | None = None, inset: int = 0) -> None:
        super().put(part, gap, index, inset)
        self.parts_changed.emit()

    def begin_edit(self) -> None:
        """Show a field in place of the text."""
        if self._edit is not None:
            return
        self._came_from = QApplication.focusWidget()
        edit = EditField(self.theme, self.message.text, self.save_words())
        edit.submitted.connect(self._submit_edit)
        edit.cancelled.connect(self.end_edit)
        self._edit = edit
        self.text_part().hide()
        self.put(edit, gap=8, index=self.parts.index(self.text_part()) + 1)
        self.row.hide()
        self.height_changed.emit()
        edit.field.setFocus()
        self.edit_begun.emit()

    def end_edit(self) -> None:
        """Show the text again."""
        if self._edit is None:
            return
        self.take(self._edit)
        self._edit = None
        self.text_part().show()
        self.row.show()
        self.height_changed.emit()
        back, self._came_from = self._came_from, None
        if back is not None and isValid(back) and back.isVisible():
            back.setFocus()
        elif button := self.row.button("edit"):
            button.setFocus()

    def show_last(self, last: bool) -> None:
        """Whether it is the last message: what can be done with it is always shown."""
        self.row.set_pinned(last)

    def save_words(self) -> str:
        return self.tr("Save")

    def text_part(self) -> QWidget:
        """What gives way to the field."""
        return self.view

    def action_names(self) -> dict[Action, str]:
        """What can be done with the message, in words."""
        return {}

    def make_row(self, summary: str = "") -> ActionRow:
        message = self.message
        row = ActionRow(
            self.theme,
            self.action_names(),
            message.sibling_index,
            message.sibling_count,
            summary,
        )
        row.triggered.connect(self._act)
        row.step_requested.connect(self._step)
        return row

    def connect_view(self, view: MessageView) -> None:
        view.link_activated.connect(self.link_activated)
        view.selection_dragged.connect(self.selection_dragged)
        view.height_changed.connect(self._refit_view)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.row.set_hovered(True)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.row.set_hovered(False)

    def _act(self, action: str) -> None:
        match action:
            case "edit":
                self.begin_edit()
            case "details":
                self.details_requested.emit(self.message)
            case _:
                self.acted.emit(action, self.message.id)

    def _step(self, step: int) -> None:
        self.step_requested.emit(self.message.id, step)

    def _submit_edit(self, text: str) -> None:
        self.end_edit()
        if text != self.message.text:
            self.edit_submitted.emit(self.message.id, text)

    def _refit_view(self) -> None:
        self.height_changed.emit()


class PersonItem(MessageItem):
    """What the person wrote, on a tinted block."""

    def __init__(self, theme: Theme, formulas: Formulas, message: Message) -> None:
        super().__init__(theme, formulas, message)
        self._block = _TintBlock(theme)
        self.view = MessageView(theme, formulas, "tint", self.tr("Your message"))
        self.connect_view(self.view)
        self._block.put(self.view)
        self.view.show_text(message.text)
        self.put(self._block)
        self.row = self.make_row()
        self.put(self.row)
        self.show_last(False)

    def show_last(self, last: bool) -> None:
        super().show_last(last)
        button = self.row.button("answer")
        if button is not None and button.isHidden() == last:
            button.setVisible(last)  # else it has an answer
            self.parts_changed.emit()

    def save_words(self) -> str:
        return self.tr("Save and send")

    def text_part(self) -> QWidget:
        return self._block

    def action_names(self) -> dict[Action, str]:
        return {
            "copy": self.tr("Copy"),
            "edit": self.tr("Edit"),
            "delete": self.tr("Delete"),
            "answer": self.tr("Answer"),
        }


class _TintBlock(Stack):
    """The ground of a person's message, with room above and below its text."""

    ABOVE, BELOW = 10, 12

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def fit(self, width: int) -> int:
        height = super().fit(width)
        for part in self.parts:
            part.move(part.x(), part.y() + self.ABOVE)
        self.resize(width, height + self.ABOVE + self.BELOW)
        return self.height()

    def paintEvent(self, event: QPaintEvent) -> None:
        ground = self._theme.color("tint")
        rounded(QPainter(self), QRectF(self.rect()), RADIUS, ground)
