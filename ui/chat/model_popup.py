"""What opens under the model button: a search over the models that can answer, and the way to more."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QModelIndex, Signal
from PySide6.QtWidgets import QWidget

from app.models import ChatModel
from ui.chat.model_delegate import ModelDelegate
from ui.chat.model_list import FitOf, ModelList, unknown_fit
from ui.chat.search_popup import PopupWords, SearchPopup
from ui.theme import Theme


class ModelPopup(SearchPopup):
    """The models that can answer; the one in use has a check mark.

    Signals:
        model_chosen(str)
    """

    model_chosen = Signal(str)

    def __init__(
        self, theme: Theme, fit_of: FitOf = unknown_fit, parent: QWidget | None = None
    ) -> None:
        self._models = models = ModelList(fit_of)
        super().__init__(theme, models, models, ModelDelegate(theme, models), _words(), parent)
        models.setParent(self)
        self.picked.connect(self._pick)

    def show_models(self, models: Sequence[ChatModel], current_id: str, loaded_id: str) -> None:
        """The models to choose from, the one this chat uses, and the one in memory."""
        self._models.current_id = current_id
        self._models.loaded_id = loaded_id
        if self._models.show_models(models):
            self.mark(self.first_row())
            self.fit()
        else:
            # A load tells its progress many times; what is marked by the keys must stay.
            self.repaint_rows()

    def show_offline(self, offline: bool) -> None:
        """Whether nothing may leave this computer."""
        self._models.offline = offline
        self.repaint_rows()

    def show_fits(self) -> None:
        """More is known of what fits."""
        self.repaint_rows()

    def first_row(self) -> int:
        row = self._models.row_of(self._models.current_id)
        return row or super().first_row()

    def _pick(self, index: QModelIndex) -> None:
        model = self._models.model_at(index)
        if model is not None:
            self.model_chosen.emit(model.id)


def _words() -> PopupWords:
    def tr(words: str) -> str:
        return QCoreApplication.translate("ModelPopup", words)

    return PopupWords(
        title=tr("Models"),
        search=tr("Search models"),
        rows=tr("Models to choose from"),
        nothing=tr("No model has these words."),
        more=tr("Get more models"),
    )
