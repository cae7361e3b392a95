"""The local server as the settings want it, and the key that opens it."""

import os
import secrets as randomness
import threading

from app.errors import AppError
from app.secrets import SERVER_KEY, Secrets
from app.server.config import EVERY_ADDRESS, ServerConfig
from app.settings import Settings
from app.settings_file import SettingsFile

KEY_VARIABLE = "CAUSEWAY_SERVER_KEY"
"""Its value is the key, where it is set."""

_KEY_BYTES = 24
_SHOWN = 4


class ServerKey:
    """The key that clients must have. It is made when it is first wanted. From any thread but the
    window's, since it asks where secrets are kept.

    Where they can't be kept, a key lives as long as this process.
    """

    def __init__(self, settings: SettingsFile, secrets: Secrets) -> None:
        self._settings = settings
        self._secrets = secrets
        self._lock = threading.Lock()
        self._made = ""

    def value(self) -> str:
        """Raises `AppError` where there is one that can't be read now."""
        given = os.environ.get(KEY_VARIABLE, "").strip()
        if given:
            return given
        with self._lock:
            kept = self._secrets.read(SERVER_KEY)
            if kept or self._made:
                return kept or self._made
            if self._secrets.has(SERVER_KEY):
                raise AppError(
                    "The server's key can't be read.",
                    self._secrets.state().reason,
                    f"Unlock where keys are kept, or set {KEY_VARIABLE}.",
                )
            return self._make()

    def renew(self) -> str:
        """Another key in place of the one there is: whoever has that is locked out."""
        if os.environ.get(KEY_VARIABLE, "").strip():
            raise AppError(f"The key is given by {KEY_VARIABLE}.", fix="Change it there.")
        with self._lock:
            return self._make()

    @property
    def lasts(self) -> bool:
        """Whether the next start will have the same key. Asks no keyring."""
        return bool(os.environ.get(KEY_VARIABLE, "").strip()) or self._secrets.has(SERVER_KEY)

    def _make(self) -> str:
        self._made = f"cw-{randomness.token_urlsafe(_KEY_BYTES)}"
        try:
            self._secrets.write(SERVER_KEY, self._made)
        except AppError:  # a key for this run is better than no server, or one without a key
            return self._made
        return self._made


def server_config(settings: Settings, key: ServerKey, *, asks_key: bool = True) -> ServerConfig:
    """How the server is to run. Raises `AppError` where its key can't be read.

    Without `asks_key` there is none, whatever the settings say.
    """
    wanted = asks_key and (settings.serve_key or settings.serve_lan)
    return ServerConfig(
        host=EVERY_ADDRESS if settings.serve_lan else "127.0.0.1",
        port=settings.serve_port,
        key=key.value() if wanted else "",
        origins=settings.serve_origins,
        serve_connections=settings.serve_connections,
        show_text=settings.serve_text,
        keep_chats=settings.serve_keep_chats,
        load_on_demand=settings.serve_load,
    )


def shown_key(key: str) -> str:
    """The key as it may be shown: its end, by which a person tells one from another."""
    return f"••••{key[-_SHOWN:]}" if len(key) > 2 * _SHOWN else "••••"
