"""How likely the tokens of an answer were, by either of the two shapes that services use."""

from typing import Any

from backends.openai_compatible.fields import at, list_at, number, text_at
from backends.protocol import Logprobs, TokenLogprob

_LEAST = -1e4


def logprobs_in(choice: Any) -> Logprobs | None:
    """What a choice says of its tokens; None where it says nothing."""
    tokens = [_token(item) for item in list_at(choice, "logprobs.content")]
    tokens += [_token(item) for item in list_at(choice, "logprobs.refusal")]
    tokens = tokens or _of_plain_text(at(choice, "logprobs"))
    return Logprobs(tuple(tokens)) if tokens else None


def _token(item: Any) -> TokenLogprob:
    top = tuple(
        (text_at(other, "token"), _value(at(other, "logprob")))
        for other in list_at(item, "top_logprobs")
    )
    return TokenLogprob(text_at(item, "token"), _value(at(item, "logprob")), top)


def _of_plain_text(logprobs: Any) -> list[TokenLogprob]:
    """Of `/completions`: a list each for the tokens, for their values, and for the others."""
    values, others = list_at(logprobs, "token_logprobs"), list_at(logprobs, "top_logprobs")
    found = []
    for i, token in enumerate(list_at(logprobs, "tokens")):
        top = others[i] if i < len(others) and isinstance(others[i], dict) else {}
        found.append(
            TokenLogprob(
                token if isinstance(token, str) else "",
                _value(values[i] if i < len(values) else None),
                tuple((text, _value(value)) for text, value in top.items()),
            )
        )
    return found


def _value(value: Any) -> float:
    """A token that could not come at all may be given as minus infinity, or as null."""
    found = number(value)
    return _LEAST if found is None else max(min(found, 0.0), _LEAST)
