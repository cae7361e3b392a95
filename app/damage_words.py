"""What became of a small file that was damaged, in words."""

from typing import Literal

from catalog.kept_file import Damage

Kept = Literal["settings", "profiles", "models", "downloads"]

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


def damage_sentence(kept: Kept, damage: Damage) -> str:
    """What happened, where the damaged file is, and what is used instead."""
    if damage.aside is None:
        return (
            f"{_WHAT[kept]} is damaged and could not be moved aside. {damage.reason}"
            f" {_INSTEAD[kept]} Mend or remove {damage.path}."
        )
    return f"{_WHAT[kept]} was damaged. It is kept as {damage.aside}. {_INSTEAD[kept]}"
