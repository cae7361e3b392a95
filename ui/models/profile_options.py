"""Every setting of a profile, as the inspector of a chat has them."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.options import CHAT_OPTIONS, Option, Section, Value
from ui.chat.adapters.adapters_section import AdaptersSection
from ui.chat.inspector_section import FoldedSection, InspectorSection
from ui.chat.option_row import OptionRow
from ui.chat.prompt_box import PromptBox
from ui.chat.rows import align_titles, option_row
from ui.chat.rows.relevance import matters
from ui.kit.tooltips import plain_tooltip
from ui.theme import Theme

_TEXTS: tuple[Section, ...] = ("prompt", "template")


class ProfileOptions(QWidget):
    """Prompt, adapters and sampling stand open; the rest is unfolded when it is wanted.

    Attributes:
        adapters: the stack, which wants to be told what is installed.

    Signals:
        changed(str, object): key and value of what a person changed.
        reset_requested(str): the key of what goes back to its default.
    """

    changed = Signal(str, object)
    reset_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._values: dict[str, Value] = {}
        self._rows: dict[str, OptionRow] = {}
        self._boxes: dict[str, PromptBox] = {}
        self._folds: dict[Section, FoldedSection] = {}
        self.adapters = AdaptersSection(theme)
        self.adapters.changed.connect(self._adapters_changed)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._open("prompt", self.tr("System prompt"))
        self._column.addWidget(self.adapters)
        self._open("sampling", self.tr("Sampling"))
        for section, title in (
            ("advanced", self.tr("Advanced")),
            ("length", self.tr("Length")),
            ("format", self.tr("Answer format")),
            ("engine", self.tr("Engine")),
            ("template", self.tr("Chat template")),
        ):
            self._fold(section, title)  # type: ignore[arg-type]
        self.show_options({})

    def show_options(self, options: Mapping[str, Value]) -> None:
        """Show what the profile sets; everything else is at its default."""
        self._values = {option.key: option.default for option in CHAT_OPTIONS} | dict(options)
        self.adapters.show_text(str(self._values["adapters"]))
        for key in (*self._rows, *self._boxes):
            self._show(key)
        self._refresh()

    def flush(self) -> None:
        """Report at once what waits for a pause: before another profile is shown."""
        self.adapters.flush()
        for row in self._rows.values():
            row.flush()
        for box in self._boxes.values():
            box.flush()

    def _open(self, section: Section, title: str) -> None:
        self._column.addWidget(InspectorSection(self._theme, title, self._make(section)))

    def _fold(self, section: Section, title: str) -> None:
        def make() -> Sequence[QWidget]:
            made = self._make(section)
            for option in _options_of(section):
                self._show(option.key)
            self._refresh()
            return made

        fold = self._folds[section] = FoldedSection(self._theme, title, make)
        self._column.addWidget(fold)

    def _make(self, section: Section) -> Sequence[QWidget]:
        if section in _TEXTS:
            return [self._make_box(option) for option in _options_of(section)]
        rows = [self._make_row(option) for option in _options_of(section)]
        align_titles(rows)
        return rows

    def _make_row(self, option: Option) -> OptionRow:
        # With a parent, or one that is shown would be a window of its own until it has its place.
        row = self._rows[option.key] = option_row(self._theme, option, self)
        row.setToolTip(plain_tooltip(self.tr(option.help)))
        row.changed.connect(self._change)
        row.reset_requested.connect(self._reset)
        return row

    def _make_box(self, option: Option) -> PromptBox:
        title, help_ = self.tr(option.title), self.tr(option.help)
        box = self._boxes[option.key] = PromptBox(self._theme, title, help_, self)
        box.setProperty("key", option.key)
        box.edited.connect(self._text_edited)
        return box

    def _show(self, key: str) -> None:
        if key in self._rows:
            row = self._rows[key]
            row.show_value(self._values[key], row.option.default)
        else:
            self._boxes[key].show_text(str(self._values[key]))

    def _text_edited(self, text: str) -> None:
        box = self.sender()
        if box is not None:
            self._change(box.property("key"), text)

    def _adapters_changed(self, text: str) -> None:
        self._change("adapters", text)

    def _change(self, key: str, value: Value) -> None:
        self._values[key] = value
        self._refresh()
        self.changed.emit(key, value)

    def _reset(self, key: str) -> None:
        self._values[key] = self._rows[key].option.default
        self._refresh()
        self.reset_requested.emit(key)

    def _refresh(self) -> None:
        for key, row in self._rows.items():
            row.setVisible(matters(key, self._values))
        for section, fold in self._folds.items():
            count = sum(self._values[o.key] != o.default for o in _options_of(section))
            fold.show_summary(self.tr("{count} changed").format(count=count) if count else "")


def _options_of(section: Section) -> list[Option]:
    return [option for option in CHAT_OPTIONS if option.section == section]
