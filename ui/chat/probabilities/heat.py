"""Probabilities as steps of a heat, and in words."""

import math
import unicodedata
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor

from backends.protocol import TokenLogprob
from ui.theme import Theme

_LIKELIEST_OTHERS = 5
_NO_BREAK = "\u00a0"


class Step(NamedTuple):
    """Probabilities from `at_least` up to the next step; so much of the accent lies on the ground."""

    at_least: float
    strength: float
    words: str


STEPS = (
    Step(0.9, 0.0, "≥ 90 %"),
    Step(0.7, 0.13, "70–90 %"),
    Step(0.4, 0.23, "40–70 %"),
    Step(0.15, 0.34, "15–40 %"),
    Step(0.0, 0.46, "< 15 %"),
)


def probability(logprob: float) -> float:
    """Of a natural logarithm; 0 for what is no number."""
    return min(math.exp(min(logprob, 0.0)), 1.0) if logprob == logprob else 0.0


def step_of(logprob: float) -> int:
    """The index of the step."""
    value = probability(logprob)
    return next(number for number, step in enumerate(STEPS) if value >= step.at_least)


def step_color(theme: Theme, step: int, ground: str) -> QColor:
    """The ground of a step over a ground of the theme."""
    strength = STEPS[step].strength
    below, above = theme.color(ground), theme.color("accent")

    def mixed(under: float, over: float) -> float:
        return under + (over - under) * strength

    return QColor.fromRgbF(
        mixed(below.redF(), above.redF()),
        mixed(below.greenF(), above.greenF()),
        mixed(below.blueF(), above.blueF()),
    )


def percent(logprob: float) -> str:
    value = probability(logprob) * 100
    if value < 0.1:
        return "< 0.1 %"
    return f"{value:.1f} %" if value < 99.95 else "100 %"


def visible(text: str) -> str:
    """A token's text with a mark for what can't be seen; a line break keeps breaking the line."""
    return "".join(_visible(character) for character in text)


def quoted(text: str) -> str:
    """A token on one line, in quotes that stay with it: many tokens begin with a space."""
    return f"“{visible(text).replace(chr(10), '').replace(' ', _NO_BREAK)}”"


def token_words(token: TokenLogprob) -> str:
    """What is known of a token, in a sentence or two."""
    words = _tr("{token} with {percent}.").format(
        token=quoted(token.text), percent=percent(token.logprob)
    )
    others = [(text, value) for text, value in token.top if text != token.text]
    if not others:
        return words
    listed = ", ".join(
        f"{quoted(text)} {percent(value)}" for text, value in others[:_LIKELIEST_OTHERS]
    )
    return f"{words} {_tr('Instead: {others}.').format(others=listed)}"


def _visible(character: str) -> str:
    if character == "\n":
        return "↵\n"
    if character == "\t":
        return "⇥"
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    return "�" if hidden else character


def _tr(words: str) -> str:
    return QCoreApplication.translate("Probabilities", words)
