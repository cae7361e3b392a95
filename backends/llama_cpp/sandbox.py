"""Jinja for templates that come from strangers: no access to Python, and an end to every rendering.

Jinja's own sandbox keeps a template away from Python's internals, but lets it run for ever or fill
the memory. Here every loop step and every call is counted against a budget and a deadline, and
nothing that multiplies (texts, lists, numbers, padding) may grow past a limit. Since this holds
inside of each operation, no watchdog is needed, which could not interrupt native code anyway.
"""

import functools
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from backends.tainted import as_tainted

MAX_STEPS = 1_000_000
MAX_SECONDS = 2.0
"""Of computing time, which a busy computer does not stretch."""
MAX_LENGTH = 8_000_000
"""Characters of a text, so also of the prompt, or of all the texts in a list."""
MAX_ELEMENTS = 500_000
"""Of a list and all the lists in it."""

_MAX_BITS = 256
_CHARGED_LENGTH = 256
_UNNEEDED_FILTERS = ("pprint", "striptags", "urlize", "xmlattr")
_WIDE_FORMAT = re.compile(r"\d{4}|\*|\{[^{}]*\{")
_MULTIPLYING_TEXTS = {"replace": (1,), "join": (0,), "indent": (0,), "wordwrap": (2,)}
"""Arguments of text methods and filters which, as a text, appear many times in the result."""


class RunawayTemplate(Exception):
    """A template did more work, or made more text, than any prompt needs."""


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """A sandbox that also limits time and memory. One rendering at a time; `start` before each."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, *, max_seconds: float = MAX_SECONDS) -> None:
        super().__init__(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _GenerationBlock]
        )
        del self.globals["lipsum"]
        self.globals["namespace"] = _Namespace
        self.filters = {
            name: self._bounded(name, function)
            for name, function in self.filters.items()
            if name not in _UNNEEDED_FILTERS
        }
        self.filters["counted"] = self._counted
        self.filters["checked"] = self._checked
        self._max_seconds = max_seconds
        self.start()

    def start(self) -> None:
        """Grant a new budget."""
        self._steps_left = MAX_STEPS
        self._deadline = time.thread_time() + self._max_seconds

    def add_filter(self, name: str, function: Callable[..., Any]) -> None:
        self.filters[name] = self._bounded(name, function)

    # Jinja's hooks

    def concat(self, parts: Iterable[str]) -> str:
        """Join what a block, a macro or the whole template gave."""
        kept: list[str] = []
        length = 0
        for part in parts:
            kept.append(part)
            length += len(part)
            _check_length(length)
        return _known_as_tainted("".join(kept))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            _check_bits(_bits(left) * abs(right) if isinstance(right, int) else _bits(left))
        elif operator == "*" and isinstance(left, int) and isinstance(right, int):
            _check_bits(_bits(left) + _bits(right))
        elif operator == "*":
            _check_length(_factor(left) * _factor(right))
        elif operator == "%" and isinstance(left, (str, bytes)):
            _check_format(left)
        elif operator == "+":
            _check_length(_length(left) + _length(right))
        return self._checked(super().call_binop(context, operator, left, right))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        wrapped = super().wrap_str_format(value)
        if wrapped is not None:
            _check_format(value.__self__)
        return wrapped

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        receiver = getattr(__obj, "__self__", None)
        if isinstance(receiver, (str, bytes, int)):
            name = getattr(__obj, "__name__", "")
            __self._check_growth(name, receiver, (*args, *kwargs.values()))
        return __self._checked(super().call(__context, __obj, *args, **kwargs))

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        return super()._generate(_Rewriter(self).visit(source), *args, **kwargs)

    # The budget

    def _spend(self, length: int = 0) -> None:
        self._steps_left -= 1 + length // _CHARGED_LENGTH
        if self._steps_left < 0 or time.thread_time() > self._deadline:
            raise RunawayTemplate("it runs for too long")

    def _checked(self, result: Any) -> Any:
        self._spend(_checked_length(result))
        if isinstance(result, str):
            return _known_as_tainted(result)
        return self._counted(result) if isinstance(result, Iterator) else result

    def _counted(self, iterable: Iterable[Any]) -> Iterator[Any]:
        for element in iterable:
            self._spend()
            yield element

    def _check_growth(self, name: str, subject: Any, args: tuple[Any, ...]) -> None:
        product = _factor(subject)
        for i, arg in enumerate(args):
            if not isinstance(arg, str) or i in _MULTIPLYING_TEXTS.get(name, ()):
                product *= _factor(arg)
        _check_length(product)
        self._spend(_length(subject))

    def _bounded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        # Jinja marks some filters to be given the context or the environment first.
        given = int(hasattr(function, "jinja_pass_arg"))

        @functools.wraps(function)
        def bounded(*args: Any, **kwargs: Any) -> Any:
            subject, *rest = args[given:]
            if name == "format":
                _check_format(str(subject))
            self._check_growth(name, subject, (*rest, *kwargs.values()))
            return self._checked(function(*args, **kwargs))

        return bounded


class _Namespace(Namespace):
    """Namespaces may hold each other, so that writing one out would double at every level."""

    def __repr__(self) -> str:
        return "<Namespace>"


class _Rewriter(NodeTransformer):
    """Sends loops, lists and the `~` operator through filters, where they are counted."""

    def __init__(self, environment: BoundedEnvironment) -> None:
        self._environment = environment

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802
        self.generic_visit(node)
        node.iter = self._filter("counted", node.iter)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno, environment=self._environment)
        return self._filter("join", parts)

    def visit_List(self, node: nodes.List) -> nodes.Expr:  # noqa: N802
        return self._container(node, node.items)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:  # noqa: N802
        return self._container(node, node.items if node.ctx == "load" else [])

    def visit_Dict(self, node: nodes.Dict) -> nodes.Expr:  # noqa: N802
        return self._container(node, [pair.value for pair in node.items])

    def _container(self, node: nodes.Expr, elements: list[nodes.Expr]) -> nodes.Expr:
        """Lists of lists double in size with every level, and comparing them can't be stopped."""
        self.generic_visit(node)
        if all(isinstance(element, nodes.Const) for element in elements):
            return node
        return self._filter("checked", node)

    def _filter(self, name: str, subject: nodes.Node) -> nodes.Filter:
        return nodes.Filter(
            cast(nodes.Expr, subject),
            name,
            [],
            [],
            None,
            None,
            lineno=subject.lineno,
            environment=self._environment,
        )


class _GenerationBlock(Extension):
    """`{% generation %}` marks a model's own words for training; here it changes nothing."""

    tags = {"generation"}  # noqa: RUF012 (Jinja's declaration)

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _known_as_tainted(text: str) -> str:
    """Python's own code joins tainted texts to a plain `str`: compare and trim it as they are."""
    return text if text.isascii() else as_tainted(text)


def _length(value: Any) -> int:
    return len(value) if isinstance(value, (str, bytes, list, tuple, dict, range)) else 0


def _checked_length(value: Any) -> int:
    """The length of a value and of all that it holds. Raises RunawayTemplate past the limit."""
    length = elements = 0
    waiting = [value]
    while waiting:
        part = waiting.pop()
        length += _length(part)
        _check_length(length)
        if isinstance(part, (dict, list, tuple)):
            elements += len(part)
            if elements > MAX_ELEMENTS:
                raise RunawayTemplate("it makes too long a list")
            waiting.extend(part)
        if isinstance(part, dict):
            waiting.extend(part.values())
    return length


def _factor(value: Any) -> int:
    """By how much a value may multiply the length of a result."""
    if isinstance(value, int):
        return max(1, abs(value))
    if isinstance(value, (list, tuple, dict)):
        elements = value.values() if isinstance(value, dict) else value
        return max(1, len(value) + sum(_length(element) for element in elements))
    return max(1, _length(value))


def _bits(value: Any) -> int:
    return value.bit_length() if isinstance(value, int) else 1


def _check_length(length: int) -> None:
    if length > MAX_LENGTH:
        raise RunawayTemplate("it makes too long a text")


def _check_bits(bits: int) -> None:
    if bits > _MAX_BITS:
        raise RunawayTemplate("it computes with too large numbers")


def _check_format(pattern: str | bytes) -> None:
    text = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
    if _WIDE_FORMAT.search(text):
        raise RunawayTemplate("it makes too long a text")
