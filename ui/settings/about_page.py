"""What this program is, where its data lies, and what a report about it needs."""

from platform import python_version

from PySide6.QtCore import QCoreApplication, Qt, Signal, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.paths import Paths
from app.versions import installed_version
from ui.kit import Button, Card, CardPage, ControlLine, ElidedLabel, Label, Mark, Paragraph
from ui.theme import Theme


class AboutPage(CardPage):
    """Shows the version, the licence, the data folder and the versions of the parts.

    Signals:
        folder_requested: open this `Path` in the platform's file browser.
    """

    folder_requested = Signal(object)

    def __init__(self, theme: Theme, paths: Paths, parent: QWidget | None = None) -> None:
        super().__init__(
            theme, QCoreApplication.translate("AboutPage", "About Causeway"), parent=parent
        )
        self._folder = paths.home
        self._version = installed_version("causeway")
        self._parts = installed_parts()
        program = Card(theme)
        program.add_row(self._program_row())
        program.add_row(self._folder_row())
        self.add_block(program)
        parts = Card(theme)
        for name, number in self._parts.items():
            parts.add_row(self._part_row(name, number))
        self.add_block(parts, self.tr("Made with"))
        copy = Button(theme, self.tr("Copy for a report"), icon="copy-simple")
        copy.clicked.connect(self._copy)
        self.column.addSpacing(12)
        self.column.addWidget(copy, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addStretch(1)

    def _program_row(self) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(16, 16, 16, 16)
        line.setSpacing(16)
        line.addWidget(Mark(self.theme, 40), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(Label(self.theme, f"Causeway {self._version}".strip(), "strong"))
        licence = self.tr(
            "Open models, on your own computer. Free software under the MIT licence. "
            "It sends nothing about you anywhere."
        )
        words.addWidget(Paragraph(self.theme, licence, "small"))
        line.addLayout(words, 1)
        return row

    def _folder_row(self) -> QWidget:
        row = QWidget()
        column = QVBoxLayout(row)
        column.setContentsMargins(16, 14, 16, 14)
        title = Label(self.theme, self.tr("Where your chats and models are"), "label")
        folder = ElidedLabel(self.theme, str(self._folder), "small", "text2")
        show = Button(self.theme, self.tr("Open the folder"))
        show.clicked.connect(self._request_folder)
        column.addWidget(ControlLine([title, folder], [show]))
        return row

    def _part_row(self, name: str, number: str) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(16, 8, 16, 8)
        line.addWidget(Label(self.theme, name))
        line.addStretch(1)
        line.addWidget(Label(self.theme, number, role="text2", tabular=True))
        return row

    def _request_folder(self) -> None:
        self.folder_requested.emit(self._folder)

    def _copy(self) -> None:
        lines = [f"Causeway {self._version}".strip()]
        lines += [f"{name} {number}" for name, number in self._parts.items()]
        QGuiApplication.clipboard().setText("\n".join(lines))


def installed_parts() -> dict[str, str]:
    """The versions that a report about the program needs, of the parts that know theirs."""
    parts = {
        "Python": python_version(),
        "Qt": qVersion(),
        "PySide6": installed_version("pyside6-essentials"),
        "llama-cpp-python": installed_version("llama-cpp-python"),
    }
    return {name: number for name, number in parts.items() if number}
