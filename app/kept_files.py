"""The small files that hold what a person chose: which were damaged, in words, and the way back."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from app.errors import AppError, StorageError
from app.formatting import list_date
from app.shared_file import alone_with
from catalog.kept_file import Damage, KeptFile

Kept = Literal["settings", "profiles", "models", "downloads"]

KEPT: tuple[Kept, ...] = get_args(Kept)

_WHAT: dict[Kept, str] = {
    "settings": "The settings file",
    "profiles": "The file with your profiles",
    "models": "The list of your models",
    "downloads": "The list of downloads",
}
_INSTEAD: dict[Kept, str] = {
    "settings": "The defaults are used.",
    "profiles": "Models are used with their usual settings.",
    "models": "Models in the models folder were found again; files that you added elsewhere were not.",
    "downloads": "What was fetched is still there. Start unfinished downloads again.",
}


class Damaged(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was damaged, and `words` for it. `is_new`: this process found it so. `copy_time` is when the
    good copy was made that can be put back, in Unix seconds; None where there is none.
    """

    kept: Kept
    words: str
    is_new: bool
    copy_time: float | None = None

    def offer(self, now: float) -> str:
        """What can be put back; empty where nothing can."""
        if self.copy_time is None:
            return ""
        return f"A good copy from {list_date(self.copy_time, now)} can be put back."


class KeptFiles:
    """All of them. Its methods read the disk."""

    def __init__(self, files: Mapping[Kept, KeptFile[Any]]) -> None:
        self._files = files

    def damaged(self) -> tuple[Damaged, ...]:
        """Those that this process found damaged, and those whose good copy waits for a choice."""
        found: list[Damaged] = []
        for kept, file in self._files.items():
            copy_time = file.restorable_from()
            if file.damage is not None:
                words = damage_sentence(kept, file.damage)
            elif copy_time is not None:
                words = f"{_WHAT[kept]} was damaged. {_INSTEAD[kept]}"
            else:
                continue
            is_new = file.damage is not None
            found.append(Damaged(kept=kept, words=words, is_new=is_new, copy_time=copy_time))
        return tuple(found)

    def restore(self, kept: Kept) -> None:
        """Put the last good copy back. What is there now is kept under another name."""
        file = self._files[kept]
        if file.restorable_from() is None:
            raise AppError("There is no copy that could be put back.")
        with alone_with(file.path):
            try:
                file.restore()
            except OSError as error:
                raise StorageError(
                    f"The copy can't be put back as {file.path}.",
                    f"{error.strerror or error}.",
                    "Check who may write there, and try again.",
                ) from error

    def decline(self, kept: Kept) -> None:
        """Go on without the copy. It is kept under another name, and is not offered again."""
        file = self._files[kept]
        with alone_with(file.path):
            try:
                file.decline()
            except OSError as error:
                raise StorageError(
                    f"The copy beside {file.path} can't be renamed.",
                    f"{error.strerror or error}.",
                    "Check who may write there, and try again.",
                ) from error


def damage_sentence(kept: Kept, damage: Damage) -> str:
    """What happened, where the damaged file is, and what is used instead."""
    if damage.aside is None:
        return (
            f"{_WHAT[kept]} is damaged and could not be moved aside. {damage.reason}"
            f" {_INSTEAD[kept]} Mend or remove {damage.path}."
        )
    return f"{_WHAT[kept]} was damaged. It is kept as {damage.aside}. {_INSTEAD[kept]}"
