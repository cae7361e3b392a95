"""What opens under the model button: a search over the installed models, and the way to more."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QListView, QVBoxLayout, QWidget

from catalog.library import InstalledModel
from ui.chat.model_list import ROW_HEIGHT, FitOf, ModelDelegate, ModelList, unknown_fit
from ui.kit import Button, Hairline, Paragraph, SearchField
from ui.kit.painting import RADIUS, rounded
from ui.theme import Theme

WIDTH = 400
_MOST_ROWS = 8


class ModelPopup(QFrame):
    """Opens with the focus in the search field; the arrows move through the list meanwhile.

    Signals:
        model_chosen(str)
        more_requested
    """

    model_chosen = Signal(str)
    more_requested = Signal()

    def __init__(
        self, theme: Theme, fit_of: FitOf = unknown_fit, parent: QWidget | None = None
    ) -> None:
        super().__init__(
            parent,
            Qt.WindowType.Popup
            | Qt.WindowType.FramelessWindowHint
            | Qt.WindowType.NoDropShadowWindowHint,
        )
        self._theme = theme
        self._models = ModelList(fit_of, self)
        self._search = SearchField(theme, self.tr("Search installed models"))
        self._list = QListView()
        self._nothing = Paragraph(theme, self.tr("No installed model has these words."))
        self._more = Button(theme, self.tr("Get more models"), "ghost", "compass")
        # A click on the button that closes the list must not open it again.
        self.setAttribute(Qt.WidgetAttribute.WA_NoMouseReplay)
        self.setAccessibleName(self.tr("Models"))
        self.setFixedWidth(WIDTH)
        self._set_up_list()
        self._lay_out()
        self._search.textChanged.connect(self._search_for)
        self._more.clicked.connect(self._want_more)

    def show_models(
        self, models: Sequence[InstalledModel], current_id: str, loaded_id: str
    ) -> None:
        """The models to choose from, the one this chat uses, and the one in memory."""
        self._models.current_id = current_id
        self._models.loaded_id = loaded_id
        if self._models.show_models(models):
            self._mark(current_id)
            self._fit()
        else:
            # A load tells its progress many times; what is marked by the keys must stay.
            self._list.viewport().update()

    def show_fits(self) -> None:
        """More is known of what fits."""
        self._list.viewport().update()

    def open_below(self, widget: QWidget) -> None:
        """Open under a widget, its left edge at the widget's."""
        self._search.clear()
        self._mark(self._models.current_id)
        self._fit()
        self.move(widget.mapToGlobal(QPoint(0, widget.height() + 4)))
        self.show()
        self._search.setFocus(Qt.FocusReason.PopupFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None:
                self._move(step)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose()
                return True
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        color = self._theme.color
        painter = QPainter(self)
        # The corners show the page that lies below: see-through ones are black on a desktop
        # that does not compose its windows.
        painter.fillRect(self.rect(), color("page"))
        rounded(painter, self.rect(), RADIUS, color("raised"), color("border"))

    def _set_up_list(self) -> None:
        self._list.setModel(self._models)
        self._list.setItemDelegate(ModelDelegate(self._theme, self._models, self._list))
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.setStyleSheet("QListView { background: transparent; outline: none; }")
        self._list.viewport().setAutoFillBackground(False)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self._list.setUniformItemSizes(True)
        self._list.setMouseTracking(True)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setAccessibleName(self.tr("Installed models"))
        self._list.clicked.connect(self._choose)
        self._search.installEventFilter(self)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 4)
        column.setSpacing(4)
        column.addWidget(self._search)
        column.addSpacing(4)
        column.addWidget(self._list)
        column.addWidget(self._nothing)
        column.addSpacing(4)
        column.addWidget(Hairline(self._theme))
        column.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        self._nothing.setContentsMargins(8, 0, 8, 0)

    def _search_for(self, words: str) -> None:
        self._models.search(words)
        self._mark("" if words.strip() else self._models.current_id)
        self._fit()

    def _mark(self, model_id: str) -> None:
        self._list.setCurrentIndex(self._models.index(self._models.row_of(model_id)))

    def _move(self, step: int) -> None:
        row = self._list.currentIndex().row() + step
        if 0 <= row < self._models.rowCount():
            self._list.setCurrentIndex(self._models.index(row))

    def _fit(self) -> None:
        rows = self._models.rowCount()
        self._list.setVisible(rows > 0)
        self._nothing.setVisible(rows == 0)
        self._list.setFixedHeight(min(rows, _MOST_ROWS) * ROW_HEIGHT)
        self.adjustSize()

    def _choose(self) -> None:
        model = self._models.model_at(self._list.currentIndex())
        if model is not None:
            self.close()
            self.model_chosen.emit(model.id)

    def _want_more(self) -> None:
        self.close()
        self.more_requested.emit()
