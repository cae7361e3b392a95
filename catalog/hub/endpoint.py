"""Which server is the Hub, by the settings, and how it is reached."""

import httpx2

from catalog.addresses import is_safe_address
from catalog.hub.errors import HubError
from catalog.network import Network

THE_HUB = "https://huggingface.co"


def endpoint_of(network: Network) -> str:
    """The address of the Hub or mirror, without a slash at its end. Raises `HubError`."""
    endpoint = network.hub_endpoint.strip().rstrip("/") or THE_HUB
    try:
        url = httpx2.URL(endpoint)
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    if not url.host or not is_safe_address(endpoint) or url.query or url.fragment:
        raise HubError(
            "The Hub address in the settings is not one that can be used.",
            "It has to begin with https://.",
            f"Correct it, or clear it for the Hub itself, {THE_HUB}.",
        )
    return endpoint


def checked_token(token: str) -> str:
    """The token as it goes into a header; empty for none. Raises `HubError`."""
    token = token.strip()
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise HubError(
            "The token has characters that no token has.",
            fix=f"Copy it anew from {THE_HUB}/settings/tokens.",
        )
    return token


def new_client(network: Network) -> httpx2.Client:
    """A client that goes through the proxy of the settings, else that of the environment."""
    try:
        return httpx2.Client(proxy=network.proxy or None)
    except (ImportError, ValueError, httpx2.InvalidURL) as error:
        raise HubError(
            "The proxy that is set does not work here.",
            "Causeway can use HTTP proxies only.",
            "Correct it in the settings: it begins with http://."
            if network.proxy
            else "Set HTTPS_PROXY to one, or unset ALL_PROXY.",
        ) from error
