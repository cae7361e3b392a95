"""Profiles of a model: settings that suit it, under a name, kept apart from the chats."""

import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from app.errors import AppError, StorageError
from app.formatting import whole_characters
from app.options import Value, checked
from app.shared_file import alone_with
from catalog.kept_file import KeptFile
from catalog.whole_file import write_whole

_LARGEST_FILE = 8_000_000
_LONGEST_NAME = 80
_MOST_OF_A_MODEL = 50
_NAMELESS = "Profile"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Options by their keys in `app.options`. Of each model, at most one profile is in use."""

    id: str
    model_id: str
    name: str
    options: dict[str, Value] = {}
    in_use: bool = False


class _Contents(msgspec.Struct, frozen=True):
    profiles: tuple[Profile, ...] = ()


Change = Callable[[tuple[Profile, ...]], tuple[Profile, ...]]


class Profiles:
    """All profiles, in a JSON file. Safe to call from any thread; it reads the disk.

    Of a damaged file none is known; `file` has what became of it. Methods raise `AppError`s in words.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.file = KeptFile(path, _decoded, _LARGEST_FILE)
        self._lock = threading.Lock()

    def of(self, model_id: str) -> tuple[Profile, ...]:
        """The profiles of a model, in the order in which they were made."""
        return tuple(each for each in self._read() if each.model_id == model_id)

    def in_use(self, model_id: str) -> Profile | None:
        return next((each for each in self.of(model_id) if each.in_use), None)

    def create(
        self, model_id: str, name: str, options: Mapping[str, object] | None = None
    ) -> Profile:
        """A new profile, which is in use at once where it is the model's first."""
        mine = self.of(model_id)
        if len(mine) >= _MOST_OF_A_MODEL:
            raise AppError(f"A model can have {_MOST_OF_A_MODEL} profiles at most.")
        profile = Profile(
            id=uuid.uuid4().hex,
            model_id=model_id,
            name=_checked_name(name, mine),
            options=_checked_options(options or {}),
            in_use=not mine,
        )
        self._change(lambda profiles: (*profiles, profile))
        return profile

    def keep(self, model_id: str, name: str, options: Mapping[str, object]) -> Profile:
        """A new profile, in use from now on, called so or nearly so; “Profile” without a name."""
        profile = self.create(model_id, self._free_name(model_id, name or _NAMELESS), options)
        self.use(model_id, profile.id)
        return profile

    def save(self, profile_id: str, options: Mapping[str, object]) -> Profile:
        """Give a profile other options; those that are left out are the model's usual ones."""
        return self._replace(profile_id, options=_checked_options(options))

    def rename(self, profile_id: str, name: str) -> Profile:
        profile = self._get(profile_id)
        others = tuple(each for each in self.of(profile.model_id) if each.id != profile_id)
        return self._replace(profile_id, name=_checked_name(name, others))

    def duplicate(self, profile_id: str, name: str = "") -> Profile:
        """A copy under another name; without one, the name is made from the old one."""
        profile = self._get(profile_id)
        free = self._free_name(profile.model_id, name or profile.name)
        return self.create(profile.model_id, free, profile.options)

    def use(self, model_id: str, profile_id: str | None) -> None:
        """Have one profile of the model in use; None for none."""
        if profile_id is not None and self._get(profile_id).model_id != model_id:
            raise AppError("The profile belongs to another model.")
        self._change(
            lambda profiles: tuple(
                msgspec.structs.replace(each, in_use=each.id == profile_id)
                if each.model_id == model_id
                else each
                for each in profiles
            )
        )

    def remove(self, profile_id: str) -> None:
        self._get(profile_id)
        self._change(lambda profiles: tuple(each for each in profiles if each.id != profile_id))

    def _free_name(self, model_id: str, name: str) -> str:
        """The name, or where it is taken that name with a number."""
        base = name = " ".join(name.split())[:_LONGEST_NAME].rstrip()
        taken = {each.name.casefold() for each in self.of(model_id)}
        number = 2
        while name.casefold() in taken:
            ending = f" {number}"
            name = f"{base[: _LONGEST_NAME - len(ending)].rstrip()}{ending}"
            number += 1
        return name

    def _get(self, profile_id: str) -> Profile:
        for profile in self._read():
            if profile.id == profile_id:
                return profile
        raise AppError("The profile is gone.", "It was removed meanwhile.")

    def _replace(self, profile_id: str, **changes: Any) -> Profile:
        changed = msgspec.structs.replace(self._get(profile_id), **changes)
        self._change(
            lambda profiles: tuple(changed if each.id == profile_id else each for each in profiles)
        )
        return changed

    def _change(self, change: Change) -> None:
        with self._lock, alone_with(self._path):
            contents = _Contents(change(self._read()))
            try:
                self.file.make_way()
                data = msgspec.json.format(msgspec.json.encode(contents), indent=2)
                write_whole(self._path, data, durable=True)
            except OSError as error:
                raise StorageError(
                    f"The profiles could not be saved to {self._path}.",
                    f"{error.strerror or error}.",
                    "Free some space or make the folder writable.",
                ) from error

    def _read(self) -> tuple[Profile, ...]:
        try:
            return self.file.read() or ()
        except OSError as error:
            raise StorageError(
                f"The profiles in {self._path} can't be read.",
                f"{error.strerror or error}.",
                "Check who may read the file.",
            ) from error


def _decoded(content: bytes) -> tuple[Profile, ...]:
    return msgspec.json.decode(content, type=_Contents).profiles


def _checked_name(name: str, others: tuple[Profile, ...]) -> str:
    line = " ".join(whole_characters(name).split())[:_LONGEST_NAME]
    if not line:
        raise AppError("A profile needs a name.")
    if line.casefold() in {other.name.casefold() for other in others}:
        raise AppError(f"There is a profile “{line}” already.", fix="Give it another name.")
    return line


def _checked_options(options: Mapping[str, object]) -> dict[str, Value]:
    return {key: checked(key, value) for key, value in options.items()}
