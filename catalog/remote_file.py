"""A file on a server, as the source that describes it sees it."""

import msgspec


class RemoteFile(msgspec.Struct, frozen=True, kw_only=True):
    """`sha256` and `size` are None where the source does not say.

    `authorization` is the value of that header; it goes to the origin of `url` and, on a redirect, to
    no other. `url` may be signed and expire: then the source is asked anew.
    """

    url: str
    sha256: str | None
    size: int | None
    authorization: str = ""
    etag: str = ""

    def __repr__(self) -> str:
        return f"RemoteFile(sha256={self.sha256}, size={self.size})"
