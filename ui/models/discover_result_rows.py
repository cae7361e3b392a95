"""The results as rows: headings, entries, repositories of the Hub, and notes."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from PySide6.QtCore import QAbstractListModel, QCoreApplication, QModelIndex, QObject, Qt

from app.errors import Problem
from app.formatting import list_date
from catalog.catalogues.entries import Entry
from catalog.fit.fit import Fit
from catalog.hub.records import FoundRepository
from ui.chat.conversation_model import Index
from ui.kit.tooltips import plain_tooltip
from ui.models.discover_entries import EntryFacts
from ui.models.entry_facts import accessible_words
from ui.models.entry_words import parameter_words
from ui.models.fit_words import verdict_words
from ui.models.licence_words import licence_name

Act = Literal[
    "", "retry", "look_further", "more_entries", "show_all_sizes", "clear_filters", "settings"
]


class HeadingRow(NamedTuple):
    title: str


class EntryRow(NamedTuple):
    entry: Entry


class HubRow(NamedTuple):
    """A repository, and whether the quant that most people take would fit."""

    found: FoundRepository
    fit: Fit | None


class NoteRow(NamedTuple):
    """Words in place of results. `act` is what Enter does there, `words` its name."""

    title: str
    text: str = ""
    act: Act = ""
    words: str = ""
    is_problem: bool = False


Row = HeadingRow | EntryRow | HubRow | NoteRow

ROW_ROLE = Qt.ItemDataRole.UserRole
FACTS_ROLE = Qt.ItemDataRole.UserRole + 1


class ResultRows(QAbstractListModel):
    """Shows rows; those at the beginning that stay the same are left alone."""

    def __init__(
        self,
        facts_of: Callable[[Entry], EntryFacts],
        now: Callable[[], float],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._facts_of = facts_of
        self._now = now
        self._rows: list[Row] = []

    def show_rows(self, rows: Sequence[Row]) -> None:
        same = 0
        while same < min(len(rows), len(self._rows)) and rows[same] == self._rows[same]:
            same += 1
        if same < len(self._rows):
            self.beginRemoveRows(QModelIndex(), same, len(self._rows) - 1)
            del self._rows[same:]
            self.endRemoveRows()
        if same < len(rows):
            self.beginInsertRows(QModelIndex(), same, len(rows) - 1)
            self._rows += rows[same:]
            self.endInsertRows()

    def row_at(self, index: Index) -> Row | None:
        return self._rows[index.row()] if 0 <= index.row() < len(self._rows) else None

    def place_of(self, subject: Entry | FoundRepository | None) -> int:
        """The row that shows it, -1 where none does."""
        for place, row in enumerate(self._rows):
            match row, subject:
                case EntryRow(entry), Entry() if entry.id == subject.id:
                    return place
                case HubRow(found, _), FoundRepository() if found.repo == subject.repo:
                    return place
        return -1

    def flags(self, index: Index) -> Qt.ItemFlag:
        row = self.row_at(index)
        if isinstance(row, HeadingRow) or (isinstance(row, NoteRow) and not row.act):
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row_at(index)
        if row is None:
            return None
        if role == ROW_ROLE:
            return row
        if role == FACTS_ROLE and isinstance(row, EntryRow):
            return self._facts_of(row.entry)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._words(row)
        if role == Qt.ItemDataRole.ToolTipRole and isinstance(row, HubRow):
            return plain_tooltip(row.found.repo)
        return None

    def hub_words(self, found: FoundRepository) -> str:
        """“bartowski · 1.2M downloads · apache-2.0 · updated 12 May”."""
        words = [found.author]
        if found.is_peft:
            words.append(self.tr("adapter to convert"))
        if found.downloads:
            words.append(downloads_words(found.downloads))
        if found.licence:
            words.append(licence_name(found.licence))
        if found.updated:
            when = list_date(found.updated, self._now())
            words.append(self.tr("updated {when}").format(when=when))
        return " · ".join(words)

    def _words(self, row: Row) -> str:
        match row:
            case HeadingRow():
                return row.title
            case EntryRow():
                return accessible_words(self._facts_of(row.entry))
            case HubRow():
                words = [row.found.name, self.hub_words(row.found)]
                if row.found.parameters:
                    words.append(parameter_words(row.found.parameters))
                if row.fit is not None:
                    words.append(verdict_words(row.fit))
                return ". ".join(words)
            case NoteRow():
                return " ".join(word for word in (row.title, row.text, row.words) if word)


def problem_row(problem: Problem) -> NoteRow:
    """Why there are no results from the Hub, and the way to try again."""
    text = " ".join(word for word in (problem.why, problem.fix) if word)
    retry = QCoreApplication.translate("Discover", "Try again")
    return NoteRow(problem.what, text, "retry", retry, is_problem=True)


def offline_row() -> NoteRow:
    """The person wants it so: that is no failure."""
    return NoteRow(
        QCoreApplication.translate("Discover", "Causeway stays offline"),
        QCoreApplication.translate(
            "Discover", "Hugging Face is asked again when that is switched off."
        ),
        "settings",
        QCoreApplication.translate("Discover", "Open the settings"),
    )


def downloads_words(count: int) -> str:
    """“1 download”, “12k downloads”."""
    if count == 1:
        return _tr("1 download")
    return _tr("{count} downloads").format(count=count_words(count))


def likes_words(count: int) -> str:
    """“1 like”, “12k likes”."""
    return _tr("1 like") if count == 1 else _tr("{count} likes").format(count=count_words(count))


def count_words(count: int) -> str:
    """“950”, “12k”, “1.2M”."""
    if count >= 999_500:
        return f"{count / 1e6:.1f}M"
    return f"{count / 1e3:.0f}k" if count >= 10_000 else f"{count:,}"


def _tr(text: str) -> str:
    return QCoreApplication.translate("DiscoverResults", text)
