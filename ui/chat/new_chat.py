"""What stands where the messages of a new chat will be."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.models import ChatModel, OfferedModel
from ui.kit import Button, Label, Mark, Paragraph
from ui.kit.flow import Flow
from ui.theme import Theme

COLUMN = 440


class NewChat(QWidget):
    """Says who will answer, and offers a way to begin.

    Signals:
        suggestion_chosen: a text for the composer.
        models_requested: there is no model to answer, and the person wants one.
    """

    suggestion_chosen = Signal(str)
    models_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = Label(theme, kind="heading")
        self._words = Paragraph(theme, alignment=Qt.AlignmentFlag.AlignHCenter)
        buttons = [Button(theme, text, small=True) for text in self._texts()]
        for button in buttons:
            button.clicked.connect(self._suggest)
        self._suggestions = Flow(buttons, 8, centred=True)
        self._models = Button(theme, self.tr("Choose a model"), "primary")
        self._models.clicked.connect(self.models_requested)
        centre = Qt.AlignmentFlag.AlignHCenter
        self._words.setMaximumWidth(COLUMN)
        column = QVBoxLayout(self)
        column.setSpacing(0)
        column.addStretch(2)
        column.addWidget(Mark(theme, 40), 0, centre)
        column.addSpacing(16)
        column.addWidget(self._title, 0, centre)
        column.addSpacing(4)
        column.addLayout(_in_the_middle(self._words))
        column.addSpacing(16)
        column.addWidget(self._suggestions)
        column.addWidget(self._models, 0, centre)
        column.addStretch(3)
        self.show_model(None, "")

    def show_model(self, model: ChatModel | None, refusal: str) -> None:
        """Who will answer, or why nobody can."""
        there = model is not None
        self._title.setText(self.tr("A new chat") if there else self.tr("Nobody is here to answer"))
        self._words.set_text(self._who_answers(model) if model is not None else refusal)
        self._suggestions.setVisible(there)
        self._models.setVisible(not there)

    def _who_answers(self, model: ChatModel) -> str:
        if not isinstance(model, OfferedModel):
            words = self.tr("{model} answers on this computer. Nothing you write leaves it.")
            if model.kind == "completion":
                words = self.tr(
                    "{model} only completes text: it goes on with what you write, on this computer."
                )
            return words.format(model=model.name)
        if model.leaves:
            words = self.tr(
                "{model} of {source} answers. What you write leaves this computer and goes there."
            )
        else:
            words = self.tr("{model} answers through {source}, which runs on this computer.")
        return words.format(model=model.name, source=model.source)

    def _texts(self) -> tuple[str, ...]:
        return (
            self.tr("Explain a word to me"),
            self.tr("Draft a short letter"),
            self.tr("Name the capital of France"),
        )

    def _suggest(self) -> None:
        button = self.sender()
        if isinstance(button, Button):
            self.suggestion_chosen.emit(button.text())


def _in_the_middle(words: QWidget) -> QHBoxLayout:
    """In a row of its own: beside an alignment, its height would be reckoned for another width."""
    row = QHBoxLayout()
    row.addStretch(1)
    row.addWidget(words, 100)
    row.addStretch(1)
    return row
