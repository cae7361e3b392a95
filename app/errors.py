"""Failures in words, whichever layer they come from."""

from typing import NamedTuple

from backends.errors import BackendError
from catalog.errors import CatalogError


class AppError(Exception):
    """A failure that a person can understand: what happened, why, and what to do about it."""

    def __init__(self, what: str, why: str = "", fix: str = "") -> None:
        super().__init__(" ".join(part for part in (what, why, fix) if part))
        self.what = what
        self.why = why
        self.fix = fix


class StorageError(AppError):
    """The database or a settings file could not be read or written."""


class Problem(NamedTuple):
    """An error for people. Windows and command line show all three parts."""

    what: str
    why: str
    fix: str

    def sentence(self) -> str:
        return " ".join(part for part in self if part)


KnownErrors = (AppError, BackendError, CatalogError)


def problem_from(error: BaseException) -> Problem | None:
    """The words of a known error; None for a bug, which belongs in a report."""
    if isinstance(error, KnownErrors):
        return Problem(error.what, error.why, error.fix)
    return None
