"""The panel at the right: what runs this chat, and every setting of it."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.formatting import tokens_text
from app.models import ChatModel
from app.options import CHAT_OPTIONS, Option, Section, Value
from app.presets import preset_of
from backends.protocol import SessionInfo
from ui.chat.adapters.adapters_section import AdaptersSection
from ui.chat.inspector_section import OUT, FoldedSection, InspectorSection
from ui.chat.model_facts import ModelFacts
from ui.chat.option_help import HelpLine
from ui.chat.option_row import OptionRow
from ui.chat.preset_button import PresetButton
from ui.chat.prompt_box import PromptBox
from ui.chat.rows import align_titles, option_row
from ui.chat.rows.relevance import matters
from ui.kit import Hairline, IconButton, Label, Panel
from ui.kit.steady_scroll import SteadyScroll
from ui.theme import Theme

_EDGE = 16
_FOLDED: tuple[Section, ...] = ("advanced", "engine")
_NOT_ADOPTED = ("adapters",)
"""They are made for one model; new chats may have another."""


class Inspector(Panel):
    """“This chat”.

    Signals:
        option_changed(str, object): key and value, within the option's range.
        option_reset(str): the key of the option that goes back to its default.
        preset_chosen(str): the key of a preset.
        defaults_requested: these settings shall be those of new chats.
        profile_requested: these settings shall be kept as a profile of the model.
    """

    option_changed = Signal(str, object)
    option_reset = Signal(str)
    preset_chosen = Signal(str)
    defaults_requested = Signal()
    profile_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "panel", "l", parent)
        self._theme = theme
        self._trained_on = 0
        self._silent: frozenset[str] = frozenset()
        self._places: dict[str, list[QWidget]] = {}
        self._values: dict[str, Value] = {}
        self._defaults: dict[str, Value] = {}
        self._rows: dict[str, OptionRow] = {}
        self._folds: dict[Section, FoldedSection] = {}
        self._prompt_option = next(opt for opt in CHAT_OPTIONS if opt.section == "prompt")
        self._prompt = PromptBox(
            theme, self.tr(self._prompt_option.title), self.tr(self._prompt_option.help)
        )
        self._prompt_reset = IconButton(
            theme, "arrow-counter-clockwise", self.tr("Reset the system prompt"), box=20, size=13
        )
        self.adapters = AdaptersSection(theme)
        self._facts = ModelFacts(theme)
        self._help = HelpLine(theme)
        self._preset = PresetButton(theme)
        self.setFixedWidth(theme.size("inspector"))
        self.setAccessibleName(self.tr("Settings of this chat"))
        self._lay_out()
        self._prompt.edited.connect(self._prompt_edited)
        self._prompt_reset.clicked.connect(self._reset_prompt)
        self._preset.chosen.connect(self.preset_chosen)
        self._preset.adoption_requested.connect(self.defaults_requested)
        self._preset.profile_requested.connect(self.profile_requested)
        self._preset.pointed_at.connect(self._help.show_words)
        self.adapters.changed.connect(self._adapters_changed)
        self.show_session(None)
        self.show_options({}, {})

    @property
    def unfolded(self) -> tuple[Section, ...]:
        """The sections that could be folded, and are not."""
        return tuple(name for name, section in self._folds.items() if section.unfolded)

    def unfold(self, sections: Sequence[str]) -> None:
        """Show just these of the sections that can be folded."""
        for name, section in self._folds.items():
            section.unfold(name in sections)

    @property
    def values(self) -> Mapping[str, Value]:
        """The settings in force, as shown."""
        return self._values

    def show_options(
        self,
        values: Mapping[str, Value],
        defaults: Mapping[str, Value],
        silent: frozenset[str] = frozenset(),
    ) -> None:
        """Show the settings in force, and what each goes back to; not those that change nothing."""
        self._silent = silent
        declared = {opt.key: opt.default for opt in CHAT_OPTIONS}
        self._defaults = {**declared, **defaults}
        self._values = {**self._defaults, **values}
        for key, row in self._rows.items():
            row.show_value(self._values[key], self._defaults[key])
        self._prompt.show_text(str(self._values[self._prompt_option.key]))
        self.adapters.show_text(str(self._values["adapters"]))
        self._refresh()

    def show_model(self, model: ChatModel | None) -> None:
        """Show who answers, where that is nobody on this computer."""
        self._facts.show_model(model)

    def show_session(self, info: SessionInfo | None) -> None:
        """Show what the loaded model says of itself; None where none is loaded."""
        self._trained_on = info.n_ctx_train if info else 0
        self._facts.show_session(info)
        self._refresh()

    def flush(self) -> None:
        """Report at once what waits for a pause: before another chat is shown."""
        self._prompt.flush()
        self.adapters.flush()
        for row in self._rows.values():
            row.flush()

    def _lay_out(self) -> None:
        body = Panel(self._theme, "panel")
        self._sections = QVBoxLayout(body)
        self._sections.setContentsMargins(_EDGE - 1 - OUT, 4, _EDGE, 8)
        self._sections.setSpacing(0)
        self._add("", InspectorSection(self._theme, self.tr("Model"), [self._facts]))
        prompt = self.tr(self._prompt_option.title)
        self._add(
            "prompt", InspectorSection(self._theme, prompt, [self._prompt], self._prompt_reset)
        )
        self._add("adapters", self.adapters)
        titles: dict[Section, str] = {
            "sampling": self.tr("Sampling"),
            "advanced": self.tr("Advanced"),
            "length": self.tr("Length"),
            "format": self.tr("Answer format"),
            "engine": self.tr("Engine"),
        }
        for section, title in titles.items():
            if section in _FOLDED:
                fold = FoldedSection(self._theme, title, lambda s=section: self._make_rows(s))  # type: ignore[misc]
                self._folds[section] = fold
                self._add(section, fold)
            else:
                rows = self._make_rows(section)
                self._add(section, InspectorSection(self._theme, title, rows))
        self._sections.addStretch(1)
        column = QVBoxLayout(self)
        # One pixel for the hairline at the left.
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._make_header())
        scroll = SteadyScroll()
        scroll.show_content(body, self._sections)
        column.addWidget(scroll, 1)
        column.addWidget(self._help)

    def _make_header(self) -> Panel:
        header = Panel(self._theme, "panel", "b")
        header.setFixedHeight(self._theme.size("header"))
        line = QHBoxLayout(header)
        line.setContentsMargins(_EDGE - 1, 0, 8, 0)
        line.addWidget(Label(self._theme, self.tr("This chat"), "strong"))
        line.addStretch(1)
        line.addWidget(self._preset)
        return header

    def _add(self, name: str, section: QWidget) -> None:
        parts = [section]
        if self._sections.count():
            above = QWidget()
            line = QVBoxLayout(above)
            line.setContentsMargins(OUT, 4, 0, 0)
            line.addWidget(Hairline(self._theme))
            parts.insert(0, above)
        for part in parts:
            self._sections.addWidget(part)
        self._places[name] = parts

    def _make_rows(self, section: Section) -> list[OptionRow]:
        # With a parent, or one that is shown would be a window of its own until it has its place.
        rows = [
            option_row(self._theme, option, self)
            for option in CHAT_OPTIONS
            if option.section == section
        ]
        align_titles(rows)
        for row in rows:
            row.changed.connect(self._option_changed)
            row.reset_requested.connect(self._option_reset)
            row.pointed_at.connect(self._explain)
            key = row.option.key
            self._rows[key] = row
            if self._values:
                row.show_value(self._values[key], self._defaults[key])
        if self._values:
            self._refresh()
        return rows

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

    def _adapters_changed(self, text: str) -> None:
        self._option_changed("adapters", text)

    def _reset_prompt(self) -> None:
        self._prompt.replace_text(str(self._defaults[self._prompt_option.key]))
        self._prompt.setFocus(Qt.FocusReason.OtherFocusReason)
        self._option_reset(self._prompt_option.key)

    def _explain(self, option: Option | None) -> None:
        default = self._defaults[option.key] if option else 0
        self._help.show_option(option, default)

    def _refresh(self) -> None:
        values, defaults = self._values, self._defaults
        changed = [opt for opt in CHAT_OPTIONS if values.get(opt.key) != defaults.get(opt.key)]
        self._prompt_reset.setVisible(self._prompt_option in changed)
        self._preset.show_preset(
            preset_of(values, defaults),
            can_adopt=any(opt.key not in _NOT_ADOPTED for opt in changed),
            can_keep=bool(changed),
        )
        for key, row in self._rows.items():
            row.setVisible(key not in self._silent and matters(key, values))
        self._show_sections()
        for section, fold in self._folds.items():
            count = sum(
                option.section == section and option.key not in self._silent for option in changed
            )
            fold.show_summary(self.tr("{count} changed").format(count=count) if count else "")
        length = int(values.get("n_ctx", 0))
        too_long = 0 < self._trained_on < length
        self._rows["n_ctx"].show_words(
            self.tr("This model has learned to look back on {tokens} only.").format(
                tokens=tokens_text(self._trained_on)
            )
            if too_long
            else ""
        )

    def _show_sections(self) -> None:
        """A section in which nothing counts is not there."""
        for name, parts in self._places.items():
            keys = {option.key for option in CHAT_OPTIONS if option.section == name}
            for part in parts:
                part.setVisible(not keys or bool(keys - self._silent))
