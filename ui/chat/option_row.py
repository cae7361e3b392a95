"""What the settings of the inspector share: a title, the way back to the default, and words below."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QGridLayout, QLayout, QVBoxLayout, QWidget

from app.options import Option, Value
from ui.kit import IconButton, Label, Paragraph
from ui.theme import Theme

TITLE_WIDTH = 100
_RESET_BOX = 20
_INSIDE = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class OptionRow(QWidget):
    """One setting. What it is set with is a subclass's, one for each kind of option.

    Signals:
        changed(str, object): key and value; a person changed it, within what the option takes.
        reset_requested(str): key; back to the default.
        pointed_at(object): the option that pointer or focus came to, or None when they left.
    """

    changed = Signal(str, object)
    reset_requested = Signal(str)
    pointed_at = Signal(object)

    def __init__(self, theme: Theme, option: Option, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.option = option
        self._value: Value = option.default
        self._default: Value = option.default
        self._title = Label(theme, self.tr(option.title), "body", "text2")
        self._reset = IconButton(
            theme,
            "arrow-counter-clockwise",
            self.tr("Reset {title}").format(title=self.tr(option.title)),
            box=_RESET_BOX,
            size=13,
        )
        self._reset.clicked.connect(self.request_reset)
        self._words = Paragraph(theme, "", "small", "warn")
        self._words.hide()
        self.watch(self._reset)

    @property
    def value(self) -> Value:
        return self._value

    @property
    def title_width(self) -> int:
        """Pixels that the title needs where it has a column of its own, else 0."""
        return 0

    def set_title_width(self, width: int) -> None:
        """As wide as the widest of its neighbours."""
        if self.title_width:
            self._title.setFixedWidth(width)

    def show_value(self, value: Value, default: Value) -> None:
        """Show a value, and the way back where it is not the default."""
        self._value = value
        self._default = default
        self._reset.setVisible(value != default)
        self.show_control(value, default)

    def show_words(self, words: str, role: str = "warn") -> None:
        """What should be known about the value, under the control; empty for nothing."""
        self._words.set_role(role)
        self._words.set_text(words)
        self._words.setVisible(bool(words))

    def flush(self) -> None:
        """Report at once what waits for a pause: before other values are shown."""

    def show_control(self, value: Value, default: Value) -> None:
        """Let the control show a value, without a signal."""
        raise NotImplementedError

    def main_control(self) -> QWidget:
        """What gets the focus when the way back has been taken."""
        raise NotImplementedError

    def enterEvent(self, event: QEnterEvent) -> None:
        self.pointed_at.emit(self.option)

    def leaveEvent(self, event: QEvent) -> None:
        self.pointed_at.emit(None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn:
            self.pointed_at.emit(self.option)
        elif event.type() == QEvent.Type.FocusOut:
            self.pointed_at.emit(None)
        return False

    def watch(self, control: QWidget) -> None:
        """The focus in this control points at the setting."""
        control.installEventFilter(self)

    def take(self, value: Value) -> None:
        """A person has set it to this."""
        if value == self._value:
            return
        self.show_value(value, self._default)
        self.changed.emit(self.option.key, value)

    def put_beside_title(self, control: QWidget) -> None:
        """One line: the title, and the control in what is left, with the way back inside it."""
        line = QGridLayout()
        line.setContentsMargins(0, 4, 0, 4)
        line.setHorizontalSpacing(4)
        line.addWidget(self._title, 0, 0)
        line.addWidget(control, 0, 1)
        line.addWidget(self._reset, 0, 1, _INSIDE)
        self._reset.raise_()
        line.setColumnStretch(1, 1)
        self.put_lines(line)

    def put_lines(self, *lines: QLayout) -> None:
        """The lines below each other, and the words that may come under them."""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for line in lines:
            column.addLayout(line)
        column.addWidget(self._words)

    def request_reset(self) -> None:
        """Go back to the default."""
        self.show_words("")
        self.show_value(self._default, self._default)
        self.main_control().setFocus(Qt.FocusReason.OtherFocusReason)
        self.reset_requested.emit(self.option.key)


def keep_place(widget: QWidget) -> None:
    """Nothing around it moves when it comes or goes."""
    policy = widget.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    widget.setSizePolicy(policy)
