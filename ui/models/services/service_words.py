"""What lists and dialogs say of services."""

from typing import NamedTuple
from urllib.parse import urlsplit

from PySide6.QtCore import QCoreApplication

from app.connections.connections import Provider
from app.connections.records import Connection
from app.secrets import SecretsState


class ShownService(NamedTuple):
    """A connected service as it is shown. `leaves`: what is asked leaves this computer; `models` is
    how many it listed last.
    """

    connection: Connection
    leaves: bool
    models: int


def connect_words(provider: Provider) -> str:
    """“Connect OpenAI”; one without an address of its own has no name either."""
    if not provider.url:
        return _tr("Connect another service")
    return _tr("Connect {title}").format(title=provider.title)


def place_words(url: str) -> str:
    """Where it is: the host, with its port where that is not the usual one."""
    return urlsplit(url).netloc or url


def models_words(count: int) -> str:
    """How many models it offers."""
    match count:
        case 0:
            return _tr("no models known")
        case 1:
            return _tr("1 model")
        case _:
            return _tr("{count} models").format(count=f"{count:,}")


def key_words(connection: Connection, secrets: SecretsState | None) -> str:
    """Where its key is; empty where it has none."""
    match connection.key_place:
        case "none":
            return ""
        case "variable":
            return _tr("key from {name}").format(name=connection.key_variable)
        case "stored":
            sealed = secrets is not None and secrets.place == "file"
            return _tr("key in the sealed file") if sealed else _tr("key in the keyring")


def found_words(title: str, count: int) -> str:
    """What came of asking it."""
    if not count:
        return _tr("{title} answers, but lists no models.").format(title=title)
    return _tr("{title} answers and lists {models}.").format(
        title=title, models=models_words(count)
    )


def _tr(text: str) -> str:
    return QCoreApplication.translate("Services", text)
