"""The keys of the window, declared once: the window binds them, the keyboard page lists them."""

from functools import cache
from typing import Literal

import msgspec
from PySide6.QtCore import QCoreApplication

Section = Literal["chats", "writing", "window"]


class Shortcut(msgspec.Struct, frozen=True):
    """Keys as Qt writes them ("Ctrl+N", which a Mac shows as ⌘N), the first being the one to teach.

    One that is not `bound` by the window belongs to the control that has the focus.
    """

    id: str
    keys: tuple[str, ...]
    title: str
    section: Section
    bound: bool = True


@cache
def shortcuts() -> tuple[Shortcut, ...]:
    """Every shortcut, in the order in which the page lists them. Needs the application."""
    tr = QCoreApplication.translate
    here = "Shortcuts"
    return (
        Shortcut("new_chat", ("Ctrl+N",), tr(here, "New chat"), "chats"),
        Shortcut("search_chats", ("Ctrl+K",), tr(here, "Search chats"), "chats"),
        Shortcut("next_chat", ("Ctrl+PgDown", "Ctrl+Tab"), tr(here, "Next chat"), "chats"),
        Shortcut(
            "previous_chat", ("Ctrl+PgUp", "Ctrl+Shift+Tab"), tr(here, "Previous chat"), "chats"
        ),
        Shortcut("undo_delete", ("Ctrl+Z",), tr(here, "Bring back what was just deleted"), "chats"),
        Shortcut("focus_composer", ("Ctrl+L",), tr(here, "Write a message"), "writing"),
        Shortcut("send", ("Return",), tr(here, "Send the message"), "writing", bound=False),
        Shortcut(
            "new_line", ("Shift+Return",), tr(here, "Begin a new line"), "writing", bound=False
        ),
        Shortcut(
            "edit_last",
            ("Up",),
            tr(here, "Edit the last message, from an empty field"),
            "writing",
            bound=False,
        ),
        Shortcut("stop", ("Esc",), tr(here, "Stop the answer"), "writing"),
        Shortcut("copy_answer", ("Ctrl+Shift+C",), tr(here, "Copy the last answer"), "writing"),
        Shortcut("show_chats", ("Ctrl+1",), tr(here, "Chats"), "window"),
        Shortcut("show_models", ("Ctrl+2",), tr(here, "Models"), "window"),
        Shortcut("show_server", ("Ctrl+3",), tr(here, "Server"), "window"),
        Shortcut("show_settings", ("Ctrl+,",), tr(here, "Settings"), "window"),
        Shortcut("toggle_list", ("Ctrl+B",), tr(here, "Show or hide the list of chats"), "window"),
        Shortcut("toggle_inspector", ("Ctrl+I",), tr(here, "Show or hide the inspector"), "window"),
        Shortcut("show_shortcuts", ("F1",), tr(here, "Keyboard shortcuts"), "window"),
    )


def shortcut(shortcut_id: str) -> Shortcut:
    """The shortcut of that id; KeyError where there is none."""
    for declared in shortcuts():
        if declared.id == shortcut_id:
            return declared
    raise KeyError(shortcut_id)


def section_title(section: Section) -> str:
    tr = QCoreApplication.translate
    match section:
        case "chats":
            return tr("Shortcuts", "Chats")
        case "writing":
            return tr("Shortcuts", "Writing")
        case "window":
            return tr("Shortcuts", "Window")
