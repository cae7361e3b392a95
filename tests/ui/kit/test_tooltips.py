from PySide6.QtGui import QTextDocument

from ui.kit import ElidedLabel, IconButton
from ui.kit.tooltips import plain_tooltip

HOSTILE = 'A <img src="file:///etc/passwd"> <b>name</b> & more'


def shown(tooltip: str) -> str:
    document = QTextDocument()
    document.setHtml(tooltip)
    return document.toPlainText()


def test_what_looks_like_html_is_shown_as_it_was_written(qapp):
    assert shown(plain_tooltip(HOSTILE)) == HOSTILE


def test_short_plain_words_stay_as_they_are(qapp):
    assert plain_tooltip("1 < 2 & 3") == "1 < 2 & 3"
    assert plain_tooltip("") == ""


def test_a_long_text_is_broken_into_lines(qapp):
    tooltip = plain_tooltip("word " * 40 + "\nend")
    assert tooltip.startswith("<qt>")
    assert shown(tooltip).splitlines()[-1] == "end"


def test_controls_show_names_from_outside_as_plain_text(qtbot, theme):
    button = IconButton(theme, "x", HOSTILE)
    label = ElidedLabel(theme, HOSTILE)
    label.resize(40, 20)
    for widget in (button, label):
        qtbot.addWidget(widget)
    label.grab()
    assert shown(button.toolTip()) == HOSTILE
    assert shown(label.toolTip()) == HOSTILE
