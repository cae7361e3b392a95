"""The licence: what it means, and the question where a person has to agree first."""

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.kit import Button, ElidedLabel, Label, Paragraph
from ui.kit.painting import RADIUS, rounded
from ui.models.licence_words import licence_meaning, licence_name
from ui.theme import Theme


class LicenceView(QWidget):
    """Its name, what it means, and the way to it.

    Signals:
        link_activated(str): its address.
    """

    link_activated = Signal(str)

    def __init__(
        self, theme: Theme, licence_id: str, url: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._url = url
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(Label(theme, self.tr("Licence"), "strong"))
        head.addStretch(1)
        head.addWidget(ElidedLabel(theme, licence_name(licence_id)))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        if meaning := licence_meaning(licence_id):
            column.addWidget(Paragraph(theme, meaning, "small"))
        if url:
            read = Button(theme, self.tr("Read the licence"), "link", "arrow-square-out")
            read.clicked.connect(self._read)
            column.addWidget(read)

    def _read(self) -> None:
        self.link_activated.emit(self._url)


class LicenceQuestion(QWidget):
    """Stands where the download button was, until it is answered.

    Signals:
        agreed, declined
        link_activated(str): the address of the licence.
    """

    agreed = Signal()
    declined = Signal()
    link_activated = Signal(str)

    def __init__(
        self, theme: Theme, name: str, licence_id: str, url: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._url = url
        lead = self.tr("{name} comes under the licence “{licence}”.")
        words = Paragraph(
            theme,
            f"{licence_meaning(licence_id)} {self.tr('Do you agree to it?')}".strip(),
            lead=lead.format(name=name, licence=licence_name(licence_id)),
        )
        self._agree = Button(theme, self.tr("Agree and download"), "primary")
        self._agree.clicked.connect(self.agreed)
        decline = Button(theme, self.tr("Not now"), "ghost")
        decline.clicked.connect(self.declined)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self._agree)
        buttons.addWidget(decline)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 12)
        column.setSpacing(8)
        column.addWidget(words)
        if url:
            read = Button(theme, self.tr("Read the licence"), "link", "arrow-square-out")
            read.clicked.connect(self._read)
            column.addWidget(read)
        column.addLayout(buttons)
        self.setAccessibleName(words.text())

    def take_focus(self) -> None:
        self._agree.setFocus()

    def paintEvent(self, event: QPaintEvent) -> None:
        rounded(QPainter(self), QRectF(self.rect()), RADIUS, self._theme.color("tint"))

    def _read(self) -> None:
        self.link_activated.emit(self._url)
