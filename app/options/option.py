"""What a setting of a chat is."""

from typing import Literal

import msgspec

Value = int | float | str
Kind = Literal[
    "integer",
    "number",
    "switch",
    "choice",
    "text",
    "adapters",
    "order",
    "biases",
    "schema",
    "grammar",
    "servers",
]
Section = Literal[
    "prompt", "template", "adapters", "sampling", "advanced", "format", "length", "engine"
]


class Choice(msgspec.Struct, frozen=True):
    value: Value
    title: str


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """A setting of a chat.

    A "switch" is 0 or 1, a "choice" one of `choices`; the kinds from "text" on are texts, each in a
    form of its own. `neutral` is the value shown in words as `neutral_title` ("as the model",
    "random", …). Changing an option with `reloads` needs the model to be loaded again.
    """

    key: str
    kind: Kind
    default: Value
    title: str
    help: str
    section: Section
    choices: tuple[Choice, ...] = ()
    minimum: float = 0
    maximum: float = 0
    step: float = 1
    decimals: int = 0
    neutral: Value | None = None
    neutral_title: str = ""
    reloads: bool = False

    @property
    def is_number(self) -> bool:
        return self.kind in ("integer", "number")
