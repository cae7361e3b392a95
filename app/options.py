"""The settings of a chat, each declared once: the inspector, the command line and the docs read it here."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from app.errors import AppError

Value = int | float | str
Kind = Literal["integer", "number", "text"]
Section = Literal["prompt", "template", "sampling", "length", "engine"]


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """A setting of a chat.

    `neutral` is the value shown in words as `neutral_title` ("as the model", "random", …). Changing
    an option with `reloads` needs the model to be loaded again.
    """

    key: str
    kind: Kind
    default: Value
    title: str
    help: str
    section: Section
    minimum: float = 0
    maximum: float = 0
    step: float = 1
    decimals: int = 0
    neutral: Value | None = None
    neutral_title: str = ""
    reloads: bool = False


CHAT_OPTIONS: tuple[Option, ...] = (
    Option(
        key="system_prompt",
        kind="text",
        default="",
        title="System prompt",
        help="What the model is told before the first message.",
        section="prompt",
    ),
    Option(
        key="chat_template",
        kind="text",
        default="",
        title="Chat template",
        help="A Jinja text that writes the prompt, instead of the model's own.",
        section="template",
        reloads=True,
    ),
    Option(
        key="temperature",
        kind="number",
        default=0.7,
        title="Temperature",
        help="Higher is more varied, lower more predictable. At 0 the likeliest token is always taken.",
        section="sampling",
        maximum=2,
        step=0.05,
        decimals=2,
    ),
    Option(
        key="top_k",
        kind="integer",
        default=40,
        title="Top-k",
        help="Choose among this many of the likeliest tokens. 0 switches it off.",
        section="sampling",
        maximum=200,
    ),
    Option(
        key="top_p",
        kind="number",
        default=0.95,
        title="Top-p",
        help="Choose among the likeliest tokens that together reach this probability. 1 switches it off.",
        section="sampling",
        maximum=1,
        step=0.01,
        decimals=2,
    ),
    Option(
        key="min_p",
        kind="number",
        default=0.05,
        title="Min-p",
        help="Leave out tokens less likely than this share of the likeliest one. 0 switches it off.",
        section="sampling",
        maximum=1,
        step=0.01,
        decimals=2,
    ),
    Option(
        key="repeat_penalty",
        kind="number",
        default=1.0,
        title="Repeat penalty",
        help="Above 1, tokens that were just used become less likely. 1 switches it off.",
        section="sampling",
        minimum=0.5,
        maximum=2,
        step=0.01,
        decimals=2,
    ),
    Option(
        key="seed",
        kind="integer",
        default=-1,
        title="Seed",
        help="The same seed and settings give the same answer again.",
        section="sampling",
        minimum=-1,
        maximum=2**31 - 1,
        neutral=-1,
        neutral_title="Random",
    ),
    Option(
        key="max_tokens",
        kind="integer",
        default=-1,
        title="Longest answer",
        help="Tokens after which an answer is cut. It can be continued.",
        section="length",
        minimum=-1,
        maximum=1_000_000,
        neutral=-1,
        neutral_title="No limit",
    ),
    Option(
        key="n_ctx",
        kind="integer",
        default=0,
        title="Context length",
        help="Tokens the model can look back on. More needs more memory.",
        section="length",
        maximum=1_048_576,
        step=1024,
        neutral=0,
        neutral_title="As the model, up to 8,192",
        reloads=True,
    ),
    Option(
        key="threads",
        kind="integer",
        default=0,
        title="Threads",
        help="Processor cores that compute. One fewer than there are keeps the computer responsive.",
        section="engine",
        maximum=512,
        neutral=0,
        neutral_title="All cores but one",
        reloads=True,
    ),
    Option(
        key="gpu_layers",
        kind="integer",
        default=-1,
        title="GPU layers",
        help="Layers that a graphics card computes, where there is one.",
        section="engine",
        minimum=-1,
        maximum=1000,
        neutral=-1,
        neutral_title="As many as fit",
        reloads=True,
    ),
)

_BY_KEY = {option.key: option for option in CHAT_OPTIONS}


def option(key: str) -> Option:
    """The option of that key; an error in words where there is none."""
    try:
        return _BY_KEY[key]
    except KeyError:
        raise AppError(
            f"There is no setting called “{key}”.", fix=f"The settings are {', '.join(_BY_KEY)}."
        ) from None


def checked(key: str, value: object) -> Value:
    """The value, converted to the option's kind and checked against its range."""
    opt = option(key)
    if opt.kind == "text":
        return str(value)
    try:
        number = float(value) if isinstance(value, (int, float, str)) else float("nan")
    except ValueError:
        number = float("nan")
    whole = opt.kind == "integer"
    if not opt.minimum <= number <= opt.maximum or (whole and number != int(number)):
        sort = "a whole number" if whole else "a number"
        raise AppError(
            f"“{value}” is no value for {key}.",
            fix=f"It takes {sort} from {opt.minimum:g} to {opt.maximum:g}.",
        )
    return int(number) if whole else number


def effective(*layers: Mapping[str, Value]) -> dict[str, Value]:
    """Every option's value: its default, overridden by each layer in turn. Foreign keys are dropped."""
    values: dict[str, Value] = {opt.key: opt.default for opt in CHAT_OPTIONS}
    for layer in layers:
        values.update({key: value for key, value in layer.items() if key in _BY_KEY})
    return values
