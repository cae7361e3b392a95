"""The models on this computer, wherever they lie; or the adapters."""

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from catalog.library import InstalledModel, LibraryProblem, PlaceKind
from ui.kit import Button, ComboBox, EmptyState, Label, MenuButton, Panel, SearchField
from ui.models.installed_delegate import COLUMN, FitOf
from ui.models.installed_list import GlanceOf, InstalledList, place_title
from ui.models.installed_view import InstalledView
from ui.theme import Theme

_MARGIN = 24

Kind = Literal["models", "adapters"]


class InstalledPage(Panel):
    """A list with a search field over it; one of models, another of adapters.

    Signals:
        opened: show this `InstalledModel` or `LibraryProblem`; a click, or Enter.
        walked_to: the keys came to it.
        chat_requested: chat with this `InstalledModel`.
        file_requested: the person wants to add a model file.
        folder_requested, repository_requested: the person has an adapter as it was trained (PEFT),
            here or on the Hub.
        discover_requested: the person looks for something to fetch.
    """

    opened = Signal(object)
    walked_to = Signal(object)
    chat_requested = Signal(object)
    file_requested = Signal()
    folder_requested = Signal()
    repository_requested = Signal()
    discover_requested = Signal()

    def __init__(
        self,
        theme: Theme,
        kind: Kind,
        fit_of: FitOf,
        glance_of: GlanceOf = lambda adapter: None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, "page", parent=parent)
        self._theme = theme
        self._kind = kind
        self._read = False
        self._rows = InstalledList(self, glance_of)
        self._view = InstalledView(theme, self._rows, fit_of, glance_of)
        self._title = Label(theme, "", "heading")
        search = self.tr("Search models") if kind == "models" else self.tr("Search adapters")
        self._search = SearchField(theme, search)
        self._search.setClearButtonEnabled(True)
        self._search.setMaximumWidth(220)
        self._order = ComboBox(
            theme,
            self.tr("Order"),
            (
                (self.tr("By name"), "name"),
                (self.tr("Largest first"), "largest"),
                (self.tr("Smallest first"), "smallest"),
            ),
        )
        self._order.setFixedWidth(136)
        self._add = MenuButton(theme, self.tr("Add"))
        self._add.setVisible(kind == "adapters")
        for words, signal in (
            (self.tr("A GGUF file…"), self.file_requested),
            (self.tr("A PEFT adapter in a folder…"), self.folder_requested),
            (self.tr("A PEFT adapter on Hugging Face…"), self.repository_requested),
        ):
            self._add.menu.addAction(words).triggered.connect(signal)
        self._empty = self._make_empty_state()
        self._nothing = EmptyState(
            theme,
            "magnifying-glass",
            self.tr("Nothing found"),
            self.tr("Nothing that is installed has these words."),
        )
        self._lay_out()
        self._connect()
        self.keep_place(None)

    def show_rows(
        self, models: Sequence[InstalledModel], problems: Sequence[LibraryProblem] = ()
    ) -> None:
        """Show these; the selection and the place in the list stay."""
        self._read = True
        place = self._view.verticalScrollBar().value()
        row = self._view.current_row()
        self._rows.show_rows(models, problems)
        self._view.doItemsLayout()
        if row is not None:
            self._view.setCurrentIndex(self._rows.index_of(row.path))
        self._view.verticalScrollBar().setValue(place)
        self._show_emptiness()

    def show_loaded(self, model_id: str) -> None:
        """The model that is in memory; empty for none."""
        self._view.show_loaded(model_id)

    def show_fits(self) -> None:
        """More is known of what fits."""
        self._view.viewport().update()

    def keep_place(self, place: PlaceKind | None) -> None:
        """Show only what was found there; None: everything."""
        self._rows.keep_place(place)
        if place is not None:
            self._title.setText(place_title(place))
        elif self._kind == "models":
            self._title.setText(self.tr("On this computer"))
        else:
            self._title.setText(self.tr("Adapters"))
        self._show_emptiness()

    def select(self, path: object) -> None:
        """Mark the row of that file; None marks none."""
        self._view.select(path)

    def take_focus(self) -> None:
        self._view.setFocus(Qt.FocusReason.OtherFocusReason)

    def focus_search(self) -> None:
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search.selectAll()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent):
            clears = event.key() == Qt.Key.Key_Escape and bool(self._search.text())
            if event.type() == QEvent.Type.ShortcutOverride and clears:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                if clears:
                    self._search.clear()
                    return True
                if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
                    self._view.setFocus(Qt.FocusReason.TabFocusReason)
                    return True
        return super().eventFilter(watched, event)

    def _make_empty_state(self) -> EmptyState:
        if self._kind == "adapters":
            browse = Button(self._theme, self.tr("Find adapters"), icon="compass")
            title = self.tr("No adapters yet")
            words = self.tr("An adapter is a small file that changes how a model writes.")
        else:
            browse = Button(self._theme, self.tr("Browse the catalogue"), icon="compass")
            title = self.tr("No models yet")
            words = self.tr(
                "Fetch one from the catalogue, or use a GGUF file that you have: "
                "drop it anywhere on this window."
            )
        browse.clicked.connect(self.discover_requested)
        add = Button(self._theme, self.tr("Add a file…"), "ghost")
        add.clicked.connect(self.file_requested)
        icon = "stack-simple" if self._kind == "adapters" else "cube"
        return EmptyState(self._theme, icon, title, words, [browse, add])

    def _lay_out(self) -> None:
        bar = Panel(self._theme, "page", "b")
        bar.setFixedHeight(self._theme.size("header"))
        content = QWidget()
        content.setMaximumWidth(COLUMN)
        line = QHBoxLayout(content)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(self._title)
        line.addStretch(1)
        line.addWidget(self._add)
        line.addWidget(self._search, 100)
        line.addWidget(self._order)
        self._margins = QHBoxLayout(bar)
        self._margins.setContentsMargins(_MARGIN, 0, _MARGIN, 0)
        self._margins.addStretch(1)
        self._margins.addWidget(content, 100)
        self._margins.addStretch(1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._view)
        self._stack.addWidget(_at_top(self._empty))
        self._stack.addWidget(_at_top(self._nothing))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addSpacing(8)
        column.addWidget(self._stack, 1)

    def _connect(self) -> None:
        self._view.setAccessibleName(self._title.text())
        self._search.installEventFilter(self)
        self._search.textChanged.connect(self._search_for)
        self._order.activated.connect(self._order_changed)
        self._view.opened.connect(self.opened)
        self._view.walked_to.connect(self.walked_to)
        self._view.chat_requested.connect(self.chat_requested)
        self._view.verticalScrollBar().rangeChanged.connect(self._keep_edge)

    def _search_for(self, words: str) -> None:
        self._rows.search(words)
        self._show_emptiness()

    def _order_changed(self) -> None:
        self._rows.order_by(self._order.currentData())

    def _show_emptiness(self) -> None:
        if self._rows.rowCount() or not self._read:
            self._stack.setCurrentIndex(0)
        else:
            self._stack.setCurrentIndex(2 if self._rows.is_narrowed else 1)
        self._view.setAccessibleName(self._title.text())

    def _keep_edge(self, minimum: int, maximum: int) -> None:
        """The scroll bar narrows the list; the title keeps to the same left edge."""
        taken = self._view.verticalScrollBar().sizeHint().width() if maximum > minimum else 0
        self._margins.setContentsMargins(_MARGIN, 0, _MARGIN + taken, 0)


def _at_top(widget: QWidget) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 48, 0, 0)
    column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
    column.addStretch(1)
    return holder
