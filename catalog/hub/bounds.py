"""How long the Hub may take to answer, and how much it may say."""

import msgspec


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """`read_seconds` bounds each wait for the next bytes, `whole_seconds` all that one call asks.

    `answer_bytes` is the most that an answer of the API may have, `card_bytes` a model card.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 20.0
    whole_seconds: float = 60.0
    answer_bytes: int = 16 << 20
    card_bytes: int = 1 << 20
