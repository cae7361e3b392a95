"""What the settings and secrets say of going online, as the catalogue's rooms want to know it."""

from collections.abc import Callable

from app.secrets import Secrets
from app.settings_file import SettingsFile
from catalog.downloads.fetch import resolve_index_url
from catalog.network import Network

_MEGABYTE = 1_000_000


def network_of(settings: SettingsFile, secrets: Secrets) -> Callable[[], Network]:
    """A function that reads them anew at each call. It may ask the keyring: not for the window's thread."""

    def network() -> Network:
        current = settings.current
        return Network(
            hub_endpoint=current.hub_endpoint,
            hub_token=secrets.hub_token(),
            proxy=current.proxy,
            offline=current.offline,
            package_index=resolve_index_url(current.package_index) or "",
            bytes_per_second=current.download_limit * _MEGABYTE,
        )

    return network
