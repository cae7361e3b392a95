"""Taking models away: only what is ours, and into the trash."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from catalog.errors import CatalogError
from catalog.library.installed import InstalledModel
from catalog.library.places import TITLES


class TrashUnavailable(CatalogError):
    """A file can't be put into the trash; it can still be deleted for good."""


def take_away(files: Sequence[Path], folder: Path, *, for_good: bool) -> int:
    """Put files below `folder` into the trash or delete them, and the folders that this empties.

    Returns the bytes that they took. Raises `TrashUnavailable`, or `CatalogError` where a file
    can't be deleted, or where a link leads out of the folder.
    """
    home = Path(os.path.realpath(folder))
    freed = 0
    for file in files:
        if not Path(os.path.realpath(file.parent)).is_relative_to(home):
            raise CatalogError(
                f"“{file.name}” does not lie in the models folder.",
                "A link leads to where it is.",
                "Remove it there.",
            )
    for file in files:
        try:
            size = file.lstat().st_size
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _undeleted(file, error) from error
        if for_good:
            _delete(file)
        else:
            _trash(file)
        freed += size
    for file in files:
        _remove_empty(file.parent, folder)
    return freed


def not_ours(model: InstalledModel) -> CatalogError:
    """Why a model is not removed, and where it can be."""
    if model.place == "folder":
        return CatalogError(
            f"“{model.path.name}” lies in a folder that is only looked into.",
            f"It is “{model.path.parent}”.",
            "Delete the file there, or take the folder out of the settings.",
        )
    owner = TITLES[model.place]
    if model.place == "hub_cache":
        owner = "the Hugging Face cache"
    return CatalogError(
        f"“{model.name}” belongs to {owner}.",
        "Causeway uses it where it lies.",
        "Remove it there.",
    )


def _trash(file: Path) -> None:
    from send2trash import send2trash  # once in a while, and slow to start

    try:
        send2trash(str(file))
    except OSError as error:
        why = f"{error.strerror}." if error.strerror else "There is no trash for its disk."
        raise TrashUnavailable(
            f"“{file.name}” can't be put into the trash.",
            why,
            "Delete it for good instead, or unload the model first.",
        ) from error


def _delete(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise _undeleted(file, error) from error


def _undeleted(file: Path, error: OSError) -> CatalogError:
    return CatalogError(
        f"“{file.name}” can't be deleted.",
        f"{error.strerror}.",
        "Unload the model first, or delete the file by hand.",
    )


def _remove_empty(folder: Path, top: Path) -> None:
    while folder != top and folder.is_relative_to(top):
        with contextlib.suppress(OSError):
            folder.rmdir()
        if folder.exists():
            return
        folder = folder.parent
