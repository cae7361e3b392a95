"""The models that can answer as rows of the picker: those on this computer, then each service's."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, Qt

from app.formatting import bytes_text, tokens_text
from app.models import ChatModel, OfferedModel, chat_models_first
from catalog.fit.fit import Fit
from catalog.library import InstalledModel
from ui.chat.conversation_model import Index
from ui.chat.leaving import goes_words, leaves_words
from ui.kit.tooltips import plain_tooltip
from ui.models.fit_words import verdict_words

MODEL_ROLE = Qt.ItemDataRole.UserRole


FitOf = Callable[[InstalledModel], Fit | None]


def unknown_fit(model: InstalledModel) -> Fit | None:
    """Says of no model whether it fits."""
    return None


class Heading(NamedTuple):
    """The source of the models below it. `leaves`: what is asked of all of them leaves this computer."""

    title: str
    leaves: bool


class ModelList(QAbstractListModel):
    """The models whose name, quant or source has the words that are searched for.

    Where services are connected, each source has a heading, which can't be chosen.

    Attributes:
        current_id, loaded_id: the model in use, and the one in memory.
        offline: models whose questions would leave this computer can't be chosen.
    """

    def __init__(self, fit_of: FitOf = unknown_fit, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._fit_of = fit_of
        self._models: tuple[ChatModel, ...] = ()
        self._rows: tuple[ChatModel | Heading, ...] = ()
        self._words = ""
        self.current_id = ""
        self.loaded_id = ""
        self.offline = False

    def show_models(self, models: Sequence[ChatModel]) -> bool:
        """Show these; answers whether they are others than before."""
        if self._models == tuple(models):
            return False
        self._models = tuple(models)
        self.search(self._words)
        return True

    def search(self, words: str) -> None:
        """Keep the models that have every one of the words; all of them where there are none."""
        self.beginResetModel()
        self._words = words
        wanted = words.casefold().split()
        found = [
            model for model in self._models if all(word in _searched(model) for word in wanted)
        ]
        self._rows = tuple(self._grouped(found))
        self.endResetModel()

    def row_at(self, index: Index) -> ChatModel | Heading | None:
        return self._rows[index.row()] if 0 <= index.row() < len(self._rows) else None

    def model_at(self, index: Index) -> ChatModel | None:
        row = self.row_at(index)
        return None if isinstance(row, Heading) else row

    def row_of(self, model_id: str) -> int:
        """The row of a model; that of the first where it is not among those found."""
        rows = [
            number
            for number, row in enumerate(self._rows)
            if not isinstance(row, Heading) and row.id == model_id
        ]
        return rows[0] if rows else 0

    def is_barred(self, model: ChatModel) -> bool:
        """Whether the person has said that nothing leaves this computer, and this would."""
        return self.offline and isinstance(model, OfferedModel) and model.leaves

    def beside_words(self, model: ChatModel) -> str:
        """What stands beside the name: how its weights are stored, and if it does not chat."""
        if isinstance(model, OfferedModel):
            return ""
        words = [model.quant, self.tr("completes text only") if model.kind == "completion" else ""]
        return " · ".join(word for word in words if word)

    def end_words(self, model: ChatModel) -> str:
        """What stands at the right: its size or context, or that it is in memory."""
        if isinstance(model, OfferedModel):
            if self.is_barred(model):
                return self.tr("offline")
            return tokens_text(model.context_length) if model.context_length else ""
        return self.tr("in memory") if model.id == self.loaded_id else bytes_text(model.size_bytes)

    def warning_of(self, model: ChatModel) -> Fit | None:
        """Its fit where that is worth a word: it is tight, or too large."""
        if isinstance(model, OfferedModel) or model.id == self.loaded_id:
            return None
        fit = self._fit_of(model)
        return fit if fit is not None and fit.verdict != "fits" else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        model = self.model_at(index)
        if model is None or self.is_barred(model):
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row_at(index)
        if isinstance(row, Heading):
            if role == Qt.ItemDataRole.DisplayRole:
                return row.title
            if role == Qt.ItemDataRole.AccessibleTextRole:
                return f"{row.title}, {leaves_words()}" if row.leaves else row.title
            return None
        if row is None:
            return None
        if role == MODEL_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(self._tooltip(row))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(word for word in self._spoken(row) if word)
        return None

    def _grouped(self, found: Sequence[ChatModel]) -> list[ChatModel | Heading]:
        offered = [model for model in found if isinstance(model, OfferedModel)]
        here = chat_models_first(m for m in found if not isinstance(m, OfferedModel))
        if not any(isinstance(model, OfferedModel) for model in self._models):
            return list(here)
        rows: list[ChatModel | Heading] = []
        if here:
            rows += [Heading(self.tr("On this computer"), False), *here]
        for backend in dict.fromkeys(model.backend for model in offered):
            of_it = [model for model in offered if model.backend == backend]
            rows.append(Heading(of_it[0].source, all(model.leaves for model in of_it)))
            by_name = sorted(of_it, key=lambda model: model.name.casefold())
            rows += by_name
        return rows

    def _tooltip(self, model: ChatModel) -> str:
        if not isinstance(model, OfferedModel):
            return str(model.path)
        if self.is_barred(model):
            return self.tr("Causeway stays offline, so {source} can't be asked.").format(
                source=model.source
            )
        goes = goes_words(model)
        return f"{model.model}\n{goes}" if goes else model.model

    def _spoken(self, model: ChatModel) -> list[str]:
        words = [model.name]
        if isinstance(model, OfferedModel):
            words += [model.source, leaves_words() if model.leaves else ""]
        else:
            words.append(self.beside_words(model))
        words.append(self.end_words(model))
        if (fit := self.warning_of(model)) is not None:
            words.append(verdict_words(fit))
        if model.id == self.current_id:
            words.append(self.tr("chosen"))
        return words


def _searched(model: ChatModel) -> str:
    if isinstance(model, OfferedModel):
        return f"{model.name} {model.model} {model.source}".casefold()
    return f"{model.name} {model.quant} {model.path.name}".casefold()
