"""Which values a setting of a chat takes, and which are in force."""

from collections.abc import Callable, Mapping

from app.errors import AppError
from app.formatting import shortened, whole_characters
from app.options.adapter_stack import parse_stack
from app.options.option import Kind, Option, Value
from app.options.table import CHAT_OPTIONS
from app.options.texts import (
    parse_biases,
    parse_grammar,
    parse_order,
    parse_schema,
    parse_servers,
)

_BY_KEY = {option.key: option for option in CHAT_OPTIONS}
_PARSERS: Mapping[Kind, Callable[[str], object]] = {
    "adapters": parse_stack,
    "order": parse_order,
    "biases": parse_biases,
    "schema": parse_schema,
    "grammar": parse_grammar,
    "servers": parse_servers,
}


def option(key: str) -> Option:
    """The option of that key; an error in words where there is none."""
    try:
        return _BY_KEY[key]
    except KeyError:
        raise AppError(
            f"There is no setting called “{shortened(key)}”.",
            fix=f"The settings are {', '.join(_BY_KEY)}.",
        ) from None


def checked(key: str, value: object) -> Value:
    """The value, converted to the option's kind and checked against what it takes."""
    opt = option(key)
    if opt.kind == "choice":
        return _chosen(opt, value)
    if opt.kind == "switch":
        return _switched(opt, value)
    if opt.is_number:
        return _number(opt, value)
    text = whole_characters(str(value))
    if parse := _PARSERS.get(opt.kind):
        parse(text)
    return text


def effective(*layers: Mapping[str, Value]) -> dict[str, Value]:
    """Every option's value: its default, overridden by each layer in turn. Foreign keys are dropped."""
    values: dict[str, Value] = {opt.key: opt.default for opt in CHAT_OPTIONS}
    for layer in layers:
        values.update({key: value for key, value in layer.items() if key in _BY_KEY})
    return values


def _chosen(opt: Option, value: object) -> Value:
    for choice in opt.choices:
        if str(value).strip().casefold() == str(choice.value):
            return choice.value
    allowed = ", ".join(str(choice.value) for choice in opt.choices)
    raise AppError(
        f"“{shortened(str(value))}” is no value for {opt.key}.", fix=f"It takes one of {allowed}."
    )


def _switched(opt: Option, value: object) -> int:
    word = str(value).strip().casefold()
    if word in ("1", "on", "true", "yes"):
        return 1
    if word in ("0", "off", "false", "no"):
        return 0
    raise AppError(
        f"“{shortened(str(value))}” is no value for {opt.key}.", fix="It takes on or off."
    )


def _number(opt: Option, value: object) -> Value:
    try:
        number = float(value) if isinstance(value, (int, float, str)) else float("nan")
    except (ValueError, OverflowError):  # no number, or one that is too large for a float
        number = float("nan")
    whole = opt.kind == "integer"
    if not opt.minimum <= number <= opt.maximum or (whole and number != int(number)):
        sort = "a whole number" if whole else "a number"
        raise AppError(
            f"“{shortened(str(value))}” is no value for {opt.key}.",
            fix=f"It takes {sort} from {opt.minimum:g} to {opt.maximum:g}.",
        )
    return int(number) if whole else number
