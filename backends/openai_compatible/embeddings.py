"""Vectors of texts, as services give them."""

import array
import base64
import binascii
import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from backends.openai_compatible.fields import at, list_at, number

MOST_TEXTS = 64
MOST_CHARACTERS = 200_000
"""Of one request, with a text that is longer in one of its own."""

LONGEST_ANSWER = 64 << 20
_LONGEST_VECTOR = 1 << 16


def portions(texts: Sequence[str]) -> Iterator[list[str]]:
    portion: list[str] = []
    size = 0
    for text in texts:
        if portion and (len(portion) >= MOST_TEXTS or size + len(text) > MOST_CHARACTERS):
            yield portion
            portion, size = [], 0
        portion.append(text)
        size += len(text)
    if portion:
        yield portion


def vectors_in(answer: Any, count: int) -> list[tuple[float, ...]]:
    """The `count` vectors of an answer, made to norm 1. Raises ValueError for anything else."""
    items = list_at(answer, "data")
    if len(items) != count:
        raise ValueError("another number of vectors")
    found: list[tuple[float, ...] | None] = [None] * count
    for position, item in enumerate(items):
        index = at(item, "index")
        place = index if isinstance(index, int) and 0 <= index < count else position
        found[place] = _of_norm_one(_values(at(item, "embedding")))
    vectors = [vector for vector in found if vector is not None]
    if len(vectors) != count or len({len(vector) for vector in vectors}) != 1:
        raise ValueError("vectors of several lengths")
    return vectors


def _values(embedding: Any) -> list[float]:
    if isinstance(embedding, str):
        try:
            raw = base64.b64decode(embedding, validate=True)
        except binascii.Error:
            raise ValueError("not base64") from None
        values = array.array("f", raw[: len(raw) // 4 * 4])
        if sys.byteorder == "big":
            values.byteswap()
        return values.tolist()
    if not isinstance(embedding, list) or len(embedding) > _LONGEST_VECTOR:
        raise ValueError("no vector")
    numbers = [number(value) for value in embedding]
    if any(value is None for value in numbers):
        raise ValueError("no numbers")
    return [value for value in numbers if value is not None]


def _of_norm_one(values: list[float]) -> tuple[float, ...]:
    norm = math.hypot(*values)
    if not values or not math.isfinite(norm) or norm == 0:
        raise ValueError("no direction")
    return tuple(value / norm for value in values)
