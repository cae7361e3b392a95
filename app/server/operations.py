"""What the server's interfaces offer, as data: the page /docs and /openapi.json are made of it."""

from typing import Literal

import msgspec

Streamed = Literal["", "text/event-stream", "application/x-ndjson"]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A path that can be asked. `request` and `response` are structs; None: nothing of that kind.

    `path` names its parameters in braces ("/v1/models/{id}"). `streams` is the media type of an answer
    that comes bit by bit, where a client asks for one. `api` is the heading in the docs.
    """

    api: str
    method: Literal["GET", "POST", "DELETE", "HEAD"]
    path: str
    summary: str
    request: type | None = None
    response: type | None = None
    streams: Streamed = ""
    needs_key: bool = True
    description: str = ""
