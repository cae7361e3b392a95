"""What the inspector knows of an installed adapter."""

from typing import NamedTuple


class AdapterOffer(NamedTuple):
    """An installed adapter, and whether it fits the chat's model: `reason` says in words why not.

    `trigger_words` are what it was trained to be called with, empty where nothing is known.
    """

    id: str
    name: str
    size_bytes: int
    fits: bool = True
    reason: str = ""
    trigger_words: str = ""
