"""A service that a person has connected, as the settings keep it."""

import re
from typing import Literal

import msgspec

_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?")

KeyPlace = Literal["none", "stored", "variable"]


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A service of `provider` at `url`. Its key is none, among the secrets, or in an environment variable."""

    id: str
    provider: str
    title: str
    url: str
    key_place: KeyPlace = "none"
    key_variable: str = ""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):  # files are called after it
            raise ValueError(f"“{self.id}” is no id of a connection")
