"""This computer, in three lines: what its memory has room for."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.formatting import bytes_text
from ui.kit import ElidedLabel, Label, Meter, Panel
from ui.theme import Theme

if TYPE_CHECKING:
    from app.machine import Machine

_GIGABYTE = 1e9


class MachineFoot(Panel):
    """Stands at the foot of the navigation; empty until the machine has been looked at."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "panel", "t", parent)
        self._free = Label(theme, "", "small", "text2", tabular=True)
        self._meter = Meter(theme, self.tr("Memory in use"))
        self._parts = ElidedLabel(theme, "", "caption", "text3", tabular=True)
        head = QHBoxLayout()
        head.addWidget(Label(theme, self.tr("This computer"), "smallmd"))
        head.addStretch(1)
        head.addWidget(self._free)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self._meter)
        column.addWidget(self._parts)

    def show_machine(self, machine: "Machine") -> None:
        """How it is now."""
        memory = machine.memory
        free, total = f"{memory.free / _GIGABYTE:.1f}", f"{memory.total / _GIGABYTE:.0f}"
        self._free.setText(self.tr("{free} of {total} GB free").format(free=free, total=total))
        self._meter.set_fraction(1 - memory.free / memory.total if memory.total else 0.0)
        self._meter.setAccessibleDescription(self._free.text())
        self._parts.setText(self._part_words(machine))

    def _part_words(self, machine: "Machine") -> str:
        cores = self.tr("1 core") if machine.cores == 1 else self.tr("{count} cores")
        disk = self.tr("{size} of disk free").format(size=bytes_text(machine.disk_free))
        device = machine.device or self.tr("no GPU")
        return " · ".join((cores.format(count=machine.cores), device, disk))
