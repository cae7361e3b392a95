"""What can go wrong between here and the Hub."""

from catalog.errors import CatalogError


class HubError(CatalogError):
    """The Hub can't be reached, refuses, or answers what can't be used.

    Attributes:
        may_pass: Whether the same may work a little later.
        pause_seconds: What the server asks to wait until then, 0 where it does not.
    """

    def __init__(
        self,
        what: str,
        why: str = "",
        fix: str = "",
        *,
        may_pass: bool = False,
        pause_seconds: float = 0.0,
    ) -> None:
        super().__init__(what, why, fix)
        self.may_pass = may_pass
        self.pause_seconds = pause_seconds


class PauseAsked(HubError):
    """The server is there, and wants to be asked again a little later."""


class GatedRepository(HubError):
    """The person must agree to the authors' terms first, on the repository's page."""


class NotOffered(HubError):
    """The server knows no such address: a mirror that serves files alone."""
