"""The list of conversations itself: its keys, its menu, its keyboard ring."""

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemDelegate, QAbstractItemView, QFrame, QListView, QWidget

from ui.chat.conversation_delegate import ConversationDelegate
from ui.chat.conversation_model import WRITING_ROLE, ConversationModel
from ui.kit import Menu
from ui.kit.painting import came_by_keyboard
from ui.theme import Theme

REST_MS = 150
"""How long the arrows must rest on a conversation before it is opened."""


class ConversationView(QListView):
    """Conversations; choosing one opens it.

    Signals:
        chosen(str): by a click, or the arrows came to rest on it.
        entered_chat(str): by Enter; the person wants to write there.
        writing_begun(str): the person types this; it is meant for the message.
        stop_requested(str): the answer that is being written there shall end.
        delete_requested(str)
        renaming_ended: the field for a new title is gone, with or without one.
    """

    chosen = Signal(str)
    entered_chat = Signal(str)
    writing_begun = Signal(str)
    stop_requested = Signal(str)
    delete_requested = Signal(str)
    renaming_ended = Signal()

    def __init__(
        self, theme: Theme, model: ConversationModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._delegate = ConversationDelegate(theme, model, self)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._choose_current)
        self.setModel(model)
        self.setItemDelegate(self._delegate)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAutoFillBackground(False)
        self.setStyleSheet("QListView { background: transparent; outline: none; }")
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setAccessibleName(self.tr("Chats"))
        self.clicked.connect(self._choose)
        model.repaint_wanted.connect(self.viewport().update)

    def current_id(self) -> str:
        row = self._model.conversation_at(self.currentIndex())
        return row.id if row else ""

    def select(self, conversation_id: str, *, scroll: bool = True) -> None:
        """Mark a conversation as the open one, without saying that it was chosen."""
        index = self._model.index_of(conversation_id)
        self._rest.stop()
        if not index.isValid():
            self.selectionModel().clear()
            return
        place = self.verticalScrollBar().value()
        self.setCurrentIndex(index)
        if scroll:
            self.scrollTo(index)
        else:
            self.verticalScrollBar().setValue(place)

    def rename_current(self) -> None:
        if self.currentIndex().isValid():
            self.edit(self.currentIndex())

    def is_renaming(self) -> bool:
        return self.state() == QAbstractItemView.State.EditingState

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.is_renaming():
            # What the field for the title has no use for, as Enter, is not meant for the list.
            return
        before = self.currentIndex()
        self._show_ring(True)
        match event.key():
            case Qt.Key.Key_F2:
                self.rename_current()
            case Qt.Key.Key_Delete:
                self._request_delete()
            case Qt.Key.Key_Backspace if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self._request_delete()  # what a Mac has in place of Del
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._enter(self.currentIndex())
            case Qt.Key.Key_Home if self._model.ids:
                self.select(self._model.ids[0])
            case Qt.Key.Key_End if self._model.ids:
                self.select(self._model.ids[-1])
            case _ if _is_writing(event):
                # Not a search for titles, as lists have it: a click on a chat is followed by a message.
                self.writing_begun.emit(event.text())
            case _:
                super().keyPressEvent(event)
        if self.currentIndex() != before:
            self._rest.start()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._show_ring(False)
        if event.button() != Qt.MouseButton.LeftButton:
            # It opens the menu of a row; the marked one is still that which is shown.
            return
        super().mousePressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._show_ring(came_by_keyboard(event, self._delegate.keyboard_used))
        if self._delegate.keyboard_used and not self.currentIndex().isValid():
            self._go_to_first()
        super().focusInEvent(event)

    def closeEditor(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:
        super().closeEditor(editor, hint)
        self.renaming_ended.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if by_key else self.indexAt(event.pos())
        if self._model.conversation_at(index) is None:
            return
        where = self.visualRect(index).center() if by_key else event.pos()
        self._open_menu(index, where)

    def _open_menu(self, index: QModelIndex, where: QPoint) -> None:
        row = self._model.conversation_at(index)
        if row is None:
            return
        menu = Menu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self._model.data(index, WRITING_ROLE):
            menu.addAction(self.tr("Stop writing"), lambda: self.stop_requested.emit(row.id))
            menu.addSeparator()
        menu.addAction(self.tr("Rename\tF2"), lambda: self.edit(self._model.index_of(row.id)))
        menu.addAction(self.tr("Delete\tDel"), lambda: self.delete_requested.emit(row.id))
        menu.popup(self.viewport().mapToGlobal(where))

    def _choose(self, index: QModelIndex) -> None:
        if row := self._model.conversation_at(index):
            self._rest.stop()
            self.chosen.emit(row.id)

    def _enter(self, index: QModelIndex) -> None:
        if row := self._model.conversation_at(index):
            self._rest.stop()
            self.entered_chat.emit(row.id)

    def _choose_current(self) -> None:
        self._choose(self.currentIndex())

    def _request_delete(self) -> None:
        if self.current_id():
            self._rest.stop()
            self.delete_requested.emit(self.current_id())

    def _go_to_first(self) -> None:
        index = self._model.index_of(self._model.ids[0]) if self._model.ids else QModelIndex()
        # Under the keys, but not yet chosen.
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)

    def _show_ring(self, shown: bool) -> None:
        self._delegate.keyboard_used = shown
        self.viewport().update()


def _is_writing(event: QKeyEvent) -> bool:
    commands = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
    is_command = event.modifiers() & (commands | Qt.KeyboardModifier.ControlModifier)
    return event.text().isprintable() and bool(event.text().strip()) and not is_command
