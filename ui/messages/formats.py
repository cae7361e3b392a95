"""The formats of a message's text, made once per theme."""

from typing import Literal

from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QTextBlockFormat,
    QTextCharFormat,
    QTextFormat,
)

from ui.kit.tooltips import plain_tooltip
from ui.messages.blocks import Block, Code, Container, Formula, Heading, Paragraph, Rule, Span
from ui.theme import Theme

Ground = Literal["page", "tint"]

INLINE_CODE = QTextFormat.Property.UserProperty.value + 1
"""Set on characters of inline code; the view paints their ground."""

SOURCE = QTextFormat.Property.UserProperty.value + 2
"""On the image of a formula: the Markdown that it stands for."""

OUT = 16
"""Blocks reach this far past the text on both sides, so that their text keeps the column's edge."""

CODE_HEADER = 36
CODE_PADDING = 12
ITEM_INDENT = {"bullet": 20, "number": 24, "quote": 16}
MAX_INDENT = 240

_FIXED = QTextBlockFormat.LineHeightTypes.FixedHeight.value
_MINIMUM = QTextBlockFormat.LineHeightTypes.MinimumHeight.value


def indent(containers: tuple[Container, ...]) -> int:
    """Pixels that the containers push a block to the right."""
    return min(sum(ITEM_INDENT[each.kind] for each in containers), MAX_INDENT)


def code_left(block: Block) -> int:
    """Where the ground of a code block starts: past the bar of a quote, which prose overlaps."""
    quoted = any(each.kind == "quote" for each in block.containers)
    return indent(block.containers) + (OUT if quoted else 0)


class Formats:
    """Block and character formats in the theme's present colours, on a ground."""

    def __init__(self, theme: Theme, ground: Ground) -> None:
        self._theme = theme
        self.ground = ground
        self._chars: dict[tuple[Span, str, str], QTextCharFormat] = {}
        self.reading = theme.font("reading")
        self.code_font = theme.font("code")
        self.descent = QFontMetrics(self.reading).descent()
        self._reaching: dict[int, QFont] = {}

    def forget(self) -> None:
        """After a change of theme."""
        self._chars.clear()

    def font_reaching(self, below: int) -> QFont:
        """The reading font in the smallest size whose text reaches so many pixels below the baseline."""
        if below not in self._reaching:
            font = QFont(self.reading)
            while QFontMetrics(font).descent() < below:
                font.setPixelSize(font.pixelSize() + 1)
            self._reaching[below] = font
        return self._reaching[below]

    def char(self, span: Span, kind: str = "reading", role: str = "text") -> QTextCharFormat:
        """The format of a span in a text of that kind and colour role."""
        key = (_style_of(span), kind, role)
        if key not in self._chars:
            self._chars[key] = self._make_char(span, kind, role)
        return self._chars[key]

    def code(self, role: str) -> QTextCharFormat:
        """The format of a piece of a code block."""
        return self.char(Span(text="", italic=role == "syn_com"), "code", role)

    def block(self, block: Block, before: Block | None) -> QTextBlockFormat:
        """The format of a block's text, below the block before it."""
        form = QTextBlockFormat()
        left = OUT + indent(block.containers)
        form.setLeftMargin(left)
        form.setRightMargin(OUT)
        form.setTopMargin(gap(block, before))
        if isinstance(block, Code):
            form.setLineHeight(self._theme.line_height("code"), _FIXED)
            # A line that is too long goes on, indented, on the next.
            form.setLeftMargin(code_left(block) + 3 * OUT)
            form.setTextIndent(-2 * OUT)
        elif isinstance(block, Rule):
            form.setLineHeight(1, _FIXED)
        elif isinstance(block, Heading):
            form.setLineHeight(self._theme.line_height("heading"), _MINIMUM)
        else:
            form.setLineHeight(self._theme.line_height("reading"), _MINIMUM)
        return form

    def spacer(self, containers: tuple[Container, ...]) -> QTextBlockFormat:
        """Around a table Qt wants a block of text: one that is hardly there."""
        form = QTextBlockFormat()
        form.setLeftMargin(OUT + indent(containers))
        form.setLineHeight(1, _FIXED)
        return form

    def _make_char(self, span: Span, kind: str, role: str) -> QTextCharFormat:
        font = QFont(self.code_font if span.code else self._theme.font(kind))
        if span.bold:
            font.setWeight(QFont.Weight.DemiBold)
        font.setItalic(span.italic)
        font.setStrikeOut(span.struck)
        form = QTextCharFormat()
        if span.link:
            role = "accent_text"
            form.setAnchor(True)
            form.setAnchorHref(span.link)
            form.setToolTip(plain_tooltip(span.link))
            font.setUnderline(True)
        form.setFont(font)
        form.setForeground(self._theme.color(role))
        if span.code:
            form.setProperty(INLINE_CODE, True)
        return form


def _style_of(span: Span) -> Span:
    return Span(
        text="",
        bold=span.bold,
        italic=span.italic,
        struck=span.struck,
        code=span.code,
        link=span.link,
    )


def gap(block: Block, before: Block | None) -> int:
    """Pixels above a block. Code leaves room for its header, which is painted there."""
    if isinstance(block, Code):
        above = CODE_PADDING if isinstance(before, Code) else 0
        return CODE_HEADER + CODE_PADDING + above + (12 if before else 0)
    if before is None or (isinstance(block, Paragraph) and block.continues):
        return 0
    if block.tight:
        return 2
    if isinstance(block, Heading | Rule):
        return 16
    if isinstance(before, Heading):
        return 4
    return 12 if isinstance(block, Formula) or isinstance(before, Formula) else 8
