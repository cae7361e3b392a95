"""The preset of a chat's sampling, and what else can be done with all of its settings at once."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QWidget

from app.presets import PRESETS
from ui.kit import MenuButton
from ui.theme import Theme


class PresetButton(MenuButton):
    """Names the preset in force.

    Signals:
        chosen(str): the key of a preset.
        adoption_requested: these settings shall be those of new chats.
        profile_requested: these settings shall be kept as a profile of the model.
        pointed_at(str, str): title and help of the preset under pointer or keys; empty for none.
    """

    chosen = Signal(str)
    adoption_requested = Signal()
    profile_requested = Signal()
    pointed_at = Signal(str, str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent=parent)
        self._actions: dict[str, QAction] = {}
        group = QActionGroup(self)
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        for preset in PRESETS:
            action = self.menu.addAction(self.tr(preset.title))
            action.setCheckable(True)
            action.setData(preset.key)
            action.setWhatsThis(self.tr(preset.help))
            group.addAction(action)
            self._actions[preset.key] = action
        self.menu.addSeparator()
        self._adopt = self.menu.addAction(self.tr("Use these settings for new chats"))
        self._adopt.triggered.connect(self.adoption_requested)
        self._keep = self.menu.addAction(self.tr("Keep these settings as a profile of the model"))
        self._keep.triggered.connect(self.profile_requested)
        group.triggered.connect(self._choose)
        self.menu.hovered.connect(self._point_at)
        self.menu.aboutToHide.connect(self._point_at_none)
        self.show_preset("", can_adopt=False, can_keep=False)

    def show_preset(self, key: str, *, can_adopt: bool, can_keep: bool) -> None:
        """The preset that the settings are, empty for none; whether they are worth adopting for new
        chats, or keeping for the model."""
        self._key = key
        for name, action in self._actions.items():
            action.setChecked(name == key)
        title = self._actions[key].text() if key else self.tr("Custom")
        self.set_words(self.tr("Preset: {title}").format(title=title))
        self._adopt.setEnabled(can_adopt)
        self._keep.setEnabled(can_keep)

    def _choose(self, action: QAction) -> None:
        key = action.data()
        # Choosing the one in force again must not uncheck it.
        self._actions[key].setChecked(True)
        if key != self._key:
            self.chosen.emit(key)

    def _point_at(self, action: QAction) -> None:
        self.pointed_at.emit(action.text() if action.data() else "", action.whatsThis())

    def _point_at_none(self) -> None:
        self.pointed_at.emit("", "")
