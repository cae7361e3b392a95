"""The settings in force, and what a setting is."""

from typing import Literal

import msgspec

from app.connections.records import Connection
from app.options import Value

Theme = Literal["system", "light", "dark"]
WindowValue = bool | int | float | str
Section = Literal["Appearance", "Models", "Network", "Server"]
SecretsPlace = Literal["keyring", "file"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force. `window` is the window's own: its size, which panels are open.

    `unload_after_minutes` 0 means never, `states_limit` is in GB, `download_limit` (MB a second) 0 no limit; an empty
    `package_index`, `models_folder`, `hub_endpoint` or `proxy` means the usual one. `catalogues` are
    addresses or whole paths of catalogue files, `model_folders` whole paths. `secret_names` are of what
    is kept in `secrets_place`, `has_hub_token` says that the Hub's token is among it. What begins with
    `serve` is of the local server.
    """

    theme: Theme = "system"
    package_index: str = ""
    models_folder: str = ""
    model_folders: tuple[str, ...] = ()
    adopt_places: bool = True
    catalogues: tuple[str, ...] = ()
    unload_after_minutes: int = 10
    keep_states: bool = True
    states_limit: int = 4
    hub_endpoint: str = ""
    proxy: str = ""
    offline: bool = False
    downloads_at_once: int = 2
    download_limit: int = 0
    chat_defaults: dict[str, Value] = {}
    last_model_id: str = ""
    has_hub_token: bool = False
    secrets_place: SecretsPlace = "keyring"
    secret_names: tuple[str, ...] = ()
    connections: tuple[Connection, ...] = ()
    serve: bool = False
    serve_port: int = 7411
    serve_lan: bool = False
    serve_key: bool = True
    serve_origins: tuple[str, ...] = ()
    serve_connections: bool = False
    serve_load: bool = True
    serve_keep_chats: bool = False
    serve_text: bool = False
    window: dict[str, WindowValue] = {}


class Choice(msgspec.Struct, frozen=True):
    value: Value
    title: str


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that a person can change. `placeholder` says in words what an empty one means.

    A "list" holds "folders", "catalogues" or "origins", as `items` says. `minimum`, `maximum`, `unit` and
    `neutral_title` (what `minimum` means in words) are of a "number".
    """

    key: str
    kind: Literal["choice", "url", "proxy", "folder", "switch", "number", "list"]
    title: str
    help: str
    section: Section
    default: Value | tuple[str, ...]
    choices: tuple[Choice, ...] = ()
    placeholder: str = ""
    items: Literal["", "folders", "catalogues", "origins"] = ""
    minimum: int = 0
    maximum: int = 0
    unit: str = ""
    neutral_title: str = ""
