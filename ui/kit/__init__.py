"""The controls of the window, in the drawn look. Each takes the `Theme` first."""

from ui.kit.buttons import Button, IconButton, PaintedButton
from ui.kit.chips import Chip
from ui.kit.control_line import ControlLine
from ui.kit.fields import ComboBox, NumberField, SearchField, TextArea, TextField
from ui.kit.fold_line import FoldLine
from ui.kit.menu_button import MenuButton
from ui.kit.menus import Menu
from ui.kit.meter import Meter
from ui.kit.navigation import NavItem, RailButton
from ui.kit.notices import EmptyState, Notice
from ui.kit.pages import CardPage
from ui.kit.slider import Slider
from ui.kit.surfaces import Card, Hairline, Icon, Mark, Panel, Tile
from ui.kit.switch import Switch
from ui.kit.text import ElidedLabel, Label, Paragraph
from ui.kit.toast import Toast

__all__ = [
    "Button",
    "Card",
    "CardPage",
    "Chip",
    "ComboBox",
    "ControlLine",
    "ElidedLabel",
    "EmptyState",
    "FoldLine",
    "Hairline",
    "Icon",
    "IconButton",
    "Label",
    "Mark",
    "Menu",
    "MenuButton",
    "Meter",
    "NavItem",
    "Notice",
    "NumberField",
    "PaintedButton",
    "Panel",
    "Paragraph",
    "RailButton",
    "SearchField",
    "Slider",
    "Switch",
    "TextArea",
    "TextField",
    "Tile",
    "Toast",
]
