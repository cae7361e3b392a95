"""Where a person writes: the field, the state of the model, and the one button that sends or stops."""

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.answer_pace import Pace
from app.context_use import ContextUse
from ui.chat.composer_field import ComposerField
from ui.chat.leaving import LEAVES_ICON
from ui.chat.status import ContextMeter, ModelStatus
from ui.kit import Button, Icon
from ui.kit.painting import RADIUS, rounded
from ui.kit.tooltips import plain_tooltip
from ui.theme import Theme

DRAFT_PAUSE_MS = 400
"""How long typing must pause before the draft is reported."""

_COUNTED_AT_ONCE = 20_000
"""Characters of a draft that are read at every key; a longer one is read when typing pauses."""


class Composer(QWidget):
    """A message in the making.

    Signals:
        message_submitted(str): a person sent this; the field is empty already.
        stop_requested: the answer shall end here.
        edit_last_requested: Up in the empty field.
        draft_changed(str): what stands in the field, after a pause in typing.
    """

    message_submitted = Signal(str)
    stop_requested = Signal()
    edit_last_requested = Signal()
    draft_changed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._busy = False
        self._reason = ""
        self._goes = ""
        self._follows = False
        self._blank = True
        self._field = ComposerField(theme)
        self._field.setAccessibleName(self.tr("Message"))
        self._status = ModelStatus(theme)
        self._leaving = Icon(theme, LEAVES_ICON, 16, "text3")
        self._leaving.hide()
        self._meter = ContextMeter(theme)
        self._use = ContextUse()
        self._size = 0
        self._next_to_leave = ""
        self._button = Button(theme, self.tr("Stop"), "primary", "stop-fill", self.tr("Esc"))
        # As wide as "Stop" with its hint, so that nothing moves when the words change.
        self._button.setFixedWidth(self._button.sizeHint().width())
        self._draft = QTimer(self, singleShot=True, interval=DRAFT_PAUSE_MS)
        self.setFocusProxy(self._field)
        self.setCursor(Qt.CursorShape.IBeamCursor)
        self._lay_out()
        self._connect()
        self._refresh()

    @property
    def text(self) -> str:
        return self._field.text()

    def take_focus(self) -> None:
        self._field.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_draft(self, text: str) -> None:
        """Replace what stands in the field. A change not yet reported is dropped: flush first."""
        self._field.set_text(text)
        self._draft.stop()

    def insert(self, text: str) -> None:
        """Write a text where the cursor is, apart from the words around it."""
        self._field.insert_words(text)
        self.take_focus()

    def type(self, text: str) -> None:
        """Go on writing with this, which was typed elsewhere."""
        self.take_focus()
        if not self._field.isReadOnly():
            self._field.insertPlainText(text)

    def flush_draft(self) -> None:
        """Report a change at once that waits for a pause: before another chat is shown."""
        if self._draft.isActive():
            self._draft.stop()
            self.draft_changed.emit(self._field.text())

    def show_busy(self, busy: bool) -> None:
        """While an answer is written, the button stops it and Enter waits."""
        self._busy = busy
        self._refresh()

    def show_follow_up(self, follows: bool) -> None:
        """Whether messages stand above already."""
        self._follows = follows
        self._refresh()

    def show_unavailable(self, reason: str) -> None:
        """Nothing can be sent, and this is why; an empty reason takes it back."""
        self._reason = reason
        self._refresh()

    def show_context(self, used: int, size: int, next_to_leave: str = "") -> None:
        """Tokens that the chat uses of the context, without the draft; a `size` of 0 hides the meter."""
        self._use.know(used)
        self._size = size
        self._next_to_leave = next_to_leave
        self._show_use()

    def show_exact_count(self, draft: str, tokens: int) -> None:
        """The chat and this draft come to so many tokens, as the model counts."""
        self._use.count_exactly(draft, tokens)
        self._show_use()

    def show_speed(self, tokens_per_second: float) -> None:
        self._status.show_speed(tokens_per_second)

    def show_pace(self, pace: Pace) -> None:
        """How far the answer of the shown chat is."""
        self._use.run(pace.tokens)
        self._show_use()
        self._status.show_pace(pace)

    def show_leaving(self, words: str) -> None:
        """To whom what is written goes; empty where it stays on this computer."""
        self._leaving.setVisible(bool(words))
        self._leaving.setToolTip(plain_tooltip(words))
        self._goes = words
        self._refresh()

    def show_model_state(self, words: str) -> None:
        self._status.show_state(words)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._field.setFocus(Qt.FocusReason.MouseFocusReason)

    def paintEvent(self, event: QPaintEvent) -> None:
        edge = "ring" if self._field.hasFocus() else "border"
        rounded(
            QPainter(self),
            QRectF(self.rect()),
            RADIUS,
            self._theme.color("raised"),
            self._theme.color(edge),
        )

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setSpacing(16)
        status = QHBoxLayout()
        status.setSpacing(6)
        status.addWidget(self._leaving)
        status.addWidget(self._status, 1)
        bar.addLayout(status, 1)
        bar.addWidget(self._meter)
        bar.addWidget(self._button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 8, 8)
        column.setSpacing(12)
        column.addWidget(self._field)
        column.addLayout(bar)
        self._button.setCursor(Qt.CursorShape.ArrowCursor)
        self._leaving.setCursor(Qt.CursorShape.ArrowCursor)
        self._status.setCursor(Qt.CursorShape.ArrowCursor)
        self._meter.setCursor(Qt.CursorShape.ArrowCursor)

    def _connect(self) -> None:
        self._field.submitted.connect(self._submit)
        self._field.escaped.connect(self._escape)
        self._field.previous_wanted.connect(self.edit_last_requested)
        self._field.paste_refused.connect(self._refuse_paste)
        self._field.focus_changed.connect(self.update)
        self._field.textChanged.connect(self._text_changed)
        self._button.clicked.connect(self._press)
        self._draft.timeout.connect(self._report_draft)

    def _show_use(self) -> None:
        used = self._use.tokens
        self._meter.show_usage(used, self._size if used else 0, self._next_to_leave)

    def _refresh(self) -> None:
        if self._busy:
            self._button.set_words(self.tr("Stop"), "stop-fill", self.tr("Esc"))
        else:
            self._button.set_words(self.tr("Send"), "arrow-up")
        usable = self._busy or not (self._blank or self._reason)
        if self._button.hasFocus() and not usable:
            # Qt would pass the focus to whatever comes next.
            self.take_focus()
        self._button.setEnabled(usable)
        self._field.setReadOnly(bool(self._reason))
        hint = self._reason or self._invitation()
        self._field.set_hint(hint)
        if self._goes:
            self._field.setAccessibleDescription(f"{hint}. {self._goes}")
        # A draft hides the hint; the reason must be seen even so.
        self._status.show_warning(self._reason if not self._blank else "")

    def _invitation(self) -> str:
        return self.tr("Ask a follow-up") if self._follows else self.tr("Write a message")

    def _text_changed(self) -> None:
        self._draft.start()
        self._blank = self._field.is_blank()
        if self._field.document().characterCount() <= _COUNTED_AT_ONCE:
            self._count_draft(self._field.text())
        self._refresh()

    def _press(self) -> None:
        if self._busy:
            self.stop_requested.emit()
        else:
            self._submit()

    def _escape(self) -> None:
        if self._busy:
            self.stop_requested.emit()

    def _submit(self) -> None:
        if self._blank or self._reason:
            return
        if self._busy:
            self._status.show_warning(self.tr("The answer is still being written. Esc stops it."))
            return
        text = self._field.text().strip()
        self._field.set_text("")
        self._draft.stop()
        self.message_submitted.emit(text)
        self.draft_changed.emit("")
        self.take_focus()

    def _report_draft(self) -> None:
        text = self._field.text()
        self._count_draft(text)
        self.draft_changed.emit(text)

    def _count_draft(self, text: str) -> None:
        self._use.draft(text)
        self._show_use()

    def _refuse_paste(self, characters: int) -> None:
        self._status.show_warning(
            self.tr("{count} characters are too many to paste.").format(count=f"{characters:,}")
        )
