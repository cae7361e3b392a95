"""How long a service is waited for, and how often it is asked again."""

import msgspec


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds to wait for a service. Models think long before they say anything, and between.

    `connect` for a connection, `first_byte` from then on for anything at all, `stall` for more of
    it, `listing` for the list of models, which a person waits for. `retries` are made at most, the first after `pause`; a
    wait that the service asks for is kept up to `longest_pause`.
    """

    connect: float = 15.0
    first_byte: float = 600.0
    stall: float = 300.0
    listing: float = 20.0
    retries: int = 2
    pause: float = 0.5
    longest_pause: float = 20.0
