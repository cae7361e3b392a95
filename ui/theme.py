"""The look as data: colours by role, type, sizes and times, for light and dark.

Widgets take the one `Theme` in their constructor and ask it for colours while they paint, so that a
change of theme is no more than a repaint. The numbers come from `resources/tokens.json`.
"""

import sys
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple

import msgspec
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from ui.stylesheet import stylesheet

ThemeName = Literal["light", "dark"]
Preference = Literal["system", "light", "dark"]

UI_FAMILY = "Inter"
MONO_FAMILY = "JetBrains Mono"

_PALETTE = {
    QPalette.ColorRole.Window: "page",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Base: "page",
    QPalette.ColorRole.AlternateBase: "panel",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.Button: "raised",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.BrightText: "danger",
    QPalette.ColorRole.PlaceholderText: "text3",
    QPalette.ColorRole.Highlight: "accent",
    QPalette.ColorRole.HighlightedText: "on_accent",
    QPalette.ColorRole.Accent: "accent",
    QPalette.ColorRole.Link: "accent_text",
    QPalette.ColorRole.LinkVisited: "accent_text",
    QPalette.ColorRole.Mid: "border",
    QPalette.ColorRole.Midlight: "hairline",
    QPalette.ColorRole.ToolTipBase: "text",
    QPalette.ColorRole.ToolTipText: "page",
}
_DISABLED = (
    QPalette.ColorRole.WindowText,
    QPalette.ColorRole.Text,
    QPalette.ColorRole.ButtonText,
)


class TypeStyle(msgspec.Struct, frozen=True):
    """A kind of text: size and line height in pixels, weight as OpenType counts it."""

    size: int
    line: int
    weight: int


class Tokens(msgspec.Struct, frozen=True):
    """The numbers of the look. Colours are `#RRGGBB`, overlays `#AARRGGBB`."""

    type_px: dict[str, TypeStyle]
    letter_spacing_px: dict[str, float]
    size_px: dict[str, int]
    motion_ms: dict[str, int]
    light: dict[str, str]
    dark: dict[str, str]


@cache
def load_tokens() -> Tokens:
    data = (resources.files("resources") / "tokens.json").read_bytes()
    return msgspec.json.decode(data, type=Tokens)


class Families(NamedTuple):
    ui: str
    mono: str


def installed_families() -> Families:
    """Inter and JetBrains Mono where they are installed, else the platform's own."""
    general = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).family()
    fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
    return Families(
        UI_FAMILY if QFontDatabase.hasFamily(UI_FAMILY) else general,
        MONO_FAMILY if QFontDatabase.hasFamily(MONO_FAMILY) else fixed,
    )


class Theme(QObject):
    """Colours, fonts and times of the chosen look.

    Signals:
        changed: the colours are others now. Painted widgets need not listen, they are repainted;
            whoever keeps colours (documents, caches) renders again.
    """

    changed = Signal()

    def __init__(self, preference: Preference = "system", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app: QApplication | None = None
        self._preference = preference
        self._families = installed_families()
        self._fonts: dict[tuple[str, bool], QFont] = {}
        self._hints = QApplication.styleHints()
        self._name = self._resolve()
        self._colors = self._read_colors()
        self._hints.colorSchemeChanged.connect(self._follow_system)

    @property
    def name(self) -> ThemeName:
        return self._name

    @property
    def preference(self) -> Preference:
        return self._preference

    def apply(self, app: QApplication) -> None:
        """Give the whole program this look, and keep it up to date."""
        self._app = app
        style = QStyleFactory.create("Fusion")
        if style is not None:
            app.setStyle(style)
        app.setFont(self.font("body"))
        self._ask_platform()
        self._dress()

    def set_preference(self, preference: Preference) -> None:
        self._preference = preference
        self._ask_platform()
        self._follow_system()

    def color(self, role: str) -> QColor:
        """The colour of a role of tokens.json; KeyError where there is none."""
        return self._colors[role]

    def font(self, kind: str = "body", tabular: bool = False) -> QFont:
        """The font of a kind of text. `tabular` gives all digits one width, for what changes."""
        key = (kind, tabular)
        if key not in self._fonts:
            self._fonts[key] = self._make_font(kind, tabular)
        return QFont(self._fonts[key])

    def line_height(self, kind: str = "body") -> int:
        """Pixels from one line to the next."""
        return load_tokens().type_px[kind].line

    def size(self, key: str) -> int:
        """A measure of the layout in pixels: "rail", "list", "inspector", "column", "header", …"""
        return load_tokens().size_px[key]

    def duration(self, key: str) -> int:
        """Milliseconds of a motion; 0 where the platform asks for none.

        Qt passes that wish on from Windows only.
        """
        general = Qt.UIEffect.UI_General
        still = sys.platform == "win32" and not QApplication.isEffectEnabled(general)
        return 0 if still else load_tokens().motion_ms[key]

    def _resolve(self) -> ThemeName:
        if self._preference != "system":
            return self._preference
        return "dark" if self._hints.colorScheme() == Qt.ColorScheme.Dark else "light"

    def _read_colors(self) -> dict[str, QColor]:
        tokens = load_tokens()
        return {
            role: QColor(text)
            for role, text in (tokens.dark if self._name == "dark" else tokens.light).items()
        }

    def _ask_platform(self) -> None:
        """Have title bars and file dialogs follow the choice, where the platform can."""
        schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
        self._hints.setColorScheme(schemes.get(self._preference, Qt.ColorScheme.Unknown))

    def _follow_system(self) -> None:
        name = self._resolve()
        if name == self._name:
            return
        self._name = name
        self._colors = self._read_colors()
        self._dress()
        self.changed.emit()

    def _dress(self) -> None:
        if self._app is None:
            return
        self._app.setPalette(self._palette())
        self._app.setStyleSheet(
            stylesheet(load_tokens().dark if self._name == "dark" else load_tokens().light)
        )

    def _palette(self) -> QPalette:
        palette = QPalette()
        for role, token in _PALETTE.items():
            palette.setColor(role, self.color(token))
        for role in _DISABLED:
            palette.setColor(QPalette.ColorGroup.Disabled, role, self.color("disabled"))
        return palette

    def _make_font(self, kind: str, tabular: bool) -> QFont:
        tokens = load_tokens()
        style = tokens.type_px[kind]
        font = QFont(self._families.mono if kind == "code" else self._families.ui)
        font.setPixelSize(style.size)
        font.setWeight(QFont.Weight(style.weight))
        # Hinting makes Inter lumpy at ratio 1.
        font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
        font.setStyleStrategy(QFont.StyleStrategy.PreferAntialias)
        if kind == "code":
            font.setStyleHint(QFont.StyleHint.Monospace)
            # Code is shown as it is written: no ligatures in place of ==, != or ->.
            font.setFeature(QFont.Tag("calt"), 0)
        if spacing := tokens.letter_spacing_px.get(kind):
            font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, spacing)
        if tabular:
            font.setFeature(QFont.Tag("tnum"), 1)
        return font
