"""Which package index is used."""

import os
import re
from collections.abc import Mapping

_NAMED_INDEX = re.compile(r"[\w.-]+=(?=https?://)")


def resolve_index_url(setting: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The package index to use: the one set, else the one that pip or uv are told to use.

    None means the default of the `pypi-simple` library. The address may hold a password.
    """
    for candidate in (
        setting,
        environment.get("PIP_INDEX_URL", ""),
        environment.get("UV_DEFAULT_INDEX", ""),
    ):
        if candidate.strip():
            return _NAMED_INDEX.sub("", candidate.strip(), count=1)
    return None
