"""The one style sheet: what Qt's own fields, menus and scroll bars need to match what we paint.

`ComboBox` and `Menu` are the kit's: they paint what the sheet takes away from Qt's.
"""

from collections.abc import Mapping
from string import Template

_SHEET = Template("""
QToolTip {
    background: $text; color: $page; border: none; padding: 5px 9px; font-size: 12px;
}
QAbstractScrollArea { border: none; }
QScrollArea[reading="true"] { border: 2px solid transparent; }
QScrollArea[reading="true"]:focus { border-color: $ring; }
QLineEdit, QPlainTextEdit, QAbstractSpinBox, ComboBox {
    background: $raised; color: $text; border: 1px solid $border; border-radius: 8px;
    selection-background-color: $accent; selection-color: $on_accent; placeholder-text-color: $text3;
}
QLineEdit { padding: 0 9px; min-height: 30px; }
ComboBox { padding: 0 11px; min-height: 30px; }
ComboBox[small="true"] { padding: 0 7px; min-height: 22px; border-radius: 6px; }
QPlainTextEdit { padding: 5px 7px; }
QLineEdit[ground="page"], ComboBox[ground="page"] { background: $page; }
QLineEdit:focus { border: 2px solid $ring; padding: 0 8px; min-height: 28px; }
QPlainTextEdit:focus { border: 2px solid $ring; padding: 4px 6px; }
QLineEdit[invalid="true"], QLineEdit[invalid="true"]:focus { border-color: $danger; }
QLineEdit:disabled, QPlainTextEdit:disabled, QAbstractSpinBox:disabled, ComboBox:disabled {
    color: $disabled; border-color: $hairline;
}
QTextEdit[heat="true"] {
    background: $raised; color: $text; border: 1px solid $border; border-radius: 8px; padding: 5px 7px;
}
QTextEdit[heat="true"]:focus { border: 2px solid $ring; padding: 4px 6px; }
QLineEdit:read-only { color: $text2; }
QAbstractSpinBox { padding: 0 6px 0 4px; border-radius: 6px; }
QAbstractSpinBox:focus { border: 2px solid $ring; padding: 0 5px 0 3px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {
    width: 0; border: none; subcontrol-origin: margin;
}
QAbstractSpinBox QLineEdit, QAbstractSpinBox QLineEdit:focus {
    border: none; padding: 0; background: transparent; min-height: 0;
}
ComboBox::drop-down { border: none; width: 28px; }
ComboBox[small="true"]::drop-down { width: 22px; }
ComboBox::down-arrow { image: none; }
ComboBox QAbstractItemView {
    background: $raised; color: $text; border: 1px solid $border; padding: 4px; outline: none;
    selection-background-color: $selected; selection-color: $text;
}
ComboBox QAbstractItemView::item { min-height: 28px; padding: 0 8px; border-radius: 6px; }
ComboBox QAbstractItemView::item:selected { background: $selected; color: $text; }
QPushButton {
    background: $raised; color: $text; border: 1px solid $border; border-radius: 8px;
    padding: 0 11px; min-height: 30px; min-width: 56px; font-weight: 500;
}
QPushButton:hover { background: $fill; }
QPushButton:default { background: $accent; color: $on_accent; border-color: $accent; }
QPushButton:default:hover { background: $accent_hover; }
QPushButton:focus { border: 2px solid $ring; padding: 0 10px; min-height: 28px; }
QPushButton:default:focus { border-color: $text; }
QPushButton:disabled { background: transparent; color: $disabled; border-color: $hairline; }
QMessageBox, QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QMenu { background: $raised; color: $text; border: 1px solid $border; padding: 4px; }
Menu { border-radius: 8px; }
QMenu::item { padding: 6px 28px 6px 10px; border-radius: 6px; }
QMenu::item:selected { background: $selected; }
QMenu::item:disabled { color: $disabled; background: transparent; }
QMenu::indicator { width: 14px; height: 14px; padding-left: 8px; image: none; }
QMenu::icon { padding-left: 8px; }
QMenu::separator { height: 1px; background: $hairline; margin: 4px 6px; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: $scroll; border-radius: 3px; }
QScrollBar::handle:disabled { background: transparent; }
QScrollBar::handle:vertical { min-height: 32px; margin: 4px 3px; }
QScrollBar::handle:horizontal { min-width: 32px; margin: 3px 4px; }
QScrollBar::handle:hover, QScrollBar::handle:pressed { background: $disabled; border-radius: 4px; }
QScrollBar::handle:vertical:hover, QScrollBar::handle:vertical:pressed { margin: 4px 2px; }
QScrollBar::handle:horizontal:hover, QScrollBar::handle:horizontal:pressed { margin: 2px 4px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSplitter::handle { background: $hairline; }
""")


def stylesheet(colors: Mapping[str, str]) -> str:
    """The sheet, with the colours of one theme filled in."""
    return _SHEET.substitute(colors)
