"""What the loaded model says of itself, in a few lines."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.formatting import bytes_text, tokens_text
from backends.protocol import SessionInfo
from ui.kit import ElidedLabel, Label, Paragraph
from ui.theme import Theme


class ModelFacts(QWidget):
    """What runs the chat."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._device = ElidedLabel(theme, tabular=True)
        self._memory = ElidedLabel(theme, tabular=True)
        self._context = ElidedLabel(theme, tabular=True)
        self._template = ElidedLabel(theme)
        self._none = Paragraph(
            theme,
            self.tr("Device, memory and context show here once the model is loaded."),
            "small",
        )
        self._warnings = Paragraph(theme, "", "small", "warn")
        self._lines = QWidget()
        lines = QVBoxLayout(self._lines)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(4)
        for title, value in (
            (self.tr("Runs on"), self._device),
            (self.tr("Memory"), self._memory),
            (self.tr("Context"), self._context),
            (self.tr("Template"), self._template),
        ):
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            value.setAccessibleName(title)
            line = QHBoxLayout()
            line.setSpacing(12)
            line.addWidget(Label(theme, title, "body", "text2"))
            line.addWidget(value, 1)
            lines.addLayout(line)
        # Nothing below may jump when the model is there.
        self._none.setMinimumHeight(self._lines.sizeHint().height())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(4)
        column.addWidget(self._none)
        column.addWidget(self._lines)
        column.addWidget(self._warnings)

    def show_session(self, info: SessionInfo | None) -> None:
        self._none.setVisible(info is None)
        self._lines.setVisible(info is not None)
        self._warnings.setVisible(info is not None and bool(info.warnings))
        if info is None:
            return
        self._device.setText(self._runs_on(info))
        self._memory.setText(bytes_text(info.memory_bytes) if info.memory_bytes else "–")
        self._context.setText(tokens_text(info.n_ctx))
        self._template.setText(info.template or "–")
        self._warnings.set_text(" ".join(info.warnings))

    def _runs_on(self, info: SessionInfo) -> str:
        parts = [info.device]
        if info.n_threads == 1:
            parts.append(self.tr("1 thread"))
        elif info.n_threads:
            parts.append(self.tr("{count} threads").format(count=info.n_threads))
        if info.n_gpu_layers > 0:
            parts.append(self.tr("layers: {count}").format(count=info.n_gpu_layers))
        return ", ".join(parts)
