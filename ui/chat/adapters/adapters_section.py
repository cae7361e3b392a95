"""The adapters of the chat in the inspector: stacked, slid, muted, put in order."""

from collections.abc import Sequence

import msgspec
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.errors import AppError
from app.options.adapter_stack import MOST_ADAPTERS, StackedAdapter, parse_stack, stack_text
from ui.chat.adapters.adapter_popup import AdapterPopup
from ui.chat.adapters.adapter_row import AdapterRow
from ui.chat.adapters.offers import AdapterOffer
from ui.chat.inspector_section import InspectorSection
from ui.kit import Button, Paragraph
from ui.kit.focus import visit_in_order
from ui.theme import Theme

REST_MS = 250
"""How long a slider must rest before its strength is reported."""


class AdaptersSection(QWidget):
    """The stack of the chat, and the way to add to it.

    Signals:
        changed(str): the stack as the text of its option, after a pause where a slider moves.
        acting_changed(int): so many of them change the next answer now.
        offers_wanted: the list of adapters opens; what is installed may have changed.
        find_requested: the person looks for adapters that are not here yet.
        words_chosen(str): trigger words for the message.
    """

    changed = Signal(str)
    acting_changed = Signal(int)
    offers_wanted = Signal()
    find_requested = Signal()
    words_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._stack: tuple[StackedAdapter, ...] = ()
        self._offers: tuple[AdapterOffer, ...] | None = None
        self._acting = 0
        self._rows: dict[str, AdapterRow] = {}
        self._pause = QTimer(self, singleShot=True, interval=REST_MS)
        self._pause.timeout.connect(self._tell)
        self._popup: AdapterPopup | None = None
        self._none = Paragraph(
            theme, self.tr("An adapter is a small file that changes how a model writes."), "small"
        )
        self._add = Button(theme, self.tr("Add adapter"), "link", "plus")
        self._find = Button(theme, self.tr("Find adapters"), "link", "compass")
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(4)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(self._list)
        column.addWidget(self._none)
        column.addWidget(self._add, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._find, 0, Qt.AlignmentFlag.AlignLeft)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(InspectorSection(theme, self.tr("Adapters"), [body]))
        self._add.clicked.connect(self._open)
        self._find.clicked.connect(self.find_requested)
        self._refresh()

    @property
    def stack(self) -> tuple[StackedAdapter, ...]:
        return self._stack

    @property
    def acting(self) -> int:
        """How many of them change the next answer."""
        return sum(
            not each.muted and each.scale != 0 and not self._problem(each) for each in self._stack
        )

    def show_text(self, text: str) -> None:
        """Show a stack. One that a person is changing stays: it will be reported, and shown."""
        if self._pause.isActive():
            return
        try:
            self._stack = parse_stack(text)
        except AppError:  # a file that was edited by hand
            self._stack = ()
        self._refresh()

    def show_offers(self, offers: Sequence[AdapterOffer] | None) -> None:
        """What is installed; None while that is not known, or no model is chosen."""
        self._offers = None if offers is None else tuple(offers)
        self._refresh()

    def flush(self) -> None:
        """Report at once what waits for a pause: before another chat is shown."""
        if self._pause.isActive():
            self._pause.stop()
            self._tell()

    # What a person does

    def _add_adapter(self, adapter_id: str) -> None:
        self._change((*self._stack, StackedAdapter(adapter_id)))
        self._rows[adapter_id].take_focus()

    def _set_scale(self, scale: float) -> None:
        adapter_id = self._sender_id()
        self._stack = tuple(
            msgspec.structs.replace(each, scale=scale) if each.adapter == adapter_id else each
            for each in self._stack
        )
        self._tell_acting()
        self._pause.start()

    def _set_muted(self, muted: bool) -> None:
        adapter_id = self._sender_id()
        self._change(
            tuple(
                msgspec.structs.replace(each, muted=muted) if each.adapter == adapter_id else each
                for each in self._stack
            )
        )

    def _remove(self) -> None:
        ids = [each.adapter for each in self._stack]
        place = ids.index(self._sender_id())
        self._change((*self._stack[:place], *self._stack[place + 1 :]))
        if self._stack:
            self._rows[self._stack[min(place, len(self._stack) - 1)].adapter].take_focus()
        else:
            self._add.setFocus(Qt.FocusReason.OtherFocusReason)

    def _move(self, step: int) -> None:
        stack = list(self._stack)
        place = [each.adapter for each in stack].index(self._sender_id())
        to = place + step
        if 0 <= to < len(stack):
            stack.insert(to, stack.pop(place))
            self._change(tuple(stack))

    def _open(self) -> None:
        self.offers_wanted.emit()
        if self._popup is None:
            self._popup = AdapterPopup(self._theme, self)
            self._popup.more_requested.connect(self.find_requested)
            self._popup.adapter_chosen.connect(self._add_adapter)
            self._offer_others()
        self._popup.open_below(self._add)

    def _sender_id(self) -> str:
        row = self.sender()
        assert isinstance(row, AdapterRow)
        return row.adapter_id

    def _change(self, stack: tuple[StackedAdapter, ...]) -> None:
        self._pause.stop()
        self._stack = stack
        self._refresh()
        self._tell()

    def _tell(self) -> None:
        self.changed.emit(stack_text(self._stack))

    def _tell_acting(self) -> None:
        if self._acting != self.acting:
            self._acting = self.acting
            self.acting_changed.emit(self._acting)

    # What is shown

    def _refresh(self) -> None:
        wanted = [each.adapter for each in self._stack]
        for adapter_id in [known for known in self._rows if known not in wanted]:
            row = self._rows.pop(adapter_id)
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        offers = {offer.id: offer for offer in self._offers or ()}
        for place, each in enumerate(self._stack):
            row = self._rows.get(each.adapter) or self._make_row(each.adapter)
            if self._list.indexOf(row) != place:
                self._list.insertWidget(place, row)
            row.stackUnder(self._none)  # for screen readers, which read children in that order
            row.show_adapter(
                each, offers.get(each.adapter), self._problem(each), place, len(wanted)
            )
        self._order_focus()
        self._offer_others()
        none = self._offers == () and not self._stack
        self._none.setVisible(none)
        self._find.setVisible(none)
        self._add.setVisible(not none)
        self._add.setEnabled(self._offers is not None and len(wanted) < MOST_ADAPTERS)
        self._tell_acting()

    def _offer_others(self) -> None:
        """What the list holds that opens: the adapters that the chat has not got yet."""
        if self._popup is not None:
            known = {each.adapter for each in self._stack}
            self._popup.show_offers([each for each in self._offers or () if each.id not in known])

    def _make_row(self, adapter_id: str) -> AdapterRow:
        row = self._rows[adapter_id] = AdapterRow(self._theme, adapter_id)
        row.scale_changed.connect(self._set_scale)
        row.mute_changed.connect(self._set_muted)
        row.remove_requested.connect(self._remove)
        row.move_requested.connect(self._move)
        row.words_chosen.connect(self.words_chosen)
        return row

    def _problem(self, stacked: StackedAdapter) -> str:
        """Why it takes no part, in words; empty where it does, or nobody knows yet."""
        if self._offers is None:
            return ""
        offer = next((each for each in self._offers if each.id == stacked.adapter), None)
        if offer is None:
            return self.tr("Left out: it is no longer installed.")
        if offer.fits:
            return ""
        return self.tr("Left out: it does not fit the model. {reason}").format(reason=offer.reason)

    def _order_focus(self) -> None:
        """Tab goes from the top to the bottom, and comes to the section where it always did."""
        stops = [stop for each in self._stack for stop in self._rows[each.adapter].stops]
        visit_in_order([*stops, self._add, self._find], before=self._add)
