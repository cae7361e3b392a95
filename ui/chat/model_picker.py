"""The model of the chat, in the header: which one it is, how far it is loaded, and the way to another."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.engines import EngineState
from app.models import ChatModel, OfferedModel
from ui.chat.leaving import LEAVES_ICON, goes_words, leaves, leaves_words
from ui.chat.model_list import FitOf, unknown_fit
from ui.chat.model_popup import ModelPopup
from ui.icons import paint_icon
from ui.kit import Button, Meter, PaintedButton
from ui.kit.chips import CHIP_HEIGHT, ChipKind, chip_width, paint_chip
from ui.kit.tooltips import plain_tooltip
from ui.theme import Theme

_ICON = 18
_GAP = 8
_CARET = 12
_NAME_LIMIT = 360  # pixels; a file name can be of any length


class Badge(NamedTuple):
    """What is special about the model of this chat, in a chip of that kind."""

    words: str
    icon: str
    kind: ChipKind


class ModelButton(PaintedButton):
    """Name, quant, and a caret that says that there are others."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "", parent)
        self._name = ""
        self._detail = ""
        self._badge: Badge | None = None
        self._icon = "laptop"
        self._name_font = theme.font("strong")
        self._detail_font = theme.font("small", tabular=True)
        self.setFixedHeight(theme.size("control"))

    def show_words(
        self,
        name: str,
        detail: str,
        badge: Badge | None = None,
        icon: str = "laptop",
        tooltip: str = "",
    ) -> None:
        metrics = QFontMetricsF(self._name_font)
        self._name = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, _NAME_LIMIT)
        self._detail = detail
        self._badge = badge
        self._icon = icon
        words = self.tr("Model: {name} {detail}").format(name=name, detail=detail)
        self.setAccessibleName(f"{words}, {badge.words}" if badge else words)
        self.setAccessibleDescription(tooltip)
        lines = [name if self._name != name else "", tooltip]
        self.setToolTip(plain_tooltip("\n".join(line for line in lines if line)))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        width = 2 * _GAP + _ICON + _GAP + self._name_width() + _GAP + _CARET
        if self._detail:
            width += QFontMetricsF(self._detail_font).horizontalAdvance(self._detail) + _GAP
        if self._badge:
            width += chip_width(self.theme, self._badge.words, self._badge.icon) + _GAP
        return QSize(math.ceil(width), self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        rect = QRectF(self.rect())
        color = self.theme.color
        self.paint_overlay(painter, rect)
        self.paint_ring(painter, rect)
        height = rect.height()
        x = float(_GAP)
        paint_icon(painter, self._icon, QRectF(x, 0, _ICON, height), _ICON, color("text2"))
        x += _ICON + _GAP
        painter.setFont(self._name_font)
        painter.setPen(color("text" if self.isEnabled() else "disabled"))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(x, 0, rect.width(), height), middle, self._name)
        x += self._name_width() + _GAP
        painter.setFont(self._detail_font)
        painter.setPen(color("text2"))
        painter.drawText(QRectF(x, 0, rect.width(), height), middle, self._detail)
        if self._badge:
            if self._detail:
                x += QFontMetricsF(self._detail_font).horizontalAdvance(self._detail) + _GAP
            words, icon, kind = self._badge
            width = chip_width(self.theme, words, icon)
            chip = QRectF(x, (height - CHIP_HEIGHT) / 2, width, CHIP_HEIGHT)
            paint_chip(painter, self.theme, chip, words, kind, icon)
        caret = QRectF(rect.right() - _GAP - _CARET, 0, _CARET, height)
        paint_icon(painter, "caret-down", caret, _CARET, color("text2"))

    def _name_width(self) -> float:
        return QFontMetricsF(self._name_font).horizontalAdvance(self._name)


class ModelPicker(QWidget):
    """The button, the list it opens, and the progress of a load.

    Signals:
        model_chosen(str): the id of a model.
        more_requested: the person looks for models that are not here yet.
        cancel_requested: the load shall end.
        opened: the list is shown.
    """

    model_chosen = Signal(str)
    more_requested = Signal()
    cancel_requested = Signal()
    opened = Signal()

    def __init__(
        self, theme: Theme, fit_of: FitOf = unknown_fit, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._models: tuple[ChatModel, ...] = ()
        self._current_id = ""
        self._state = EngineState("", "unloaded")
        self._adapters = 0
        self._button = ModelButton(theme)
        self._popup = ModelPopup(theme, fit_of, self)
        self._progress = Meter(theme, self.tr("Loading the model"))
        self._progress.setFixedWidth(96)
        self._cancel = Button(theme, self.tr("Cancel"), "ghost", small=True)
        self.setFocusProxy(self._button)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._button)
        row.addWidget(self._progress, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._cancel)
        row.addStretch(1)
        self._button.clicked.connect(self.open)
        self._cancel.clicked.connect(self.cancel_requested)
        self._popup.model_chosen.connect(self.model_chosen)
        self._popup.more_requested.connect(self.more_requested)
        self._tell()

    def show_models(self, models: Sequence[ChatModel], current_id: str, state: EngineState) -> None:
        """The models that can answer, the one this chat uses (empty: none), and what is in memory."""
        self._models = tuple(models)
        self._current_id = current_id
        self.show_state(state)

    def show_fits(self) -> None:
        """More is known of what fits."""
        self._popup.show_fits()

    def show_offline(self, offline: bool) -> None:
        """Whether nothing may leave this computer."""
        self._popup.show_offline(offline)

    def show_state(self, state: EngineState) -> None:
        """What is in memory, or on the way there."""
        self._state = state
        self._tell()

    def show_adapters(self, count: int) -> None:
        """How many adapters change the model's answers."""
        if count != self._adapters:
            self._adapters = count
            self._tell()

    def open(self) -> None:
        """Open the list; without any model, ask for one instead."""
        if not self._models:
            self.more_requested.emit()
            return
        self.opened.emit()
        self._popup.open_below(self._button)

    def _tell(self) -> None:
        state = self._state
        current = next((model for model in self._models if model.id == self._current_id), None)
        # What is loaded for another chat does not hold up a service.
        loading = state.phase == "loading" and not isinstance(current, OfferedModel)
        if loading:
            coming = next((model for model in self._models if model.id == state.model_id), current)
            self._button.show_words(
                coming.name if coming else self.tr("Model"),
                self.tr("loading, {percent} %").format(percent=int(state.fraction * 100)),
            )
        elif isinstance(current, OfferedModel):
            self._show_offered(current)
        elif current is not None:
            self._button.show_words(current.name, current.quant, self._adapters_badge())
        else:
            words = self.tr("Choose a model") if self._models else self.tr("Get a model")
            self._button.show_words(words, "")
        self._progress.set_fraction(state.fraction)
        self._progress.setVisible(loading)
        self._cancel.setVisible(loading)
        loaded = state.model_id if state.phase in ("ready", "busy") else ""
        self._popup.show_models(self._models, self._current_id, loaded)

    def _show_offered(self, model: OfferedModel) -> None:
        badge, icon = None, "laptop"
        if leaves(model):
            badge, icon = Badge(leaves_words(), LEAVES_ICON, "outline"), "cloud"
        self._button.show_words(model.name, model.source, badge, icon, goes_words(model))

    def _adapters_badge(self) -> Badge | None:
        match self._adapters:
            case 0:
                return None
            case 1:
                words = self.tr("1 adapter")
            case count:
                words = self.tr("{count} adapters").format(count=count)
        return Badge(words, "stack", "soft")
