"""The requests of late as rows of a list, the newest first."""

from collections.abc import Sequence
from time import time
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)

from app.formatting import list_date, token_speed_text
from app.server.journal import RequestRow

Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()


class RequestList(QAbstractListModel):
    """As many as the journal keeps."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[RequestRow] = []

    def show_rows(self, rows: Sequence[RequestRow]) -> None:
        """Show these, newest first; what is listed already keeps its place and its selection."""
        known = {row.id for row in self._rows}
        listed = {row.id for row in rows}
        for number in range(len(self._rows) - 1, -1, -1):
            if self._rows[number].id not in listed:
                self.beginRemoveRows(_NONE, number, number)
                del self._rows[number]
                self.endRemoveRows()
        new = [row for row in rows if row.id not in known]
        if new:
            self.beginInsertRows(_NONE, 0, len(new) - 1)
            self._rows = list(rows)
            self.endInsertRows()
        # Whoever shows them repaints: telling Qt of each row would have it measure all of them.
        self._rows = list(rows)

    def row_at(self, index: Index) -> RequestRow | None:
        return self._rows[index.row()] if 0 <= index.row() < len(self._rows) else None

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row_at(index)
        if row is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return title_words(row)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            words = (title_words(row), phase_words(row), who_words(row), figures_words(row))
            return ", ".join(word for word in words if word)
        return None


def title_words(row: RequestRow) -> str:
    """Which model is asked; where it is none, what is asked for."""
    return row.model or f"{row.method} {row.path}"


def phase_words(row: RequestRow) -> str:
    match row.phase:
        case "waiting":
            return _tr("Waiting")
        case "loading":
            return _tr("Loading the model")
        case "answering":
            return _tr("Writing")
        case "done":
            return _tr("Done")
        case "failed":
            return (
                _tr("Failed, {status}").format(status=row.status) if row.status else _tr("Failed")
            )
        case "cancelled":
            return _tr("Cancelled")


def who_words(row: RequestRow) -> str:
    """When it came, through which API, and from whom."""
    parts = (list_date(row.began, time()), row.api, row.client, row.agent)
    return " · ".join(part for part in parts if part)


def figures_words(row: RequestRow) -> str:
    """Tokens in, cached, and out, and the speed; empty while there are none."""
    parts: list[str] = []
    if row.prompt_tokens:
        words = _tr("{count} in").format(count=f"{row.prompt_tokens:,}")
        if row.cached_tokens:
            cached = _tr("{count} cached").format(count=f"{row.cached_tokens:,}")
            words = f"{words} ({cached})"
        parts.append(words)
    if row.tokens:
        parts.append(_tr("{count} out").format(count=f"{row.tokens:,}"))
    if row.tokens_per_second > 0:
        parts.append(token_speed_text(row.tokens_per_second))
    return " · ".join(parts)


def details_of(row: RequestRow) -> list[tuple[str, str]]:
    """Everything known of a request, as pairs of name and value."""
    seconds = f"{row.seconds:,.2f} s" if row.seconds else ""
    first = f"{row.first_token_ms / 1000:,.2f} s" if row.first_token_ms else ""
    rows = [
        (_tr("Model"), row.model),
        (_tr("State"), phase_words(row)),
        (_tr("Problem"), row.problem),
        (_tr("Request"), f"{row.method} {row.path}"),
        (_tr("From"), row.client),
        (_tr("Program"), row.agent),
        (_tr("Tokens"), figures_words(row)),
        (_tr("First token after"), first),
        (_tr("In all"), seconds),
        (_tr("Asked"), row.asked),
        (_tr("Answered"), row.answered),
    ]
    return [(name, value) for name, value in rows if value]


def _tr(text: str) -> str:
    return QCoreApplication.translate("Requests", text)
