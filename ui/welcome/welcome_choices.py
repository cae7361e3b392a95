"""The two cards of the welcome page."""

from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from app.formatting import bytes_text
from catalog.catalogues.entries import Entry
from catalog.downloads.wanted import DownloadState
from ui.kit import Button, Card, Icon, Label, Paragraph
from ui.models.licence_words import licence_name
from ui.theme import Theme
from ui.welcome.download_bar import DownloadBar

CHOICE_WIDTH = 336
_HEIGHT = 200


class Choice(Card):
    """A card with a heading, a description, room for details, and a wide button at its foot."""

    def __init__(self, theme: Theme, icon: str, title: str, text: str, *, first: bool) -> None:
        super().__init__(theme, edge="accent" if first else "border")
        self.setFixedSize(CHOICE_WIDTH, _HEIGHT)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(20, 19, 20, 19)
        column.setSpacing(0)
        heading = QHBoxLayout()
        heading.setSpacing(10)
        heading.addWidget(Icon(theme, icon, 20, "accent_text" if first else "text2"))
        heading.addWidget(Label(theme, title, "heading"), 1)
        column.addLayout(heading)
        column.addSpacing(8)
        column.addWidget(Paragraph(theme, text))
        column.addSpacing(8)
        self.details = QStackedLayout()
        column.addLayout(self.details)
        column.addStretch(1)
        self.foot = QStackedLayout()
        column.addLayout(self.foot)
        self.add_row(content)


class FileChoice(Choice):
    """A model file of one's own."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(
            theme,
            "file-arrow-up",
            self.tr("A model you already have"),
            self.tr("Opens any GGUF file. Drop it on this window, or choose it from a folder."),
            first=False,
        )
        stays = self.tr("The file stays where it is.")
        self.details.addWidget(_line(Label(theme, stays, "small", "text3")))
        self.choose = _wide(Button(theme, self.tr("Use a model file…")))
        self.foot.addWidget(self.choose)

    def show_drop(self, over: bool) -> None:
        """A file that could be dropped is over the page."""
        self.set_edge("accent" if over else "border")


class StarterChoice(Choice):
    """The starter model, from the offer to the moment it opens."""

    def __init__(self, theme: Theme, starter: Entry) -> None:
        super().__init__(
            theme,
            "chat-circle-text",
            self.tr("A small model to begin with"),
            self.tr("Fetches {name}, which answers at once on any computer.").format(
                name=starter.name
            ),
            first=True,
        )
        artifact = starter.artifacts[0]
        self._size_bytes = artifact.size_bytes or artifact.download_bytes or 0
        self._licence = licence_name(starter.licence.id)
        self._facts = Label(theme, "", "small", "text3", tabular=True)
        self._bar = DownloadBar(theme)
        self._facts_line = _line(self._facts)
        self.details.addWidget(self._facts_line)
        self.details.addWidget(self._bar)
        self.start = _wide(Button(theme, self.tr("Start chatting"), "primary"))
        self.cancel = _wide(Button(theme, self.tr("Cancel")))
        self.foot.addWidget(self.start)
        self.foot.addWidget(self.cancel)
        self.show_idle()

    def show_idle(self, partial_bytes: int = 0, again: bool = False) -> None:
        """Offer to begin; to go on where `partial_bytes` are here; to try `again` after a failure."""
        size = bytes_text(self._size_bytes)
        if partial_bytes:
            here = self.tr("{done} of {total} are here already.")
            self._facts.setText(here.format(done=bytes_text(partial_bytes), total=size))
        else:
            self._facts.setText(f"{size} · {self._licence}")
        if again:
            self.start.set_words(self.tr("Try again"))
        elif partial_bytes:
            self.start.set_words(self.tr("Resume"))
        else:
            self.start.set_words(self.tr("Start chatting"))
        self._show(self._facts_line, self.start)

    def show_progress(self, state: DownloadState) -> None:
        self._bar.show_download(state)
        self.cancel.setEnabled(True)
        self._show(self._bar, self.cancel)

    def show_opening(self) -> None:
        self._bar.show_words(self.tr("Opening the model…"))
        self.cancel.setEnabled(False)
        self._show(self._bar, self.cancel)

    def _show(self, details: QWidget, button: Button) -> None:
        had_focus = self.start.hasFocus() or self.cancel.hasFocus()
        self.details.setCurrentWidget(details)
        self.foot.setCurrentWidget(button)
        if had_focus:
            button.setFocus()


def _wide(button: Button) -> Button:
    button.setFixedHeight(36)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return button


def _line(label: Label) -> QWidget:
    """The label on top of the room that the download bar needs, so that nothing moves later."""
    widget = QWidget()
    column = QVBoxLayout(widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(label)
    column.addStretch(1)
    return widget
