"""What can answer on this computer: the program's own engine, and those that others have made."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.plugins import Plugin
from app.versions import installed_version
from ui.kit import Card, CardPage, Chip, ElidedLabel, Paragraph, Tile
from ui.models.services.service_words import models_words
from ui.theme import Theme


class EnginesPage(CardPage):
    """Lists them; one that is broken says why, and harms nothing else."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(
            theme,
            QCoreApplication.translate("EnginesPage", "Engines"),
            reading=True,
            parent=parent,
        )
        own = Card(theme)
        own.add_row(self._make_own_row())
        self.add_block(own)
        self._plugins = Card(theme)
        self.add_block(self._plugins, self.tr("Plug-ins"))
        self.column.addStretch(1)
        self.show_plugins(())

    def show_plugins(self, plugins: Sequence[Plugin]) -> None:
        """The installed ones, broken ones too."""
        old, self._plugins = self._plugins, Card(self.theme)
        for plugin in plugins:
            self._plugins.add_row(self._make_row(plugin))
        if not plugins:
            self._plugins.add_row(self._make_nothing())
        self.column.replaceWidget(old, self._plugins)
        old.hide()
        old.deleteLater()

    def _make_own_row(self) -> QWidget:
        version = installed_version("llama-cpp-python")
        facts = f"llama-cpp-python {version}".strip()
        words = self.tr("Runs model files (GGUF) on this computer.")
        return self._make_line("cube", "llama.cpp", facts, words, Chip(self.theme, "", "ok"), "")

    def _make_row(self, plugin: Plugin) -> QWidget:
        if plugin.error:
            chip = Chip(self.theme, "", "danger")
            return self._make_line(
                "puzzle-piece", plugin.name, plugin.package, "", chip, plugin.error
            )
        words = (
            self.tr("What you write stays on this computer.")
            if plugin.local
            else self.tr("What you write leaves this computer.")
        )
        models = models_words(len(plugin.models))
        facts = " · ".join(part for part in (plugin.package, models) if part)
        chip = Chip(self.theme, "", "ok")
        return self._make_line("puzzle-piece", plugin.name, facts, words, chip, "")

    def _make_line(
        self, icon: str, name: str, facts: str, words: str, chip: Chip, error: str
    ) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(16, 14, 16, 14)
        line.setSpacing(16)
        top = Qt.AlignmentFlag.AlignTop
        tile = Tile(self.theme, icon)
        if error:
            tile.show_icon("warning", "danger", "danger_soft")
        line.addWidget(tile, 0, top)
        column = QVBoxLayout()
        column.setSpacing(1)
        column.addWidget(ElidedLabel(self.theme, name, "strong"))
        if facts:
            column.addWidget(ElidedLabel(self.theme, facts, "small", "text2", tabular=True))
        if words:
            column.addWidget(Paragraph(self.theme, words, "small"))
        if error:
            column.addWidget(Paragraph(self.theme, error, "small", "danger"))
        line.addLayout(column, 1)
        if error:
            chip.set_words(self.tr("Can't be used"), "danger")
        else:
            chip.set_words(self.tr("Ready"), "ok")
        line.addWidget(chip, 0, top)
        return row

    def _make_nothing(self) -> QWidget:
        row = QWidget()
        column = QVBoxLayout(row)
        column.setContentsMargins(16, 14, 16, 14)
        column.addWidget(
            Paragraph(
                self.theme,
                self.tr(
                    "None is installed. A plug-in is a Python package that brings an engine; once "
                    "it is installed beside Causeway, its models are listed like all others."
                ),
                "small",
            )
        )
        return row
