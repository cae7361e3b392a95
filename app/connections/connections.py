"""Which services are connected, what each offers, and the backend that asks it."""

import os
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from app.connections.lists import ModelLists
from app.connections.records import Connection
from app.errors import AppError
from app.models import OfferedModel
from app.secrets import Secrets
from app.settings_file import SettingsFile
from backends.errors import BadKey
from backends.openai_compatible.addresses import checked_url, is_loopback, origin_of
from backends.openai_compatible.provider import runs_elsewhere
from backends.openai_compatible.providers import PROVIDERS, Provider, provider_of
from backends.protocol import Backend

if TYPE_CHECKING:
    from backends.openai_compatible.backend import OpenAICompatibleBackend

__all__ = ["PROVIDERS", "Connections", "Provider", "provider_of"]

_MOST = 50
_LONGEST_TITLE = 60
_BACKEND = "connection "
_RESERVED = ("hub", "http", "https", "file")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


class Connections:
    """Keeps the connections in the settings, their keys among the secrets. From any thread.

    Methods raise `AppError` in words. `check` goes online; no other does.
    """

    def __init__(self, settings: SettingsFile, secrets: Secrets, folder: Path) -> None:
        """What services list is kept in `folder`, so that it is there at once and offline."""
        self._settings = settings
        self._secrets = secrets
        self.folder = folder
        self._lists = ModelLists(folder)
        self._lock = threading.Lock()
        self._backends: dict[Connection, OpenAICompatibleBackend] = {}

    def all(self) -> tuple[Connection, ...]:
        return self._settings.current.connections

    def find(self, ref: str) -> Connection:
        """By id or title."""
        for connection in self.all():
            if ref in (connection.id, connection.title):
                return connection
        names = ", ".join(connection.id for connection in self.all())
        raise AppError(
            f"No service is connected as “{ref}”.",
            fix=f"There are {names}." if names else "",
            command="" if names else "“causeway connections add” connects one.",
        )

    def add(self, provider_id: str, *, title: str = "", url: str = "") -> Connection:
        """Connect a service. Nothing is sent to it yet."""
        provider = _provider(provider_id)
        if len(self.all()) >= _MOST:
            raise AppError(f"{_MOST} services can be connected at most.")
        address = checked_url(url or provider.url)
        title = _checked_title(title) or self._usual_title(provider, address)
        connection = Connection(
            id=self._new_id(title if url or not provider.url else provider.id),
            provider=provider.id,
            title=title,
            url=address,
        )
        self._change(lambda connections: (*connections, connection))
        return connection

    def change(self, connection_id: str, *, title: str, url: str) -> Connection:
        """Give it another title or address. A key stays with the address it was given for."""
        before = self.find(connection_id)
        address = checked_url(url)
        if before.key_place != "none" and origin_of(address) != origin_of(before.url):
            self.forget_key(connection_id)
            before = self.find(connection_id)
        title = _checked_title(title) or before.title
        if title == _host(before.url):
            title = _host(address)
        return self._replace(msgspec.structs.replace(before, title=title, url=address))

    def remove(self, connection_id: str) -> None:
        """Disconnect a service and forget its key."""
        connection = self.find(connection_id)
        self._secrets.delete(_secret_of(connection))
        self._change(lambda all_: tuple(each for each in all_ if each.id != connection.id))
        self._lists.forget(connection.id)

    def set_key(self, connection_id: str, key: str) -> Connection:
        """Keep a key among the secrets."""
        connection = self.find(connection_id)
        self._secrets.write(_secret_of(connection), key)
        return self._replace(
            msgspec.structs.replace(connection, key_place="stored", key_variable="")
        )

    def use_variable(self, connection_id: str, name: str) -> Connection:
        """Read the key from an environment variable, each time anew."""
        connection = self.find(connection_id)
        if not _VARIABLE.fullmatch(name):
            raise AppError(f"“{name}” is no name of an environment variable.")
        self._secrets.delete(_secret_of(connection))
        return self._replace(
            msgspec.structs.replace(connection, key_place="variable", key_variable=name)
        )

    def forget_key(self, connection_id: str) -> Connection:
        connection = self.find(connection_id)
        self._secrets.delete(_secret_of(connection))
        return self._replace(msgspec.structs.replace(connection, key_place="none", key_variable=""))

    def check(
        self, connection_id: str, cancelled: threading.Event | None = None
    ) -> tuple[OfferedModel, ...]:
        """Ask the service for its models, and keep the list. Raises `BackendError`s too.

        One of them comes soon after `cancelled` is set.
        """
        connection = self.find(connection_id)
        self._lists.keep(connection.id, self._backend(connection).models(cancelled))
        return self.models(connection.id)

    def models(self, connection_id: str) -> tuple[OfferedModel, ...]:
        """What it listed last."""
        connection = self.find(connection_id)
        provider = provider_of(connection.provider)
        leaves = self.leaves(connection)
        return tuple(
            OfferedModel(
                id=f"{connection.id}:{model.id}",
                name=model.name,
                backend=backend_name(connection),
                model=model.id,
                source=connection.title,
                leaves=leaves or runs_elsewhere(provider, model.id),
                context_length=model.context_length,
                embeds=model.embeds,
            )
            for model in self._lists.of(connection.id)
        )

    def offers(self) -> tuple[OfferedModel, ...]:
        """What all of them listed last."""
        return tuple(model for each in self.all() for model in self.models(each.id))

    def leaves(self, connection: Connection) -> bool:
        """Whether what is asked leaves this computer."""
        return not is_loopback(connection.url)

    def backends(self) -> Mapping[str, Backend]:
        """The backend of each connection, by the name that its models have."""
        return {backend_name(each): self._backend(each) for each in self.all()}

    def _backend(self, connection: Connection) -> "OpenAICompatibleBackend":
        from backends.openai_compatible.backend import OpenAICompatibleBackend

        with self._lock:
            made = self._backends.get(connection)
            if made is None:
                self._backends = {c: b for c, b in self._backends.items() if c in self.all()}
                made = self._backends[connection] = OpenAICompatibleBackend(
                    connection.title,
                    provider_of(connection.provider),
                    connection.url,
                    key=lambda: self._key(connection),
                    proxy=lambda: self._settings.current.proxy,
                    allowed=lambda: not self._settings.current.offline,
                )
            return made

    def _key(self, connection: Connection) -> str:
        match connection.key_place:
            case "stored":
                key = self._secrets.read(_secret_of(connection))
                if not key:
                    state = self._secrets.state()
                    raise BadKey(
                        f"The key of {connection.title} can't be read.",
                        state.reason,
                        # Of a locked file the reason says how to open it.
                        ""
                        if state.locked
                        else "Unlock where keys are kept, or give the key again.",
                    )
                return key
            case "variable":
                return os.environ.get(connection.key_variable, "").strip()
        return ""

    def _usual_title(self, provider: Provider, address: str) -> str:
        """Its own name; that of its host where it has none, or another has it already."""
        taken = any(connection.title == provider.title for connection in self.all())
        return provider.title if provider.url and not taken else _host(address)

    def _new_id(self, wanted: str) -> str:
        slug = re.sub(r"[^a-z0-9]+", "-", wanted.lower()).strip("-")[:40] or "service"
        if slug in _RESERVED or len(slug) == 1:  # these begin a reference, or a path on Windows
            slug = f"{slug}-service"
        taken = {connection.id for connection in self.all()}
        ids = (slug, *(f"{slug}-{number}" for number in range(2, _MOST + 2)))
        return next(each for each in ids if each not in taken)

    def _replace(self, changed: Connection) -> Connection:
        self._change(
            lambda all_: tuple(changed if each.id == changed.id else each for each in all_)
        )
        return changed

    def _change(self, change: Callable[[tuple[Connection, ...]], tuple[Connection, ...]]) -> None:
        """Of those in the file: another process may have connected one since it was read."""
        self._settings.load()
        self._settings.update(connections=change(self.all()))


def backend_name(connection: Connection) -> str:
    """How the connection's backend is called among all backends."""
    return f"{_BACKEND}{connection.id}"


def is_of_service(backend: str) -> bool:
    """Whether a backend of that name is, or was, a connection's."""
    return backend.startswith(_BACKEND)


def _secret_of(connection: Connection) -> str:
    return f"connection/{connection.id}"


def _provider(provider_id: str) -> Provider:
    for provider in PROVIDERS:
        if provider.id == provider_id:
            return provider
    names = ", ".join(provider.id for provider in PROVIDERS)
    raise AppError(f"“{provider_id}” is no service that is known.", fix=f"It is one of {names}.")


def _checked_title(title: str) -> str:
    cleaned = " ".join(title.split())
    if len(cleaned) > _LONGEST_TITLE or not cleaned.isprintable():
        raise AppError("This title is too long.", fix=f"{_LONGEST_TITLE} characters are enough.")
    return cleaned


def _host(url: str) -> str:
    return urlsplit(url).netloc[:_LONGEST_TITLE]
