"""The row below a message: act on it, walk its siblings, and what it cost."""

from typing import Literal

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from ui.kit import ElidedLabel, IconButton, Label
from ui.messages.formats import OUT
from ui.theme import Theme

Action = Literal[
    "copy", "edit", "regenerate", "regenerate_plain", "continue", "delete", "details", "answer"
]

_ICONS: dict[Action, str] = {
    "copy": "copy-simple",
    "edit": "pencil-simple",
    "regenerate": "arrow-clockwise",
    "regenerate_plain": "stack-simple",
    "continue": "arrow-elbow-down-right",
    "delete": "trash",
    "details": "info",
    "answer": "chat-circle-text",
}
_BOX = 28
_ICON = 16


class ActionRow(QWidget):
    """Buttons that show when they are wanted. The row's height stays, so that nothing jumps.

    Signals:
        triggered: one of the actions was chosen.
        step_requested: −1 for the sibling before, 1 for the one after.
    """

    triggered = Signal(str)
    step_requested = Signal(int)

    def __init__(
        self,
        theme: Theme,
        actions: dict[Action, str],
        sibling_index: int,
        sibling_count: int,
        summary: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._hovered = False
        self._pinned = False
        self._usable = True
        self._buttons: list[IconButton] = []
        row = QHBoxLayout(self)
        # The glyph, not its box, stands on the edge of the text.
        row.setContentsMargins(OUT - (_BOX - _ICON) // 2, 0, OUT, 0)
        row.setSpacing(0)
        for action, name in actions.items():
            button = self._button(theme, _ICONS[action], name, _ICON)
            button.setProperty("action", action)
            button.clicked.connect(self._trigger)
            row.addWidget(button)
        if sibling_count > 1:
            # Behind the buttons, which then stay where they were: one asks for another answer again.
            row.addSpacing(4)
            self._add_siblings(theme, row, sibling_index, sibling_count)
        row.addSpacing(16)
        # Figures stand at the right and give way first.
        self._summary = ElidedLabel(theme, summary, "small", "text3", tabular=True)
        self._summary.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._summary.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        row.addWidget(self._summary, 1)
        self._veil = _Veil(theme, self)
        self._veil.raise_()

    @property
    def buttons(self) -> tuple[IconButton, ...]:
        return tuple(self._buttons)

    @property
    def pinned(self) -> bool:
        return self._pinned

    def button(self, action: Action) -> IconButton | None:
        return next((each for each in self._buttons if each.property("action") == action), None)

    def set_hovered(self, hovered: bool) -> None:
        """The mouse is over the message."""
        self._hovered = hovered
        self._update_veil()

    def set_pinned(self, pinned: bool) -> None:
        """Always shown: for the last answer."""
        self._pinned = pinned
        self._update_veil()

    def set_usable(self, usable: bool) -> None:
        """Below an answer that is being written there is nothing to do yet."""
        self._usable = usable
        for button in self._buttons:
            button.setEnabled(usable)
        self._update_veil()

    def sizeHint(self) -> QSize:
        return QSize(0, _BOX)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self._update_veil(focused=event.type() == QEvent.Type.FocusIn)
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._veil.setGeometry(self.rect())

    def _add_siblings(self, theme: Theme, row: QHBoxLayout, index: int, count: int) -> None:
        before = self._button(theme, "caret-left", self.tr("Previous version"), 14)
        before.setEnabled(index > 0)
        before.clicked.connect(self._step_back)
        after = self._button(theme, "caret-right", self.tr("Next version"), 14)
        after.setEnabled(index < count - 1)
        after.clicked.connect(self._step_on)
        number = Label(theme, f"{index + 1}/{count}", "smallmd", "text2", tabular=True)
        number.setAlignment(Qt.AlignmentFlag.AlignCenter)
        number.setMinimumWidth(24)
        number.setAccessibleName(
            self.tr("Version {number} of {count}").format(number=index + 1, count=count)
        )
        row.addWidget(before)
        row.addWidget(number)
        row.addWidget(after)

    def _button(self, theme: Theme, icon: str, name: str, size: int) -> IconButton:
        button = IconButton(theme, icon, name, box=_BOX, size=size)
        button.installEventFilter(self)
        self._buttons.append(button)
        return button

    def _trigger(self) -> None:
        self.triggered.emit(self.sender().property("action"))

    def _step_back(self) -> None:
        self.step_requested.emit(-1)

    def _step_on(self) -> None:
        self.step_requested.emit(1)

    def _update_veil(self, focused: bool | None = None) -> None:
        if focused is None:
            focused = any(button.hasFocus() for button in self._buttons)
        self._veil.show_below(self._usable and (self._hovered or self._pinned or focused))


class _Veil(QWidget):
    """The ground of the page, laid over the row and drawn away: no effect, no layout is touched."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._opacity = 1.0
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._fade = QVariantAnimation(self)
        self._fade.valueChanged.connect(self._set_opacity)

    def show_below(self, shown: bool) -> None:
        """Fade away, or back in."""
        end = 0.0 if shown else 1.0
        duration = self._theme.duration("fade_actions") if self.isVisible() else 0
        self._fade.stop()
        if duration == 0 or self._opacity == end:
            self._set_opacity(end)
            return
        self._fade.setDuration(duration)
        self._fade.setStartValue(self._opacity)
        self._fade.setEndValue(end)
        self._fade.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = self._theme.color("page")
        color.setAlphaF(self._opacity)
        QPainter(self).fillRect(self.rect(), color)

    def _set_opacity(self, opacity: float) -> None:
        self._opacity = opacity
        self.update()
