"""Which repository of the Hub holds an adapter as it was trained."""

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QWidget

from app.errors import AppError
from app.references import parse_repository
from ui.kit import TextField
from ui.kit.asking_dialog import AskingDialog
from ui.theme import Theme


class RepositoryDialog(AskingDialog):
    """Stays open while the Hub is asked, and says what it answers where that is no.

    Signals:
        asked(str): “OWNER/NAME”.
    """

    asked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._field = TextField(
            theme, _tr("Repository"), _tr("OWNER/NAME, or the address of its page")
        )
        super().__init__(
            theme,
            _tr("Convert an adapter of Hugging Face"),
            _tr(
                "A PEFT adapter is a repository with “adapter_config.json” and "
                "“adapter_model.safetensors”. It is fetched, and made into a GGUF file for a model "
                "that you have."
            ),
            (self._field,),
            working=_tr("Asking Hugging Face…"),
            go_on=_tr("Continue"),
            parent=parent,
        )
        self.confirmed.connect(self._ask)

    def _ask(self) -> None:
        try:
            repo = parse_repository(self._field.text())
        except AppError as error:
            self.show_problem(str(error))
            return
        self.show_working(True)
        self.asked.emit(repo)


def _tr(words: str) -> str:
    return QCoreApplication.translate("RepositoryDialog", words)
