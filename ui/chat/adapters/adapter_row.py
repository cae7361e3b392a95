"""An adapter of the chat: how strongly it acts, muted or not, and its place among the others."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.options.adapter_stack import HIGHEST_SCALE, LOWEST_SCALE, StackedAdapter
from ui.chat.adapters.offers import AdapterOffer
from ui.chat.option_row import keep_place
from ui.kit import Button, ElidedLabel, IconButton, Menu, NumberField, Paragraph, Slider
from ui.kit.tooltips import plain_tooltip
from ui.theme import Theme

USUAL_SCALE = 1.0
_STEP = 0.05
_ACTING, _MUTED = "speaker-simple-high", "speaker-simple-slash"
_NUMBER_WIDTH = 52
_LONGEST_WORDS = 34  # characters of trigger words that fit in the panel


class AdapterRow(QWidget):
    """One that does not fit the model shows why in place of its slider.

    Signals:
        scale_changed(float), mute_changed(bool), remove_requested: by a person.
        move_requested(int): so many places down.
        words_chosen(str): its trigger words are wanted in the message.
    """

    scale_changed = Signal(float)
    mute_changed = Signal(bool)
    remove_requested = Signal()
    move_requested = Signal(int)
    words_chosen = Signal(str)

    def __init__(self, theme: Theme, adapter_id: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.adapter_id = adapter_id
        self._theme = theme
        self._trigger_words = ""
        self._name = ElidedLabel(theme, adapter_id, "label")
        self._menu_button = self._icon("dots-three")
        self._mute = self._icon(_ACTING)
        self._remove = self._icon("x")
        self._menu = Menu(self)
        self._up = self._menu.addAction(self.tr("Move up\tAlt+Up"))
        self._down = self._menu.addAction(self.tr("Move down\tAlt+Down"))
        self._slider = Slider(
            theme, "", minimum=LOWEST_SCALE, maximum=HIGHEST_SCALE, step=_STEP, origin=0.0
        )
        self._slider.set_default(USUAL_SCALE)
        self._reset = IconButton(theme, "arrow-counter-clockwise", "", box=20, size=13)
        self._field = NumberField(
            theme, "", minimum=LOWEST_SCALE, maximum=HIGHEST_SCALE, step=_STEP, decimals=2
        )
        self._field.setFixedWidth(_NUMBER_WIDTH)
        self._strength = QWidget()
        self._words = Button(theme, "", "link")
        self._problem = Paragraph(theme, "", "small", "warn")
        self._lay_out()
        self._connect()

    @property
    def title(self) -> str:
        return self._name.text()

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """What Tab visits, in order."""
        return (
            *(self._menu_button, self._mute, self._remove, self._words),
            *(self._slider, self._reset, self._field),
        )

    def show_adapter(
        self,
        stacked: StackedAdapter,
        offer: AdapterOffer | None,
        problem: str,
        place: int,
        count: int,
    ) -> None:
        """What it is and how it acts; `problem` is why it is left out, empty where it isn't.

        It stands at `place` of `count`, from 0.
        """
        self._name_controls(offer.name if offer else stacked.adapter)
        acts = not stacked.muted and not problem
        self._name.set_role("text" if acts else "text3")
        mute = self.tr("Let {name} act again") if stacked.muted else self.tr("Mute {name}")
        icon = _MUTED if stacked.muted else _ACTING
        self._mute.set_action(icon, mute.format(name=self.title))
        self._mute.setVisible(not problem)
        self.show_scale(stacked.scale)
        self._slider.set_quiet(not acts)
        self._strength.setVisible(not problem)
        self._problem.set_text(problem)
        self._problem.setVisible(bool(problem))
        self._show_trigger_words(offer.trigger_words.strip() if offer and not problem else "")
        self._up.setEnabled(place > 0)
        self._down.setEnabled(place < count - 1)
        self._menu_button.setVisible(count > 1)

    def show_scale(self, scale: float) -> None:
        """A strength, without a signal."""
        self._slider.set_number(scale)
        self._field.blockSignals(True)
        self._field.setValue(scale)
        self._field.blockSignals(False)
        self._reset.setVisible(scale != USUAL_SCALE)

    def take_focus(self) -> None:
        """On what is left of the row."""
        target = self._remove if self._strength.isHidden() else self._slider
        target.setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
            if step is not None and event.modifiers() & Qt.KeyboardModifier.AltModifier:
                self.move_requested.emit(step)
                return True
        return False

    def _icon(self, name: str) -> IconButton:
        return IconButton(self._theme, name, "", box=24, size=14)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        # The glyph of the last button stands on the edge, its box beyond.
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(0)
        head.addWidget(self._name, 1)
        for button in (self._menu_button, self._mute, self._remove):
            head.addWidget(button)
        line = QHBoxLayout(self._strength)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self._slider, 1)
        line.addWidget(self._reset)
        keep_place(self._reset)
        line.addWidget(self._field)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self._words, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._strength)
        column.addWidget(self._problem)

    def _connect(self) -> None:
        self._menu_button.clicked.connect(self._open_menu)
        self._up.triggered.connect(self._move_up)
        self._down.triggered.connect(self._move_down)
        self._mute.clicked.connect(self._toggle_mute)
        self._remove.clicked.connect(self.remove_requested)
        self._slider.number_changed.connect(self._scale_changed)
        self._field.valueChanged.connect(self._scale_changed)
        self._reset.clicked.connect(self._reset_scale)
        self._words.clicked.connect(self._choose_words)
        for stop in self.stops:
            stop.installEventFilter(self)

    def _name_controls(self, name: str) -> None:
        self._name.setText(name)
        strength = self.tr("Strength of {name}").format(name=name)
        self._slider.setAccessibleName(strength)
        self._field.setAccessibleName(strength)
        for button, words in (
            (self._reset, self.tr("Reset {name} to 1")),
            (self._remove, self.tr("Remove {name}")),
            (self._menu_button, self.tr("Order of {name}")),
        ):
            button.set_action(button.icon_name, words.format(name=name))

    def _show_trigger_words(self, words: str) -> None:
        self._trigger_words = words
        shown = (
            words if len(words) <= _LONGEST_WORDS else f"{words[: _LONGEST_WORDS - 1].rstrip()}…"
        )
        self._words.set_words(f"“{shown}”")
        self._words.setAccessibleName(self.tr("Write “{words}”").format(words=words))
        self._words.setToolTip(
            plain_tooltip(self.tr("It was trained with “{words}”. Write that.").format(words=words))
        )
        self._words.setVisible(bool(words))

    def _scale_changed(self, scale: float) -> None:
        scale = round(scale, 2)
        self.show_scale(scale)
        self.scale_changed.emit(scale)

    def _reset_scale(self) -> None:
        self._slider.setFocus(Qt.FocusReason.OtherFocusReason)
        self._scale_changed(USUAL_SCALE)

    def _toggle_mute(self) -> None:
        self.mute_changed.emit(self._mute.icon_name == _ACTING)

    def _open_menu(self) -> None:
        self._menu.popup(self._menu_button.mapToGlobal(self._menu_button.rect().bottomLeft()))

    def _move_up(self) -> None:
        self.move_requested.emit(-1)

    def _move_down(self) -> None:
        self.move_requested.emit(1)

    def _choose_words(self) -> None:
        self.words_chosen.emit(self._trigger_words)
