"""What the composer's bar tells: the model's state in words, its speed, how full the context is."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.answer_pace import Pace
from app.formatting import time_left_text, token_speed_text
from ui.kit import ElidedLabel, Label, Meter
from ui.theme import Theme

_BEGINNING = 60  # characters of a turn that tell which one it is


class ContextMeter(QWidget):
    """Tokens used of the context, and what leaves when it is full."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = Meter(theme, self.tr("Context"), warns=True)
        self._bar.setFixedWidth(64)
        self._numbers = Label(theme, "", "small", "text2", tabular=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._bar, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._numbers)
        self.show_usage(0, 0)

    def show_usage(self, used: int, size: int, next_to_leave: str = "") -> None:
        """Tokens; a `size` of 0 hides the meter. `next_to_leave` begins the oldest turn."""
        self.setVisible(size > 0)
        if size <= 0:
            return
        # The last token of an answer that filled the context is in the text, but not in there.
        used = min(used, size)
        numbers = self.tr("{used} of {size}").format(used=f"{used:,}", size=f"{size:,}")
        self._numbers.setText(numbers)
        self._bar.set_fraction(used / size)
        words = self._explain(numbers, next_to_leave)
        self.setToolTip(words)
        self._bar.setAccessibleDescription(words)

    def _explain(self, numbers: str, next_to_leave: str) -> str:
        words = self.tr(
            "{numbers} tokens of the context are used. When it is full, the oldest turns leave "
            "first; they stay in the chat."
        ).format(numbers=numbers)
        if next_to_leave:
            leaves = self.tr("The next to leave is “{turn}”.").format(turn=_begin(next_to_leave))
            words = f"{words} {leaves}"
        return words


def _begin(text: str) -> str:
    """The first words of a text that may be of any length, on one line."""
    words = " ".join(text[: 4 * _BEGINNING].split())
    return words if len(words) <= _BEGINNING else f"{words[:_BEGINNING].rstrip()}…"


class ModelStatus(ElidedLabel):
    """What the model is doing, in words, with its speed where there is one."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "", "small", "text3", tabular=True, parent=parent)
        self._state = ""
        self._speed = 0.0
        self._pace = Pace()
        self._warning = ""

    def show_state(self, words: str) -> None:
        self._state = words
        self._tell()

    def show_speed(self, tokens_per_second: float) -> None:
        """Tokens per second of the last answer; 0 where none is known."""
        self._speed = tokens_per_second
        self._tell()

    def show_pace(self, pace: Pace) -> None:
        """How far the answer is that is being made; without a phase, the state says what happens."""
        self._pace = pace
        self._tell()

    def show_warning(self, words: str) -> None:
        """Words that stand before everything else until they are taken back with an empty text."""
        if words != self._warning:
            self._warning = words
            self.set_role("warn" if words else "text3")
            self._tell()

    def _tell(self) -> None:
        pace = self._pace
        speed = pace.speed if pace.phase else self._speed
        parts = (
            # That others write, too, is in the state; that this one is still read isn't.
            self.tr("Reading…") if pace.phase == "reading" else self._state,
            token_speed_text(speed) if speed else "",
            time_left_text(pace.seconds_left),
        )
        self.setText(self._warning or " · ".join(part for part in parts if part))
