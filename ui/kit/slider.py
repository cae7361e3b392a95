"""A slider over real numbers."""

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSlider, QWidget

from ui.kit.painting import came_by_keyboard
from ui.kit.wheel import LeavesWheel
from ui.theme import Theme

_KNOB = 14


class Slider(LeavesWheel, QSlider):
    """Slides over numbers in steps. The default is marked by a tick under the groove, which is filled
    from `origin`, else from its left end.

    Signals:
        number_changed: a person moved it.
    """

    number_changed = Signal(float)

    def __init__(
        self,
        theme: Theme,
        name: str,
        *,
        minimum: float = 0,
        maximum: float = 1,
        step: float = 0.01,
        decimals: int = 2,
        origin: float | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self._minimum = minimum
        self._maximum = maximum
        self._step = step
        self._decimals = decimals
        self._origin = minimum if origin is None else origin
        self._quiet = False
        self._default: float | None = None
        self._ring = False
        self._moving = False
        self.setAccessibleName(name)
        self.setRange(0, max(1, round((maximum - minimum) / step)))
        self.setPageStep(max(1, self.maximum() // 10))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedHeight(24)
        self.setMinimumWidth(48)
        self.valueChanged.connect(self._report)

    @property
    def number(self) -> float:
        return round(self._minimum + self.value() * self._step, 10)

    @property
    def range(self) -> tuple[float, float, float]:
        """The smallest number, the largest, and the step between two of them."""
        return self._minimum, self._maximum, self._step

    @property
    def words(self) -> str:
        """The number as the field beside shows it, for a screen reader."""
        return f"{self.number:,.{self._decimals}f}"

    def move_to(self, number: float) -> None:
        """As a person moves it, who hears it rather than sees it."""
        self.setValue(round((number - self._minimum) / self._step))

    def set_number(self, number: float) -> None:
        """Show a number, without a signal; the nearest end stands for what lies beyond the range."""
        self._moving = True
        self.setValue(round((number - self._minimum) / self._step))
        self._moving = False
        self.update()

    def set_default(self, default: float) -> None:
        """The number to mark."""
        self._default = default
        self.update()

    def set_quiet(self, quiet: bool) -> None:
        """Whether what it says has no effect for now, though it can be moved."""
        self._quiet = quiet
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.setValue(self._value_at(event.position()))
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self.setValue(self._value_at(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.setSliderDown(False)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._ring = came_by_keyboard(event, self._ring)
        super().focusInEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = self._theme.color
        middle = self.height() / 2
        x = self._x_of(self.value())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("track"))
        painter.drawRoundedRect(QRectF(0, middle - 2, self.width(), 4), 2, 2)
        painter.setBrush(color("disabled" if self._quiet or not self.isEnabled() else "accent"))
        start = self._x_of((self._origin - self._minimum) / self._step)
        start = 0.0 if self._origin <= self._minimum else start
        painter.drawRoundedRect(QRectF(min(start, x), middle - 2, abs(x - start), 4), 2, 2)
        if self._default is not None:
            tick = self._x_of((self._default - self._minimum) / self._step)
            painter.fillRect(QRectF(round(tick) - 0.5, middle + 5, 1, 3), color("border"))
        knob = QPointF(x, middle)
        if self._ring and self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(color("ring"), 2))
            # At the ends of the groove the ring is narrower, so that none of it is cut off.
            left, right = max(1.0, x - 9.5), min(self.width() - 1.0, x + 9.5)
            painter.drawRoundedRect(QRectF(left, middle - 9.5, right - left, 19), 9.5, 9.5)
        painter.setBrush(color("knob"))
        edge = "border" if self._theme.name == "light" else "page"
        painter.setPen(QPen(color(edge), 1))
        painter.drawEllipse(knob, _KNOB / 2 - 0.5, _KNOB / 2 - 0.5)

    def _report(self) -> None:
        if not self._moving:
            self.number_changed.emit(self.number)

    def _x_of(self, value: float) -> float:
        inset = _KNOB / 2
        return inset + (self.width() - 2 * inset) * value / self.maximum()

    def _value_at(self, position: QPointF) -> int:
        start, end = self._x_of(0), self._x_of(self.maximum())
        return round((position.x() - start) / (end - start) * self.maximum())
