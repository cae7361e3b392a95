"""Text from outside in a tooltip."""

from html import escape

from PySide6.QtGui import Qt

_LINE = 60


def plain_tooltip(text: str) -> str:
    """The text as Qt has to get it, so that it shows every character as it is, in lines of some length.

    Qt takes whatever looks like HTML for HTML, pictures from the disk included, and never breaks
    plain text.
    """
    if len(text) <= _LINE and not Qt.mightBeRichText(text):
        return text
    return f"<qt>{escape(text).replace(chr(10), '<br>')}</qt>"
