"""How the program goes online: read anew for every request, so that a change counts at once."""

import msgspec


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """The person's settings of everything that goes online.

    `hub_endpoint` empty means the Hub itself, else a mirror; `hub_token` goes to that endpoint's origin
    only, and never into a file or a log. `proxy` empty means what the environment says.
    `bytes_per_second` bounds all downloads together, 0: not at all. `package_index` empty means
    the usual one.
    """

    hub_endpoint: str = ""
    hub_token: str = ""
    proxy: str = ""
    offline: bool = False
    package_index: str = ""
    bytes_per_second: int = 0

    def __repr__(self) -> str:
        return f"Network(hub_endpoint={self.hub_endpoint!r}, offline={self.offline})"
