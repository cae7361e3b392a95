"""Failures in words, whichever layer they come from."""

from typing import NamedTuple

from backends.errors import BackendError
from catalog.errors import CatalogError


class AppError(Exception):
    """A failure that a person can understand: what happened, why, and what to do about it.

    `command` is a sentence about a command that helps. The window leaves it out.
    """

    def __init__(self, what: str, why: str = "", fix: str = "", command: str = "") -> None:
        super().__init__(" ".join(part for part in (what, why, fix) if part))
        self.what = what
        self.why = why
        self.fix = fix
        self.command = command


class StorageError(AppError):
    """The database or a settings file could not be read or written."""


class Problem(NamedTuple):
    """An error for people. The command line shows `command` as well, a sentence of what to type."""

    what: str
    why: str
    fix: str
    command: str = ""

    def sentence(self) -> str:
        """What the window shows."""
        return " ".join(part for part in self[:3] if part)

    def sentence_for_terminals(self) -> str:
        return " ".join(part for part in self if part)


KnownErrors = (AppError, BackendError, CatalogError)


def problem_from(error: BaseException) -> Problem | None:
    """The words of a known error; None for a bug, which belongs in a report."""
    if isinstance(error, KnownErrors):
        command = error.command if isinstance(error, AppError) else ""
        return Problem(error.what, error.why, error.fix, command)
    return None
