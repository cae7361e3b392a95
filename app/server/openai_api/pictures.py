"""Pictures in a request: their bytes come with it, since this server goes nowhere to fetch one."""

import base64
import binascii
import re

from app.server.failures import Failure
from backends.protocol import Image

_DATA_URL = re.compile(r"data:(image/[a-z0-9.+-]{1,40});base64,", re.IGNORECASE)


def image_of(url: str, param: str) -> Image:
    """The picture in a data URL. Raises `Failure`."""
    head = _DATA_URL.match(url[:80])
    if head is None:
        raise Failure(
            "invalid",
            "A picture has to come with the request, as “data:image/…;base64,…”."
            " This server fetches nothing from an address.",
            param=param,
        )
    try:
        data = base64.b64decode(url[head.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise Failure("invalid", "The picture is no base64.", param=param) from None
    return Image(head[1].lower(), data)
