"""The order of the samplers: moved by mouse or keyboard, each on or off."""

from typing import get_args

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.options import Option, Value
from backends.protocol import Sampler
from ui.chat.option_row import OptionRow
from ui.chat.rows.order_list import OrderList
from ui.kit import Paragraph
from ui.theme import Theme


class OrderRow(OptionRow):
    """A list of all samplers. Those that are off stay where they are until it is shown anew."""

    def __init__(self, theme: Theme, option: Option, parent: QWidget | None = None) -> None:
        super().__init__(theme, option, parent)
        self._list = OrderList(theme, self.tr(option.title), self._titles())
        self._list.setAccessibleDescription(self.tr(option.help))
        self._list.reordered.connect(self._reordered)
        self.watch(self._list)
        keys = self.tr("Drag one, or move it with Alt and an arrow key. Space switches it.")
        head = QHBoxLayout()
        head.setContentsMargins(0, 4, 0, 0)
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._reset)
        body = QVBoxLayout()
        body.setContentsMargins(0, 4, 0, 4)
        body.setSpacing(4)
        body.addWidget(self._list)
        body.addWidget(Paragraph(theme, keys, "small", "text3"))
        self.put_lines(head, body)
        self.show_value(option.default, option.default)

    def show_control(self, value: Value, default: Value) -> None:
        on = str(value).replace(",", " ").split()
        if on != self._list.on:
            self._list.show_order(on)

    def main_control(self) -> QWidget:
        return self._list

    def _reordered(self) -> None:
        self.take(" ".join(self._list.on))

    def _titles(self) -> dict[str, str]:
        titles: dict[Sampler, str] = {
            "penalties": self.tr("Penalties"),
            "dry": "DRY",
            "top_n_sigma": self.tr("Top-n-sigma"),
            "top_k": self.tr("Top-k"),
            "typical_p": self.tr("Typical-p"),
            "top_p": self.tr("Top-p"),
            "min_p": self.tr("Min-p"),
            "xtc": "XTC",
            "temperature": self.tr("Temperature"),
        }
        return {name: titles[name] for name in get_args(Sampler)}
