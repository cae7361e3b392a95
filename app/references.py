"""How a person names a thing to get: a catalogue id, a repository of the Hub, or an address."""

import re
from contextlib import suppress
from urllib.parse import urlsplit

import msgspec

from app.errors import AppError
from catalog.addresses import is_safe_address
from catalog.safe_names import is_repository

_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)


class CatalogueRef(msgspec.Struct, frozen=True):
    """“ID” or “ID:QUANT”."""

    entry_id: str
    quant: str = ""


class HubRef(msgspec.Struct, frozen=True):
    """“hub:OWNER/NAME”, with “:QUANT” or “:FILE” as its selector."""

    repo: str
    selector: str = ""


class UrlRef(msgspec.Struct, frozen=True):
    """The address of a GGUF file."""

    url: str


Ref = CatalogueRef | HubRef | UrlRef


def parse_ref(text: str) -> Ref:
    """What the text names. Raises `AppError` where it is none of the three."""
    wanted = text.strip()
    if "://" in wanted:
        return UrlRef(_checked_url(wanted))
    if wanted.startswith("hub:"):
        repo, _, selector = wanted.removeprefix("hub:").partition(":")
        if not _REPO.fullmatch(repo) or "--" in repo or ".." in repo:
            raise AppError(
                f"“{repo}” is no repository of the Hub.",
                fix="Write it as hub:OWNER/NAME, hub:OWNER/NAME:QUANT or hub:OWNER/NAME:FILE.",
            )
        return HubRef(repo, selector)
    entry_id, _, quant = wanted.partition(":")
    if not entry_id:
        raise AppError("No model is named.", command="“causeway catalog” lists those there are.")
    return CatalogueRef(entry_id, quant)


def parse_repository(text: str) -> str:
    """“OWNER/NAME” of what a person writes: that, or the address of its page. Raises `AppError`."""
    wanted = text.strip().removeprefix("hub:")
    if "://" in wanted:
        with suppress(ValueError):
            wanted = "/".join(urlsplit(wanted).path.strip("/").split("/")[:2])
    if not is_repository(wanted):
        raise AppError(
            f"“{text.strip()}” is no repository of the Hub.",
            fix="Give its OWNER/NAME, or the address of its page.",
        )
    return wanted


def _checked_url(url: str) -> str:
    if not is_safe_address(url):
        raise AppError(
            f"“{url}” can't be used.",
            "What comes over plain http can be changed on the way.",
            "Give an address that begins with https://.",
        )
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise AppError(
            "An address with a name and a password in it is not used.",
            "It would be kept in the list of downloads.",
            "Fetch the file with another program, and import it.",
        )
    if not parts.path.lower().endswith(".gguf"):
        raise AppError(
            f"“{url}” does not lead to a GGUF file.", fix="The address must end in .gguf."
        )
    return url
