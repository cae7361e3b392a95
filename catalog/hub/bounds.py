"""How long the Hub may take to answer, and how much it may say."""

import msgspec

from catalog.retries import Patience


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """`read_seconds` bounds each wait for the next bytes, `whole_seconds` all that one call asks.

    `patience` says how often a server that asks for a pause is asked again, and how long a pause may
    be; the time of the call begins anew after each.

    `answer_bytes` is the most that an answer of the API may have, `card_bytes` a model card.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 20.0
    whole_seconds: float = 60.0
    patience: Patience = Patience(longest_asked_seconds=60.0)
    answer_bytes: int = 16 << 20
    card_bytes: int = 1 << 20
