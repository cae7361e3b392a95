"""The conversations as rows of a list, under dated headings."""

from collections.abc import Iterator, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from app.conversations.records import ConversationRow
from app.formatting import list_date
from ui.chat.conversation_groups import group_title

Index = QModelIndex | QPersistentModelIndex
Line = ConversationRow | str
"""A conversation, or the title of a group."""

LINE_ROLE = Qt.ItemDataRole.UserRole
WRITING_ROLE = Qt.ItemDataRole.UserRole + 1
WHEN_ROLE = Qt.ItemDataRole.UserRole + 2


class ConversationModel(QAbstractListModel):
    """Conversations in the order given, a heading before each new group.

    Signals:
        renamed(str, str): a person gave the conversation of that id a new title. The model keeps
            the old one until it is shown new rows.
        repaint_wanted: what the lines say has changed, but not which lines there are. Deliberately
            not `dataChanged`: QListView answers that by asking the delegate, in Python, for the
            size of every row.
    """

    renamed = Signal(str, str)
    repaint_wanted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines: tuple[Line, ...] = ()
        self._positions: dict[str, int] = {}
        self._writing: frozenset[str] = frozenset()
        self._now = 0.0

    def show_rows(self, rows: Sequence[ConversationRow], now: float) -> bool:
        """Show these; times are told relative to `now`, in Unix seconds.

        Answers whether lines came, went or moved, rather than only say other words.
        """
        lines = tuple(_with_groups(rows, now))
        same_places = _places(lines) == _places(self._lines)
        if not same_places:
            self.beginResetModel()
        self._now = now
        self._lines = lines
        self._positions = {
            line.id: position
            for position, line in enumerate(lines)
            if isinstance(line, ConversationRow)
        }
        if same_places:
            self.repaint_wanted.emit()
        else:
            self.endResetModel()
        return not same_places

    def show_writing(self, conversation_ids: frozenset[str]) -> None:
        """Mark the conversations in which answers are being written."""
        self._writing = conversation_ids
        self.repaint_wanted.emit()

    @property
    def ids(self) -> tuple[str, ...]:
        """The conversations from top to bottom."""
        return tuple(self._positions)

    def index_of(self, conversation_id: str) -> QModelIndex:
        position = self._positions.get(conversation_id)
        return QModelIndex() if position is None else self.index(position)

    def conversation_at(self, index: Index) -> ConversationRow | None:
        line = self._line(index)
        return line if isinstance(line, ConversationRow) else None

    def neighbour(self, conversation_id: str, step: int) -> str:
        """The id `step` conversations further down, from no conversation the first one; an empty
        text past either end.
        """
        ids = self.ids
        if conversation_id not in self._positions:
            return ids[0] if ids else ""
        position = ids.index(conversation_id) + step
        return ids[position] if 0 <= position < len(ids) else ""

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 -- Qt's own default
        return 0 if parent.isValid() else len(self._lines)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if self.conversation_at(index) is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        line = self._line(index)
        if line is None:
            return None
        if role == LINE_ROLE:
            return line
        if isinstance(line, str):
            text_roles = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)
            return line if role in text_roles else None
        return self._conversation_data(line, role)

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        row = self.conversation_at(index)
        title = str(value).strip()
        if row is None or role != Qt.ItemDataRole.EditRole or title in ("", row.title):
            return False
        self.renamed.emit(row.id, title)
        return True

    def snippet(self, row: ConversationRow) -> str:
        """The second line of a row: what happens, went wrong, or was said last."""
        if row.id in self._writing:
            return self.tr("Writing…")
        if row.status == "interrupted":
            return self.tr("The answer was cut off")
        if row.snippet:
            return row.snippet
        return self.tr("Stopped") if row.status == "stopped" else self.tr("No answer yet")

    def _conversation_data(self, row: ConversationRow, role: int) -> Any:
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.title or self.tr("New chat")
            case Qt.ItemDataRole.EditRole:
                return row.title
            case Qt.ItemDataRole.AccessibleTextRole:
                return ". ".join(
                    (
                        row.title or self.tr("New chat"),
                        self.snippet(row),
                        list_date(row.updated, self._now),
                    )
                )
            case _ if role == WHEN_ROLE:
                return list_date(row.updated, self._now)
            case _ if role == WRITING_ROLE:
                return row.id in self._writing
        return None

    def _line(self, index: Index) -> Line | None:
        return self._lines[index.row()] if 0 <= index.row() < len(self._lines) else None


def _with_groups(rows: Sequence[ConversationRow], now: float) -> Iterator[Line]:
    group = ""
    for row in rows:
        title = group_title(row.updated, now)
        if title != group:
            group = title
            yield title
        yield row


def _places(lines: Sequence[Line]) -> tuple[str, ...]:
    return tuple(line if isinstance(line, str) else f"\0{line.id}" for line in lines)
