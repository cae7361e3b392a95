"""The panel at the right: what runs this chat, and every setting of it."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.formatting import tokens_text
from app.options import CHAT_OPTIONS, Option, Section, Value
from backends.protocol import SessionInfo
from ui.chat.model_facts import ModelFacts
from ui.chat.option_help import HelpLine
from ui.chat.option_row import OptionRow
from ui.chat.prompt_box import PromptBox
from ui.kit import Button, Hairline, IconButton, Label, Panel
from ui.theme import Theme

_EDGE = 16


class Inspector(Panel):
    """“This chat”.

    Signals:
        option_changed(str, object): key and value, within the option's range.
        option_reset(str): the key of the option that goes back to its default.
        defaults_requested: these settings shall be those of new chats.
    """

    option_changed = Signal(str, object)
    option_reset = Signal(str)
    defaults_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "panel", "l", parent)
        self._theme = theme
        self._trained_on = 0
        self._values: dict[str, Value] = {}
        self._defaults: dict[str, Value] = {}
        self._rows = {opt.key: self._make_row(opt) for opt in CHAT_OPTIONS if opt.kind != "text"}
        self._prompt_option = next(opt for opt in CHAT_OPTIONS if opt.section == "prompt")
        self._prompt = PromptBox(
            theme, self.tr(self._prompt_option.title), self.tr(self._prompt_option.help)
        )
        self._prompt_reset = IconButton(
            theme, "arrow-counter-clockwise", self.tr("Reset the system prompt"), box=20, size=13
        )
        self._facts = ModelFacts(theme)
        self._help = HelpLine(theme)
        self._adopt = Button(theme, self.tr("Use for new chats"), "ghost", small=True)
        self.setFixedWidth(theme.size("inspector"))
        self.setAccessibleName(self.tr("Settings of this chat"))
        self._lay_out()
        self._prompt.edited.connect(self._prompt_edited)
        self._prompt_reset.clicked.connect(self._reset_prompt)
        self._adopt.clicked.connect(self.defaults_requested)
        self.show_session(None)
        self.show_options({}, {})

    def show_options(self, values: Mapping[str, Value], defaults: Mapping[str, Value]) -> None:
        """Show the settings in force, and what each goes back to."""
        declared = {opt.key: opt.default for opt in CHAT_OPTIONS}
        self._defaults = {**declared, **defaults}
        self._values = {**self._defaults, **values}
        for key, row in self._rows.items():
            row.show_value(self._values[key], self._defaults[key])
        self._prompt.show_text(str(self._values[self._prompt_option.key]))
        self._refresh()

    def show_session(self, info: SessionInfo | None) -> None:
        """Show what the loaded model says of itself; None where none is loaded."""
        self._trained_on = info.n_ctx_train if info else 0
        self._facts.show_session(info)
        self._refresh()

    def flush(self) -> None:
        """Report at once what waits for a pause in typing: before another chat is shown."""
        self._prompt.flush()

    def _make_row(self, option: Option) -> OptionRow:
        row = OptionRow(self._theme, option)
        row.changed.connect(self._option_changed)
        row.reset_requested.connect(self._option_reset)
        row.pointed_at.connect(self._explain)
        return row

    def _lay_out(self) -> None:
        body = Panel(self._theme, "panel")
        sections = QVBoxLayout(body)
        sections.setContentsMargins(0, 0, 0, 0)
        sections.setSpacing(0)
        self._add_section(sections, self.tr("Model"), [self._facts])
        prompt = [self._prompt]
        self._add_section(sections, self.tr(self._prompt_option.title), prompt, self._prompt_reset)
        titles: dict[Section, str] = {
            "sampling": self.tr("Sampling"),
            "length": self.tr("Length"),
            "engine": self.tr("Engine"),
        }
        for section, title in titles.items():
            rows = [row for row in self._rows.values() if row.option.section == section]
            self._add_section(sections, title, rows)
        sections.addStretch(1)
        column = QVBoxLayout(self)
        # One pixel for the hairline at the left.
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._make_header())
        column.addWidget(_scrolling(body), 1)
        column.addWidget(self._help)

    def _make_header(self) -> Panel:
        header = Panel(self._theme, "panel", "b")
        header.setFixedHeight(self._theme.size("header"))
        line = QHBoxLayout(header)
        line.setContentsMargins(_EDGE - 1, 0, 8, 0)
        line.addWidget(Label(self._theme, self.tr("This chat"), "strong"))
        line.addStretch(1)
        line.addWidget(self._adopt)
        return header

    def _add_section(
        self,
        sections: QVBoxLayout,
        title: str,
        rows: Sequence[QWidget],
        button: QWidget | None = None,
    ) -> None:
        if sections.count():
            sections.addSpacing(8)
            sections.addWidget(Hairline(self._theme))
        head = QHBoxLayout()
        head.setContentsMargins(0, 8, 0, 4)
        head.addWidget(Label(self._theme, title, "strong"))
        head.addStretch(1)
        if button is not None:
            head.addWidget(button)
        sections.addLayout(head)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(0)
        for row in rows:
            column.addWidget(row)
        sections.addLayout(column)

    def _option_changed(self, key: str, value: Value) -> None:
        self._values[key] = value
        self._refresh()
        self.option_changed.emit(key, value)

    def _option_reset(self, key: str) -> None:
        self._values[key] = self._defaults[key]
        self._refresh()
        self.option_reset.emit(key)

    def _prompt_edited(self, text: str) -> None:
        self._option_changed(self._prompt_option.key, text)

    def _reset_prompt(self) -> None:
        self._prompt.flush()
        self._prompt.show_text(str(self._defaults[self._prompt_option.key]))
        self._prompt.setFocus(Qt.FocusReason.OtherFocusReason)
        self._option_reset(self._prompt_option.key)

    def _explain(self, option: Option | None) -> None:
        default = self._defaults[option.key] if option else 0
        self._help.show_option(option, default)

    def _refresh(self) -> None:
        key = self._prompt_option.key
        self._prompt_reset.setVisible(self._values.get(key) != self._defaults.get(key))
        self._adopt.setEnabled(self._values != self._defaults)
        length = int(self._values.get("n_ctx", 0))
        too_long = 0 < self._trained_on < length
        self._rows["n_ctx"].show_words(
            self.tr("This model has learned to look back on {tokens} only.").format(
                tokens=tokens_text(self._trained_on)
            )
            if too_long
            else ""
        )


def _scrolling(body: QWidget) -> QScrollArea:
    """A scroll area whose bar stands in the body's margin: nothing moves when it comes or goes."""
    scroll = QScrollArea()
    scroll.setWidget(body)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    bar = scroll.verticalScrollBar()
    bar_width = bar.sizeHint().width()

    def make_room(minimum: int, maximum: int) -> None:
        right = _EDGE - (bar_width if maximum > minimum else 0)
        body.setContentsMargins(_EDGE - 1, 4, right, 8)

    bar.rangeChanged.connect(make_room)
    make_room(bar.minimum(), bar.maximum())
    return scroll
