"""What the loaded model says of itself, in a few lines; or who runs one that is elsewhere."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.formatting import bytes_text, tokens_text
from app.models import ChatModel, OfferedModel
from backends.protocol import SessionInfo
from ui.kit import ElidedLabel, Label, Paragraph
from ui.theme import Theme


class ModelFacts(QWidget):
    """What runs the chat."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._device = ElidedLabel(theme, tabular=True)
        self._memory = ElidedLabel(theme, tabular=True)
        self._context = ElidedLabel(theme, tabular=True)
        self._template = ElidedLabel(theme)
        self._source = ElidedLabel(theme)
        self._reach = ElidedLabel(theme, tabular=True)
        self._info: SessionInfo | None = None
        self._offered: OfferedModel | None = None
        self._none = Paragraph(
            theme,
            self.tr("Device, memory and context show here once the model is loaded."),
            "small",
        )
        self._warnings = Paragraph(theme, "", "small", "warn")
        self._lines = self._make_lines(
            (self.tr("Runs on"), self._device),
            (self.tr("Memory"), self._memory),
            (self.tr("Context"), self._context),
            (self.tr("Template"), self._template),
        )
        self._elsewhere = self._make_lines(
            (self.tr("Answers"), self._source),
            (self.tr("Context"), self._reach),
        )
        self._goes = Paragraph(theme, "", "small")
        # Nothing below may jump when the model is there.
        self._none.setMinimumHeight(self._lines.sizeHint().height())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(4)
        column.addWidget(self._none)
        column.addWidget(self._lines)
        column.addWidget(self._elsewhere)
        column.addWidget(self._goes)
        column.addWidget(self._warnings)

    def show_model(self, model: ChatModel | None) -> None:
        """Who answers in this chat."""
        self._offered = model if isinstance(model, OfferedModel) else None
        if self._offered is not None:
            length = self._offered.context_length
            self._source.setText(self._offered.source)
            self._reach.setText(tokens_text(length) if length else "–")
            self._goes.set_text(
                self.tr("Each message is sent there with the whole chat before it.")
                if self._offered.leaves
                else self.tr("It runs on this computer, outside of Causeway.")
            )
        self._arrange()

    def show_session(self, info: SessionInfo | None) -> None:
        """What the model in memory says of itself; None where none is."""
        self._info = info
        self._arrange()
        if info is None:
            return
        self._device.setText(self._runs_on(info))
        self._memory.setText(bytes_text(info.memory_bytes) if info.memory_bytes else "–")
        self._context.setText(tokens_text(info.n_ctx))
        self._template.setText(info.template or "–")
        self._warnings.set_text(" ".join(info.warnings))

    def _arrange(self) -> None:
        here, info = self._offered is None, self._info
        self._none.setVisible(here and info is None)
        self._lines.setVisible(here and info is not None)
        self._warnings.setVisible(here and info is not None and bool(info.warnings))
        self._elsewhere.setVisible(not here)
        self._goes.setVisible(not here)

    def _make_lines(self, *rows: tuple[str, ElidedLabel]) -> QWidget:
        holder = QWidget()
        lines = QVBoxLayout(holder)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(4)
        for title, value in rows:
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            value.setAccessibleName(title)
            line = QHBoxLayout()
            line.setSpacing(12)
            line.addWidget(Label(self._theme, title, "body", "text2"))
            line.addWidget(value, 1)
            lines.addLayout(line)
        return holder

    def _runs_on(self, info: SessionInfo) -> str:
        parts = [info.device]
        if info.n_threads == 1:
            parts.append(self.tr("1 thread"))
        elif info.n_threads:
            parts.append(self.tr("{count} threads").format(count=info.n_threads))
        if info.n_gpu_layers > 0:
            parts.append(self.tr("layers: {count}").format(count=info.n_gpu_layers))
        return ", ".join(parts)
