"""The settings that are texts in a form of their own: what they mean. All raise `AppError`."""

import math
import re
from typing import get_args

import msgspec

from app.errors import AppError
from app.formatting import shortened
from backends.protocol import Sampler, TokenBias

_SERVER = re.compile(r"[A-Za-z0-9.\-]+:\d{1,5}|\[[0-9A-Fa-f:]+\]:\d{1,5}")
_LARGEST_BIAS = 100.0
_NUMBERED = re.compile(r"#[0-9]+")
_LONGEST_NUMBER = len("#999999999")


def parse_order(text: str) -> tuple[Sampler, ...]:
    """Names of samplers after each other; those that are left out don't act."""
    known: tuple[Sampler, ...] = get_args(Sampler)
    names = text.replace(",", " ").split()
    order = tuple(sampler for name in names for sampler in known if sampler == name)
    if len(order) < len(names) or len(set(order)) < len(order):
        raise AppError(
            f"“{shortened(text)}” is no order of samplers.",
            fix=f"Name each once: {' '.join(known)}.",
        )
    return order


def parse_biases(text: str) -> tuple[TokenBias, ...]:
    """Lines “TEXT=NUMBER”, or “#ID=NUMBER” for a token by its number."""
    return tuple(_bias(line) for line in text.splitlines() if line.strip())


def parse_schema(text: str) -> None:
    """A JSON schema, as far as can be told without the engine. An empty text is none."""
    if not text.strip():
        return
    try:
        schema = msgspec.json.decode(text)
    except (ValueError, RecursionError) as error:  # as all that msgspec raises
        raise AppError("The schema is not JSON.", f"{error}.") from None
    if not isinstance(schema, dict | bool):
        raise AppError("The schema is not a JSON schema.", "It is no object.")


def parse_grammar(text: str) -> None:
    """A GBNF grammar, as far as can be told without the engine. An empty text is none."""
    if text.strip() and not re.search(r"(?m)^\s*root\s*::=", text):
        raise AppError(
            "The grammar has no beginning.", fix="Add a rule “root ::= …”: it is the whole answer."
        )


def parse_servers(text: str) -> tuple[str, ...]:
    """“HOST:PORT”s after each other."""
    servers = tuple(text.replace(",", " ").split())
    for server in servers:
        if not _SERVER.fullmatch(server) or not 0 < int(server.rpartition(":")[2]) < 65536:
            raise AppError(
                f"“{shortened(server)}” is no address of a machine.",
                fix="It is of the form HOST:PORT.",
            )
    return servers


def _bias(line: str) -> TokenBias:
    name, _, number = line.rpartition("=")
    try:
        bias = float(number)
    except ValueError:
        bias = math.nan
    if not name or not -_LARGEST_BIAS <= bias <= _LARGEST_BIAS:
        raise AppError(
            f"“{shortened(line.strip())}” is no bias.",
            fix=f"Write TEXT=NUMBER, with a number from -{_LARGEST_BIAS:g} to {_LARGEST_BIAS:g}.",
        )
    return TokenBias(_token(name) if _NUMBERED.fullmatch(name) else name, bias)


def _token(name: str) -> int:
    if len(name) > _LONGEST_NUMBER:
        raise AppError(
            f"“{shortened(name)}” is no token.",
            fix="No model has so many tokens. Check the number.",
        )
    return int(name[1:])
