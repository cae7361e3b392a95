"""Which adapters become part of a model, and how strongly."""

from collections.abc import Sequence
from itertools import chain

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.options.adapter_stack import HIGHEST_SCALE, LOWEST_SCALE, StackedAdapter
from catalog.library import InstalledModel
from ui.kit import ComboBox, ElidedLabel, NumberField, Switch
from ui.models.making.making_dialog import MakingDialog
from ui.theme import Theme

_NUMBER_WIDTH = 64
_MOST_AT_ONCE = 8
_ROW_HEIGHT = 32


class MergeDialog(MakingDialog):
    """Offers the models, and the adapters, all of which fit all of the models.

    `picked` is the id of the adapter to begin with, `disk_free` in bytes.

    Signals:
        chosen: the `InstalledModel`, the stack as a tuple of `StackedAdapter`, and the name.
    """

    chosen = Signal(object, object, str)

    def __init__(
        self,
        theme: Theme,
        models: Sequence[InstalledModel],
        adapters: Sequence[InstalledModel],
        disk_free: int,
        *,
        picked: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme,
            _title(models),
            QCoreApplication.translate(
                "MergeDialog",
                "Adapters become part of a model's weights, in a new file that needs no adapter any "
                "more and works in every program. The model and the adapters stay as they are.",
            ),
            QCoreApplication.translate("MergeDialog", "Merge"),
            parent,
        )
        self._models = models
        self._adapters = adapters
        self._disk_free = disk_free
        items = [(f"{model.name} {model.quant}".strip(), model.id) for model in models]
        self._model = ComboBox(theme, self.tr("Into the model"), items)
        self._model.setVisible(len(models) > 1)
        self._model.currentIndexChanged.connect(self._show)
        self.content.addWidget(self._model)
        self._list = QVBoxLayout()
        self._rows = [self._make_row(each, each.id == picked) for each in adapters]
        self._lay_out()
        self.begin_with(self._model, *chain.from_iterable(self._rows))
        if len(models) == 1:
            self._rows[0][0].setFocus(Qt.FocusReason.OtherFocusReason)
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
        self._list.addLayout(line)
        return switch, strength

    def _lay_out(self) -> None:
        """Many adapters scroll: the dialog must stay within the screen."""
        self._list.setSpacing(8)
        if len(self._rows) <= _MOST_AT_ONCE:
            self.content.addLayout(self._list)
            return
        rows = QWidget()
        rows.setLayout(self._list)
        self._list.setContentsMargins(0, 0, 8, 0)
        scroll = QScrollArea()
        scroll.setWidget(rows)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setFixedHeight(_MOST_AT_ONCE * _ROW_HEIGHT)
        self.content.addWidget(scroll)

    def _chosen_model(self) -> InstalledModel:
        return self._models[self._model.currentIndex()]

    def _stack(self) -> tuple[StackedAdapter, ...]:
        return tuple(
            StackedAdapter(adapter.id, strength.value())
            for adapter, (switch, strength) in zip(self._adapters, self._rows, strict=True)
            if switch.isChecked()
        )

    def _show(self) -> None:
        model = self._chosen_model()
        chosen = {each.adapter for each in self._stack()}
        names = [each.name for each in self._adapters if each.id in chosen]
        self.suggest_name(" ".join([model.name, *names]))
        self.show_room(model.size_bytes, self._disk_free)
        self.allow(bool(chosen))
        for switch, strength in self._rows:
            strength.setEnabled(switch.isChecked())

    def _emit(self) -> None:
        self.chosen.emit(self._chosen_model(), self._stack(), self.name)


def _title(models: Sequence[InstalledModel]) -> str:
    if len(models) > 1:
        return QCoreApplication.translate("MergeDialog", "Merge an adapter into a model")
    words = QCoreApplication.translate("MergeDialog", "Merge adapters into {name}")
    return words.format(name=models[0].name)
