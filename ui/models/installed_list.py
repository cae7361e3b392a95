"""What is on this computer as rows: models, and files that can't be used."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from PySide6.QtCore import QAbstractListModel, QCoreApplication, QModelIndex, QObject, Qt

from app.adapters import AdapterGlance
from app.formatting import bytes_text
from catalog.library import InstalledModel, LibraryProblem, PlaceKind
from catalog.library.titles import file_beside
from ui.chat.conversation_model import Index
from ui.kit.tooltips import plain_tooltip
from ui.models.entry_words import parameter_words
from ui.models.fit_words import context_words

Row = InstalledModel | LibraryProblem
Order = Literal["name", "largest", "smallest"]

GlanceOf = Callable[[InstalledModel], AdapterGlance | None]

ROW_ROLE = Qt.ItemDataRole.UserRole

_ORDERS: dict[Order, Callable[[InstalledModel], tuple[int, str]]] = {
    "name": lambda model: (0, model.name.casefold()),
    "largest": lambda model: (-model.size_bytes, model.name.casefold()),
    "smallest": lambda model: (model.size_bytes, model.name.casefold()),
}


class InstalledList(QAbstractListModel):
    """The rows that have the words that are searched for, from one place or from all.

    `glance_of` tells more of an adapter; None for one of which nothing is known, or not yet.
    """

    def __init__(
        self, parent: QObject | None = None, glance_of: GlanceOf = lambda adapter: None
    ) -> None:
        super().__init__(parent)
        self._glance_of = glance_of
        self._models: tuple[InstalledModel, ...] = ()
        self._problems: tuple[LibraryProblem, ...] = ()
        self._rows: tuple[Row, ...] = ()
        self._words: tuple[str, ...] = ()
        self._order: Order = "name"
        self._place: PlaceKind | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether something may be left out."""
        return bool(self._words) or self._place is not None

    def show_rows(
        self, models: Sequence[InstalledModel], problems: Sequence[LibraryProblem] = ()
    ) -> None:
        """Show these. Problems stand below the models."""
        self._models, self._problems = tuple(models), tuple(problems)
        self._arrange()

    def search(self, words: str) -> None:
        """Keep the rows that have every one of the words."""
        self._words = tuple(words.casefold().split())
        self._arrange()

    def order_by(self, order: Order) -> None:
        self._order = order
        self._arrange()

    def keep_place(self, place: PlaceKind | None) -> None:
        """Only what was found there; None: everything."""
        self._place = place
        self._arrange()

    def row_at(self, index: Index) -> Row | None:
        return self._rows[index.row()] if 0 <= index.row() < len(self._rows) else None

    def index_of(self, path: object) -> Index:
        """Where the file of that path stands; an invalid index where it does not."""
        for number, row in enumerate(self._rows):
            if row.path == path:
                return self.index(number)
        return QModelIndex()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row_at(index)
        if row is None:
            return None
        if role == ROW_ROLE:
            return row
        words: tuple[str, ...]
        if isinstance(row, LibraryProblem):
            words = (row.path.name, str(row.error))
        else:
            glance = self._glance_of(row)
            fits = glance_words(glance) if glance is not None else ""
            words = (row.name, row.quant, fact_words(row, glance), place_words(row), fits)
        if role == Qt.ItemDataRole.DisplayRole:
            return words[0]
        if role == Qt.ItemDataRole.ToolTipRole:
            if isinstance(row, LibraryProblem):
                return plain_tooltip(str(row.error))
            return plain_tooltip(str(row.path))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(word for word in words if word)
        return None

    def _arrange(self) -> None:
        self.beginResetModel()
        models = [model for model in self._models if self._keeps(model)]
        models.sort(key=_ORDERS[self._order])
        problems = () if self._place else self._problems
        kept = [p for p in problems if all(w in p.path.name.casefold() for w in self._words)]
        self._rows = (*models, *kept)
        self.endResetModel()

    def _keeps(self, model: InstalledModel) -> bool:
        if self._place is not None and model.place != self._place:
            return False
        text = f"{model.name} {model.quant} {model.architecture} {model.path.name}".casefold()
        return all(word in text for word in self._words)


def fact_words(model: InstalledModel, glance: AdapterGlance | None = None) -> str:
    """“1.92 GB · 3.1 B · 64k context”, and the file where its name says more; of an adapter, “48 MB · llama · rank 16 · for SmolLM3-3B”."""
    facts = [bytes_text(model.size_bytes, digits=2)]
    if model.kind == "adapter":
        facts.append(model.architecture)
        if glance is not None and glance.rank:
            facts.append(_tr("rank {rank}").format(rank=glance.rank))
        facts.append(_tr("for {model}").format(model=model.base) if model.base else "")
        facts.append(file_beside(model.name, model.quant, model.path.name))
        return " · ".join(fact for fact in facts if fact)
    if model.parameters:
        facts.append(parameter_words(model.parameters))
    if model.context_length:
        context = context_words(model.context_length)
        facts.append(_tr("{length} context").format(length=context))
    facts.append(file_beside(model.name, model.quant, model.path.name))
    return " · ".join(fact for fact in facts if fact)


def glance_words(glance: AdapterGlance) -> str:
    """How many of the models that are here an adapter fits."""
    if not glance.n_fitting:
        return _tr("Fits no model here")
    if glance.n_fitting == 1:
        return _tr("Fits 1 model")
    return _tr("Fits {count} models").format(count=glance.n_fitting)


def place_words(model: InstalledModel) -> str:
    """By whom it was fetched; empty for what is ours."""
    return place_title(model.place) if model.place != "own" else ""


def place_title(place: PlaceKind) -> str:
    """What the place is called in a chip and in the navigation."""
    return {
        "own": "Causeway",
        "added": _tr("In place"),
        "folder": _tr("Your folder"),
        "lm_studio": "LM Studio",
        "gpt4all": "GPT4All",
        "ollama": "Ollama",
        "hub_cache": _tr("Hub cache"),
        "llama_cpp": "llama.cpp",
    }[place]


def kind_words(model: InstalledModel) -> str:
    """What it does, where that is not chatting."""
    return {
        "chat": "",
        "completion": _tr("Completes text"),
        "embedding": _tr("Finds passages"),
        "adapter": "",
    }[model.kind]


def _tr(text: str) -> str:
    return QCoreApplication.translate("Installed", text)
