"""What the dialogs have in common that begin work on models."""

from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.formatting import bytes_text
from app.making import has_room
from ui.kit import Button, Label, Paragraph, TextField
from ui.kit.fitted_dialog import FittedDialog
from ui.theme import Theme


class MakingDialog(FittedDialog):
    """Words above, `content` in the middle, a name, and the button that begins.

    The work goes on when the dialog is gone; the line below the models shows it.
    """

    def __init__(
        self, theme: Theme, title: str, words: str, begin: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, title, parent)
        self._allowed = True
        self._has_room = True
        self.content = QVBoxLayout()
        self.content.setSpacing(8)
        self._name = TextField(theme, self.tr("Name of the new file"))
        self._result = Paragraph(theme, "", "small")
        self._result.hide()
        self._begin = Button(theme, begin, "primary")
        self._begin.clicked.connect(self.accept)
        self._name.returnPressed.connect(self._begin.click)
        self._cancel = Button(theme, self.tr("Cancel"))
        self._cancel.clicked.connect(self.reject)
        name = QVBoxLayout()
        name.setSpacing(4)
        name.addWidget(Label(theme, self.tr("Name"), "label"))
        name.addWidget(self._name)
        self.column.setSpacing(16)
        self.column.addWidget(Paragraph(theme, words))
        self.column.addLayout(self.content)
        self.column.addLayout(name)
        self.column.addWidget(self._result)
        self.buttons.addWidget(self._cancel)
        self.buttons.addWidget(self._begin)

    @property
    def name(self) -> str:
        """As the person wrote it; empty for the usual one."""
        return self._name.text().strip()

    def begin_with(self, *stops: QWidget) -> None:
        """The Tab key comes to these first, in this order, and the focus to the first of them."""
        for before, after in pairwise((*stops, self._name, self._cancel, self._begin)):
            self.setTabOrder(before, after)
        stops[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def suggest_name(self, name: str) -> None:
        """What it is called where nothing is written."""
        self._name.setPlaceholderText(name)

    def show_result(self, words: str) -> None:
        """What will come of it."""
        self._result.set_role("text2")
        self._result.set_text(words)
        self._result.show()

    def show_room(self, size_bytes: int, disk_free: int) -> None:
        """What the new file takes of the room on the disk; it can't begin where that is too little.

        `disk_free` 0: nobody knows.
        """
        self._has_room = not disk_free or has_room(size_bytes, disk_free)
        size, free = bytes_text(size_bytes), bytes_text(disk_free)
        if not disk_free:
            words = self.tr("The new file takes about {size}.")
        elif self._has_room:
            words = self.tr("The new file takes about {size}; {free} are free.")
        else:
            words = self.tr(
                "The new file takes about {size}, and only {free} are free. Make room first."
            )
        self.show_result(words.format(size=size, free=free))
        self._result.set_role("text2" if self._has_room else "danger")
        self.allow(self._allowed)

    def allow(self, allowed: bool) -> None:
        """Whether enough is chosen to begin."""
        self._allowed = allowed
        self._begin.setEnabled(allowed and self._has_room)
