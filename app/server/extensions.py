"""What every interface takes beyond its own: adapters, samplers and grammars, under the key `causeway`."""

from typing import Annotated

import msgspec

from app.errors import AppError
from app.options import Value, checked, option
from app.options.adapter_stack import StackedAdapter, parse_stack, stack_text
from app.server.failures import Failure
from backends.protocol import Grammar

SECTIONS = ("sampling", "advanced")
"""The sections of `app.options` whose settings a client may choose: none of them loads a model anew."""
THINKING = "thinking"
"""A setting beside those that it may choose, too."""

_FIELD = "causeway"


class RequestedAdapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An installed adapter by id or name, and how much of it is added to the model's weights."""

    adapter: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    scale: Annotated[float, msgspec.Meta(ge=-2, le=2)] = 1.0


class Extensions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The key `causeway` of a request, the same in every interface.

    `options` are settings of a chat's sampling by key ("min_p", "xtc_probability", "mirostat", …).
    `grammar` is a GBNF text whose rule "root" is the answer. With `advice`, the sampling is as in a chat
    of the window where the request says nothing: as the model's makers advise, as the person's settings
    and the model's profile have it.
    """

    adapters: tuple[RequestedAdapter, ...] | None = None
    options: dict[str, int | float | str | bool] = {}
    grammar: str = ""
    advice: bool = False


class Applied(msgspec.Struct, frozen=True):
    """What extensions come to: options of `app.options`, checked, a grammar, and whether the rest is advised."""

    options: dict[str, Value] = {}
    grammar: Grammar | None = None
    advised: bool = False


def applied(extensions: Extensions | None) -> Applied:
    """Raises `Failure` that names the field."""
    if extensions is None:
        return Applied()
    options = {key: checked_option(key, value) for key, value in extensions.options.items()}
    if extensions.adapters is not None:
        options["adapters"] = _stack(extensions.adapters)
    grammar = Grammar("gbnf", extensions.grammar) if extensions.grammar.strip() else None
    return Applied(options, grammar, extensions.advice)


def checked_option(key: str, value: object, param: str = "") -> Value:
    """A sampling setting as a client gives it. Raises `Failure` about `param`, or `causeway.options`."""
    param = param or f"{_FIELD}.options.{key}"
    try:
        if option(key).section not in SECTIONS and key != THINKING:
            raise Failure(
                "invalid",
                f"“{key}” is not a client's to set: it is no setting of the sampling.",
                param=param,
            )
        return checked(key, value)
    except AppError as error:
        raise Failure("invalid", str(error), param=param) from None


def thinking(wanted: bool | None) -> dict[str, Value]:
    """The option that has a model think first, or not; none where that is left to the model."""
    return {} if wanted is None else {THINKING: "on" if wanted else "off"}


def _stack(adapters: tuple[RequestedAdapter, ...]) -> str:
    text = stack_text([StackedAdapter(each.adapter, each.scale) for each in adapters])
    try:
        parse_stack(text)
    except AppError as error:
        raise Failure("invalid", str(error), param=f"{_FIELD}.adapters") from None
    return text
