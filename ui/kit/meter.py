"""A bar that shows how much: progress, or how full the context is."""

from PySide6.QtCore import QEasingCurve, QRectF, QVariantAnimation
from PySide6.QtGui import QHideEvent, QPainter, QPainterPath, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QProgressBar, QWidget

from ui.theme import Theme

_WARN_ABOVE = 0.75


class Meter(QProgressBar):
    """A thin bar over a track. With `warns` it turns amber above three quarters."""

    def __init__(
        self,
        theme: Theme,
        name: str = "",
        *,
        warns: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._warns = warns
        self._fraction: float | None = 0.0
        self._shown = 0.0
        self._still = False
        self._motion = QVariantAnimation(self)
        self._motion.valueChanged.connect(self._move)
        self.setAccessibleName(name)
        self.setTextVisible(False)
        self.setRange(0, 1000)
        self.setFixedHeight(4)

    @property
    def fraction(self) -> float | None:
        return self._fraction

    def set_still(self, still: bool) -> None:
        """Grey while nothing goes on."""
        self._still = still
        self.update()

    def set_fraction(self, fraction: float | None) -> None:
        """Show a part of one; None where it is not known how much there is to do."""
        if fraction == self._fraction:
            return
        unknown_before = self._fraction is None
        self._fraction = None if fraction is None else min(max(fraction, 0.0), 1.0)
        self._motion.stop()
        if self._fraction is None:
            self._wander()
            return
        # Permille: a byte count of a large download does not fit in the bar's integer.
        self.setValue(round(self._fraction * 1000))
        if unknown_before or self._fraction < self._shown or not self.isVisible():
            self._move(self._fraction)
            return
        self._animate(self._shown, self._fraction, self._theme.duration("progress"), loops=1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect())
        outline = QPainterPath()
        outline.addRoundedRect(rect, rect.height() / 2, rect.height() / 2)
        painter.fillPath(outline, self._theme.color("track"))
        painter.setClipPath(outline)
        width = rect.width()
        if self._fraction is None:
            part = QRectF((self._shown * 1.3 - 0.3) * width, 0, width * 0.3, rect.height())
        else:
            part = QRectF(0, 0, width * self._shown, rect.height())
        role = "disabled" if self._still else "accent"
        if self._warns and (self._fraction or 0) > _WARN_ABOVE:
            role = "warn"
        painter.fillRect(part, self._theme.color(role))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._fraction is None:
            self._wander()

    def hideEvent(self, event: QHideEvent) -> None:
        self._motion.stop()
        if self._fraction is not None:
            self._shown = self._fraction
        super().hideEvent(event)

    def _wander(self) -> None:
        if self.isVisible() and self._theme.duration("progress"):
            self._animate(0.0, 1.0, 1600, loops=-1)
        else:
            self._move(0.5)

    def _animate(self, start: float, end: float, duration: int, loops: int) -> None:
        if not duration:
            self._move(end)
            return
        self._motion.setEasingCurve(QEasingCurve.Type.Linear)
        self._motion.setStartValue(start)
        self._motion.setEndValue(end)
        self._motion.setDuration(duration)
        self._motion.setLoopCount(loops)
        self._motion.start()

    def _move(self, value: float) -> None:
        self._shown = value
        self.update()
