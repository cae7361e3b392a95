"""Which adapters become part of a model, and how strongly."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.formatting import bytes_text
from app.options.adapter_stack import HIGHEST_SCALE, LOWEST_SCALE, StackedAdapter
from catalog.library import InstalledModel
from ui.kit import ElidedLabel, NumberField, Switch
from ui.models.making.making_dialog import MakingDialog
from ui.theme import Theme

_NUMBER_WIDTH = 64


class MergeDialog(MakingDialog):
    """Lists the adapters that fit.

    Signals:
        chosen: the stack, as a tuple of `StackedAdapter`, and the name.
    """

    chosen = Signal(object, str)

    def __init__(
        self,
        theme: Theme,
        model: InstalledModel,
        adapters: Sequence[InstalledModel],
        *,
        picked: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme,
            self.tr("Merge adapters into {name}").format(name=model.name),
            self.tr(
                "They become part of the weights, in a new file that needs no adapter any more "
                "and works in every program. The model and the adapters stay as they are."
            ),
            self.tr("Merge"),
            parent,
        )
        self._model = model
        self._adapters = adapters
        self._rows = [self._make_row(each, each.id == picked) for each in adapters]
        self.show_result(
            self.tr("The new file takes about {size}.").format(size=bytes_text(model.size_bytes))
        )
        self.accepted.connect(self._emit)
        self._show()

    def _make_row(self, adapter: InstalledModel, picked: bool) -> tuple[Switch, NumberField]:
        switch = Switch(self.theme, adapter.name)
        switch.setChecked(picked)
        strength = NumberField(
            self.theme,
            self.tr("Strength of {name}").format(name=adapter.name),
            minimum=LOWEST_SCALE,
            maximum=HIGHEST_SCALE,
            step=0.05,
            decimals=2,
        )
        strength.setValue(1.0)
        strength.setFixedWidth(_NUMBER_WIDTH)
        switch.toggled.connect(self._show)
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addWidget(switch)
        line.addWidget(ElidedLabel(self.theme, adapter.name, "body"), 1)
        line.addWidget(strength)
        self.content.addLayout(line)
        return switch, strength

    def _stack(self) -> tuple[StackedAdapter, ...]:
        return tuple(
            StackedAdapter(adapter.id, strength.value())
            for adapter, (switch, strength) in zip(self._adapters, self._rows, strict=True)
            if switch.isChecked()
        )

    def _show(self) -> None:
        chosen = {each.adapter for each in self._stack()}
        names = [each.name for each in self._adapters if each.id in chosen]
        self.suggest_name(" ".join([self._model.name, *names]))
        self.allow(bool(chosen))
        for switch, strength in self._rows:
            strength.setEnabled(switch.isChecked())

    def _emit(self) -> None:
        self.chosen.emit(self._stack(), self.name)
