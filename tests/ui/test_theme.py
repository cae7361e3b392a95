import itertools
from string import Template

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.colors import contrast, over
from ui import stylesheet
from ui.kit import Panel
from ui.theme import Preference, Theme, load_tokens

LEAST_CONTRAST = 4.5
INKS = ("text", "text2", "text3")
GROUNDS = ("rail", "panel", "page", "raised", "sunken")
# Ink and ground as the kit lays them over each other, beside those of INKS on GROUNDS.
PAIRS = [
    *itertools.product(("text", "text2"), ("tint", "fill", "selected")),
    *itertools.product(
        ("text", "text2"), ("accent_soft", "warn_soft", "danger_soft", "ok_soft", "fill")
    ),
    *itertools.product(("text3",), ("tint", "selected")),
    *itertools.product(
        ("accent_text",), ("accent_soft", "page", "panel", "raised", "selected", "tint", "rail")
    ),
    *itertools.product(("on_accent",), ("accent", "accent_hover", "accent_press")),
    *itertools.product(("danger", "warn", "ok"), ("page", "panel", "raised")),
    *((state, f"{state}_soft") for state in ("ok", "warn", "danger")),
    *((f"syn_{kind}", "sunken") for kind in ("kw", "fn", "str", "num", "com")),
    ("page", "text"),  # the tooltip
]
# What hover and press are laid over, beside the above.
LIT_PAIRS = [("danger", "raised"), ("accent_text", "accent_soft"), ("accent_text", "page")]


@pytest.fixture(params=["light", "dark"])
def either(request: pytest.FixtureRequest, qapp: QApplication) -> Theme:
    return Theme(request.param)


def test_text_can_be_read_on_its_ground(either: Theme) -> None:
    color = either.color
    measured = {
        f"{ink} on {ground}": contrast(color(ink), color(ground))
        for ink, ground in [*itertools.product(INKS, GROUNDS), *PAIRS]
    }
    assert _too_low(measured, LEAST_CONTRAST) == {}


def test_text_can_be_read_under_the_pointer_too(either: Theme) -> None:
    color = either.color
    measured = {
        f"{ink} on {overlay} on {ground}": contrast(color(ink), over(color(overlay), color(ground)))
        for ink, ground in [*itertools.product(INKS, GROUNDS), *LIT_PAIRS]
        for overlay in ("hover", "press")
    }
    assert _too_low(measured, LEAST_CONTRAST) == {}


def test_the_focus_ring_can_be_seen(either: Theme) -> None:
    measured = {
        ground: contrast(either.color("ring"), either.color(ground))
        for ground in (*GROUNDS, "selected", "tint")
    }
    assert _too_low(measured, 3) == {}


def test_both_themes_know_the_same_roles() -> None:
    tokens = load_tokens()
    assert tokens.light.keys() == tokens.dark.keys()


def test_an_unknown_role_is_an_error(theme: Theme) -> None:
    with pytest.raises(KeyError):
        theme.color("teal")


def test_a_theme_change_repaints_what_is_there(theme: Theme, qtbot: QtBot) -> None:
    panel = Panel(theme, "panel")
    qtbot.addWidget(panel)
    panel.resize(20, 20)
    light = panel.grab().toImage().pixelColor(5, 5)
    with qtbot.waitSignal(theme.changed):
        theme.set_preference("dark")
    dark = panel.grab().toImage().pixelColor(5, 5)
    assert (light, dark) == (
        QColor(load_tokens().light["panel"]),
        QColor(load_tokens().dark["panel"]),
    )


def test_the_palette_and_the_sheet_follow_the_theme(theme: Theme, qapp: QApplication) -> None:
    theme.set_preference("dark")
    dark = load_tokens().dark
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(dark["page"])
    assert dark["scroll"] in qapp.styleSheet()


def test_choosing_what_already_shows_changes_nothing(theme: Theme, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(theme.changed):
        theme.set_preference("light")


def test_every_colour_of_the_sheet_is_a_role() -> None:
    template: Template = stylesheet._SHEET
    assert set(template.get_identifiers()) <= load_tokens().light.keys()


def test_text_is_not_hinted_and_has_the_sizes_of_the_look(theme: Theme) -> None:
    for kind, style in load_tokens().type_px.items():
        font = theme.font(kind)
        assert font.pixelSize() == style.size
        assert font.weight() == style.weight
        assert font.hintingPreference() == QFont.HintingPreference.PreferNoHinting
        assert QFontMetricsF(font).height() <= theme.line_height(kind) + 1


def test_tabular_digits_have_one_width(theme: Theme) -> None:
    metrics = QFontMetricsF(theme.font("body", tabular=True))
    assert metrics.horizontalAdvance("1111") == metrics.horizontalAdvance("0000")


@pytest.mark.parametrize(
    ("platform", "effects", "moves"),
    [("win32", False, False), ("win32", True, True), ("linux", False, True)],
)
def test_nothing_moves_where_windows_asks_for_that(
    theme: Theme, monkeypatch: pytest.MonkeyPatch, platform: str, effects: bool, moves: bool
) -> None:
    monkeypatch.setattr("ui.theme.sys.platform", platform)
    monkeypatch.setattr(QApplication, "isEffectEnabled", lambda effect: effects)
    assert bool(theme.duration("progress")) == moves


class Platform:
    """Stands for the desktop's settings, which a test can't change."""

    scheme = Qt.ColorScheme.Light

    def colorScheme(self) -> Qt.ColorScheme:  # noqa: N802 (Qt calls it that)
        return self.scheme


@pytest.mark.parametrize(("preference", "name"), [("system", "dark"), ("light", "light")])
def test_the_system_is_followed_where_that_is_wished(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, preference: Preference, name: str
) -> None:
    theme = Theme(preference)
    monkeypatch.setattr(theme, "_hints", Platform())
    assert theme.name == "light"
    monkeypatch.setattr(Platform, "scheme", Qt.ColorScheme.Dark)
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert theme.name == name


def _too_low(measured: dict[str, float], least: float) -> dict[str, float]:
    return {pair: round(value, 2) for pair, value in measured.items() if value < least}
