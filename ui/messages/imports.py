"""Libraries that the first message needs, fetched while the window is idle."""

from ui.messages.code import language_name
from ui.messages.grammar import parser


def warm_up() -> None:
    """Import what renders text and code; call it off the main thread.

    The imports take longer than a frame of the window. Formulas are drawn off the main thread
    anyway, and what draws them takes memory that most chats never need.
    """
    parser()
    language_name("python")
