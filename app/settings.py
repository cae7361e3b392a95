"""The settings of the program: what each is, declared once."""

import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from app.connections.records import Connection
from app.errors import AppError
from app.options import Value
from catalog.addresses import is_safe_address

Theme = Literal["system", "light", "dark"]
WindowValue = bool | int | float | str
Section = Literal["Appearance", "Models", "Network", "Server"]
SecretsPlace = Literal["keyring", "file"]

_PROXY_SCHEMES = ("http", "https")
_LONGEST_LIST = 100


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


SETTINGS: tuple[Setting, ...] = (
    Setting(
        key="theme",
        kind="choice",
        title="Theme",
        help="Light or dark, or whichever the system uses at the moment.",
        section="Appearance",
        default="system",
        choices=(Choice("system", "System"), Choice("light", "Light"), Choice("dark", "Dark")),
    ),
    Setting(
        key="models_folder",
        kind="folder",
        title="Models folder",
        help="Where downloaded models are kept. A change takes effect at the next start; files that "
        "are there already stay where they are.",
        section="Models",
        default="",
        placeholder="Causeway's own folder",
    ),
    Setting(
        key="model_folders",
        kind="list",
        title="More folders with models",
        help="What lies in them is listed and used where it is; nothing is ever written there.",
        section="Models",
        default=(),
        items="folders",
    ),
    Setting(
        key="adopt_places",
        kind="switch",
        title="Use models of other programs",
        help="Lists what LM Studio, GPT4All, Ollama, llama.cpp or the Hub cache have fetched, and uses "
        "it where it lies.",
        section="Models",
        default=True,
    ),
    Setting(
        key="catalogues",
        kind="list",
        title="More catalogues",
        help="Files, or addresses that begin with https://. Their models are listed beside the "
        "bundled ones.",
        section="Models",
        default=(),
        items="catalogues",
    ),
    Setting(
        key="unload_after_minutes",
        kind="choice",
        title="Keep a model loaded",
        help="After this time without an answer, its memory is given back.",
        section="Models",
        default=10,
        choices=(
            Choice(5, "5 minutes after its last answer"),
            Choice(10, "10 minutes after its last answer"),
            Choice(30, "30 minutes after its last answer"),
            Choice(60, "An hour after its last answer"),
            Choice(0, "Until Causeway is closed"),
        ),
    ),
    Setting(
        key="keep_states",
        kind="switch",
        title="Remember what was read",
        help="A chat goes on at once, also after a restart: what the model has read of it is kept on "
        "the disk, unencrypted, for you alone to read. Off: it reads long chats again.",
        section="Models",
        default=True,
    ),
    Setting(
        key="states_limit",
        kind="number",
        title="Space for that",
        help="What was not used for longest goes first.",
        section="Models",
        default=4,
        minimum=1,
        maximum=1000,
        unit="GB",
    ),
    Setting(
        key="offline",
        kind="switch",
        title="Stay offline",
        help="Nothing leaves this computer: no search, no download, no service elsewhere answers, no "
        "catalogue is refreshed.",
        section="Network",
        default=False,
    ),
    Setting(
        key="hub_endpoint",
        kind="url",
        title="Hub address",
        help="A mirror of the Hugging Face Hub, or your organisation's own. https only, except on "
        "this computer.",
        section="Network",
        default="",
        placeholder="The Hub itself",
    ),
    Setting(
        key="package_index",
        kind="url",
        title="Package index",
        help="Where the starter model comes from: a mirror, or your organisation's own index. "
        "https only, except on this computer.",
        section="Network",
        default="",
        placeholder="As pip is set up",
    ),
    Setting(
        key="proxy",
        kind="proxy",
        title="Proxy",
        help="Such as http://proxy.example:8080. It counts for everything that goes online.",
        section="Network",
        default="",
        placeholder="As the system is set up",
    ),
    Setting(
        key="downloads_at_once",
        kind="number",
        title="Downloads at a time",
        help="Others wait their turn.",
        section="Network",
        default=2,
        minimum=1,
        maximum=8,
    ),
    Setting(
        key="download_limit",
        kind="number",
        title="Download speed",
        help="All downloads together take at most this much.",
        section="Network",
        default=0,
        maximum=10_000,
        unit="MB/s",
        neutral_title="No limit",
    ),
    Setting(
        key="serve",
        kind="switch",
        title="Local server",
        help="Other programs use the models that Causeway runs. The server starts with the window.",
        section="Server",
        default=False,
    ),
    Setting(
        key="serve_port",
        kind="number",
        title="Port",
        help="Where programs find the server. A change counts when it starts next.",
        section="Server",
        default=7411,
        minimum=1024,
        maximum=65_535,
    ),
    Setting(
        key="serve_lan",
        kind="switch",
        title="Other computers may connect",
        help="Whoever is in this network and has the key can use the models. What they write "
        "travels unencrypted.",
        section="Server",
        default=False,
    ),
    Setting(
        key="serve_key",
        kind="switch",
        title="Ask for a key",
        help="Without one, every program and every person on this computer can use the models.",
        section="Server",
        default=True,
    ),
    Setting(
        key="serve_origins",
        kind="list",
        title="Pages that may connect",
        help="Origins such as https://chat.example or http://localhost:3000. A browser's page from "
        "anywhere else is refused.",
        section="Server",
        default=(),
        items="origins",
    ),
    Setting(
        key="serve_connections",
        kind="switch",
        title="Offer services, too",
        help="Programs can also use the services that are connected here. What they ask then leaves "
        "this computer, and may cost money.",
        section="Server",
        default=False,
    ),
    Setting(
        key="serve_load",
        kind="switch",
        title="Load models when asked",
        help="Off: only the model that is in memory answers.",
        section="Server",
        default=True,
    ),
    Setting(
        key="serve_keep_chats",
        kind="switch",
        title="Keep their chats",
        help="What programs ask and get is listed among the chats.",
        section="Server",
        default=False,
    ),
    Setting(
        key="serve_text",
        kind="switch",
        title="Show what is asked",
        help="The list of requests shows their text, as long as the window is open. It is never "
        "written to a file.",
        section="Server",
        default=False,
    ),
)

_DECLARED = {setting.key: setting for setting in SETTINGS}
_TYPES = {field.name: field.type for field in msgspec.structs.fields(Settings)}


def checked_setting(key: str, value: object) -> Any:
    """The value if the setting can have it; else an `AppError` that says which values it can have."""
    setting = _DECLARED.get(key)
    try:
        typed = msgspec.convert(value, _TYPES[key])
        msgspec.json.encode(typed)
    except KeyError:
        raise AppError(f"There is no setting called “{key}”.") from None
    except (msgspec.ValidationError, UnicodeError) as error:
        if setting is not None and setting.kind == "choice":
            raise _no_choice(setting, value) from None
        raise AppError(f"“{value}” is no value for {key}.", f"{error}.") from None
    match setting:
        case Setting(kind="choice") if typed not in [choice.value for choice in setting.choices]:
            raise _no_choice(setting, typed)
        case Setting(kind="url") if typed and not is_safe_address(typed):
            is_plain = typed.lower().startswith("http://")
            raise AppError(
                f"“{typed}” is not safe." if is_plain else f"“{typed}” is no address.",
                "What comes over plain http can be changed on the way." if is_plain else "",
                "Give one that begins with https://.",
            )
        case Setting(kind="proxy") if typed and not _is_proxy(typed):
            raise AppError(
                f"“{typed}” is no proxy.",
                fix="Give an address such as http://proxy.example:8080.",
            )
        case Setting(kind="number") if not setting.minimum <= typed <= setting.maximum:
            raise AppError(
                f"“{typed}” is no value for {key}.",
                fix=f"It takes a whole number from {setting.minimum} to {setting.maximum:,}.",
            )
        case Setting(kind="list"):
            return _checked_list(setting, typed)
        case Setting(kind="folder") if typed and not _is_whole_path(typed):
            raise AppError(
                f"“{typed}” could be anywhere.",
                fix="Give the whole path of the folder.",
            )
    return typed


def _is_whole_path(text: str) -> bool:
    try:
        return Path(text).expanduser().is_absolute()
    except RuntimeError:  # “~” of a person who isn't known here
        return False


def _no_choice(setting: Setting, value: object) -> AppError:
    values = ", ".join(str(choice.value) for choice in setting.choices)
    return AppError(f"“{value}” is no value for {setting.key}.", fix=f"It takes one of {values}.")


def _checked_list(setting: Setting, items: tuple[str, ...]) -> tuple[str, ...]:
    """The items, each once. An item that can't be used is named."""
    stripped = tuple(dict.fromkeys(item.strip() for item in items if item.strip()))
    if len(stripped) > _LONGEST_LIST:
        raise AppError(f"{setting.title} can hold {_LONGEST_LIST} at most.")
    for item in stripped:
        if setting.items != "origins" and _is_whole_path(item):
            continue
        if setting.items == "folders":
            raise AppError(f"“{item}” can't be used.", fix="Give the whole path of the folder.")
        if setting.items == "origins" and not _is_origin(item):
            raise AppError(
                f"“{item}” is no origin.",
                fix="Give scheme and host, such as https://chat.example or http://localhost:3000.",
            )
        if setting.items == "catalogues" and not is_safe_address(item):
            raise AppError(
                f"“{item}” can't be used as a catalogue.",
                fix="Give an address that begins with https://, or the whole path of a file.",
            )
    return stripped


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in _PROXY_SCHEMES and bool(parts.hostname) and parts.port != 0
        return is_whole and not re.search(r"\s", url)
    except ValueError:
        return False


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        return is_whole and text == f"{parts.scheme}://{parts.netloc}" and "@" not in text
    except ValueError:
        return False
