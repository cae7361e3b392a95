"""A setting that is a text in a form of its own: what is wrong with it is said as one types."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.options import Option, Value
from ui.chat.option_row import OptionRow
from ui.chat.prompt_box import PromptBox
from ui.chat.rows.examples import EXAMPLES, HINTS
from ui.chat.rows.text_dialog import TextDialog, problem_with
from ui.kit import Button, IconButton
from ui.theme import Theme

_FEWEST_LINES = {"servers": 1, "biases": 2, "schema": 5, "grammar": 5}


class TextRow(OptionRow):
    """A box under the title. Only what is sound is reported; anything else stays in the box."""

    def __init__(self, theme: Theme, option: Option, parent: QWidget | None = None) -> None:
        super().__init__(theme, option, parent)
        self._problem = ""
        title = self.tr(option.title)
        self._box = PromptBox(
            theme,
            title,
            HINTS.get(option.key, ""),
            fewest_lines=_FEWEST_LINES.get(option.kind, 3),
            code=option.kind in ("schema", "grammar"),
        )
        self._box.setAccessibleDescription(self.tr(option.help))
        self._box.textChanged.connect(self._check)
        self._box.edited.connect(self._edited)
        self._example = EXAMPLES.get(option.key, "")
        self._begin = Button(theme, self.tr("Begin with an example"), "link")
        self._begin.clicked.connect(self._show_example)
        self._larger = IconButton(
            theme,
            "arrows-out-simple",
            self.tr("{title} in a larger window").format(title=title),
            box=24,
            size=14,
        )
        if not self._example:
            self._larger.hide()
        self._larger.clicked.connect(self._open_larger)
        self.watch(self._box)
        self._lay_out()
        self.show_value(option.default, option.default)

    def show_control(self, value: Value, default: Value) -> None:
        if not self._problem:
            self._box.show_text(str(value))
            self._check()

    def main_control(self) -> QWidget:
        return self._box

    def flush(self) -> None:
        """Report what is sound, and drop what is not: it belongs to the values shown so far."""
        self._box.flush()
        if self._problem:
            self._replace(str(self.value))

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(0, 4, 0, 4)
        head.setSpacing(4)
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._reset)
        head.addWidget(self._larger)
        body = QVBoxLayout()
        body.setContentsMargins(0, 0, 0, 4)
        body.setSpacing(4)
        body.addWidget(self._box)
        body.addWidget(self._begin, 0, Qt.AlignmentFlag.AlignLeft)
        self.put_lines(head, body)

    def request_reset(self) -> None:
        self._replace(str(self._default))
        super().request_reset()

    def _replace(self, text: str) -> None:
        self._box.replace_text(text)
        self._check()

    def _check(self) -> None:
        text = self._box.toPlainText()
        self._problem = problem_with(self.option, text)
        self._begin.setVisible(bool(self._example) and not text.strip())
        self.show_words(self._problem, "danger")
        self._reset.setVisible(bool(self._problem) or self.value != self._default)

    def _edited(self, text: str) -> None:
        if not self._problem:
            self.take(text)

    def _show_example(self) -> None:
        self._box.setPlainText(self._example)
        self._box.setFocus(Qt.FocusReason.OtherFocusReason)
        self._box.flush()

    def _open_larger(self) -> None:
        dialog = TextDialog(
            self.theme, self.option, self._box.toPlainText(), self._example, self.window()
        )
        dialog.saved.connect(self._take_from_dialog)
        dialog.open()

    def _take_from_dialog(self, text: str) -> None:
        self._box.setPlainText(text)
        self._box.flush()
