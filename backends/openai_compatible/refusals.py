"""What a service complains of, and which of our errors that is."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from backends.errors import (
    BackendError,
    BadAnswer,
    BadKey,
    ModelGone,
    NoCredit,
    PromptTooLong,
    RateLimited,
    Unreachable,
)
from backends.openai_compatible.fields import at, decoded, list_at, text_at
from backends.openai_compatible.quoting import quoted
from backends.openai_compatible.waiting import asked_wait, in_words

PASSING_STATUSES = frozenset((408, 425, 429, 500, 502, 503, 504, *range(520, 525), 529))
"""What may pass by itself."""

_TOO_LONG = re.compile(
    r"context[ _-]?(length|size|window)|maximum context|max_model_len|maximum allowed number of input"
    r"|(prompt|input|request) (is )?too (long|large)|too many (input )?tokens|too large for model"
    r"|reduce the length|exceeds? the (available|maximum|model'?s?) (context|input|token)"
)
_NO_CREDIT = re.compile(
    r"insufficient[ _](quota|credits?|balance|funds)|credit balance|exceeded your current quota"
    r"|billing|payment required|out of credits|spend(ing)? limit"
)
_BAD_KEY = re.compile(
    r"(invalid|incorrect|missing|no) (api|auth)\w*[ _]?key|invalid_api_key|authentication"
)
_NO_MODEL = re.compile(
    r"model_not_found|model_decommissioned|no endpoints found|invalid[ _]model|not a valid model"
    r"|model\b.{0,200}\b(not found|(does not|doesn't) exist|not exist|no longer|not available"
    r"|decommissioned|deprecated|do not have access|does not have access)"
    r"|no such model|not have access to (the )?model"
)
_NO_SUCH_PAGE = re.compile(r"(file )?not found\.?|")


class Complaint(msgspec.Struct, frozen=True, kw_only=True):
    """What a service says of a failure, in its own words. `param` is the field that it refuses."""

    message: str = ""
    code: str = ""
    param: str = ""
    status: int = 0

    @property
    def text(self) -> str:
        return f"{self.code} {self.message}".casefold()[:4000]


def complaint_in(value: Any, status: int = 0) -> Complaint | None:
    """The complaint that a JSON value is, by any of the usual shapes; None where it is none."""
    if isinstance(value, list) and value:
        value = value[0]
    error = at(value, "error")
    if isinstance(error, str) and error:
        return Complaint(message=error, status=status)
    if not isinstance(error, dict):
        details = list_at(value, "detail") or list_at(value, "message.detail")
        if details:
            where = list_at(details[0], "loc")
            param = where[-1] if where and isinstance(where[-1], str) else ""
            message = f"{param}: {text_at(details[0], 'msg')}"
            return Complaint(message=message, param=param, status=status)
        message = text_at(value, "detail") or text_at(value, "message")
        if not message or "choices" in value:
            return None
        error = value
    message = (
        text_at(error, "metadata.raw") or text_at(error, "message") or text_at(error, "detail")
    )
    code = at(error, "code")
    if isinstance(code, int) and 400 <= code < 600:
        status = code if status in (0, 200) else status
    words = (code if isinstance(code, str) else "", text_at(error, "type"))
    param = text_at(error, "param")
    return Complaint(message=message, code=" ".join(words), param=param, status=status)


def complaint_of(status: int, body: bytes) -> Complaint:
    """What an answer of a status that is no success says."""
    try:
        found = complaint_in(decoded(body), status)
    except ValueError:
        found = None
    return found or Complaint(status=status)


def refusal(
    complaint: Complaint, *, name: str, model: str, key: str, headers: Mapping[str, str]
) -> BackendError:
    """The error that a complaint is. `name` is the service's, as the person knows it."""
    said = quoted(complaint.message, key)
    why = f"It says: “{said}”" if said else ""
    status, text = complaint.status, complaint.text
    if status == 407:
        return Unreachable(
            f"There is no connection to {name}.",
            "The proxy on the way wants a name and a password.",
            "Check the proxy in the settings.",
        )
    if status == 402 or ((400 <= status < 500 or not status) and _NO_CREDIT.search(text)):
        return NoCredit(
            f"The account at {name} has no credit left.", why, "Top it up there, then ask again."
        )
    if status == 429 or "rate_limit" in text:
        wait = asked_wait(headers, complaint.message)
        asked = "" if wait is None else f"It asks to wait {in_words(wait)}."
        return RateLimited(
            f"{name} wants fewer requests.",
            asked or why,
            "Ask again then, or choose another model."
            if asked
            else "Wait a little, then ask again.",
            wait_seconds=wait,
        )
    if status == 413 or _TOO_LONG.search(text):
        return PromptTooLong(
            "The chat is too long for the model.",
            why,
            "Shorten the message, begin a new chat, or choose a model with a longer context.",
        )
    if status == 401:
        return _bad_key(name, why, key)
    if _NO_MODEL.search(text) or (status == 404 and not _NO_SUCH_PAGE.fullmatch(text.strip())):
        return ModelGone(
            f"{name} does not have the model “{quoted(model, key)}”.",
            why,
            "Choose another one. What it has is listed anew when you test the connection.",
        )
    if status == 403 or _BAD_KEY.search(text):
        return _bad_key(name, why, key)
    if status in (404, 405):
        return BadAnswer(
            f"{name} is not at this address.",
            "There is a server, but it does not know what is asked of it.",
            "Check the address under Services; most end in /v1.",
        )
    if status in PASSING_STATUSES or status >= 500:
        return BadAnswer(
            f"{name} can't answer now (status {status}).", why, "Try again in a little while."
        )
    return BadAnswer(f"{name} did not accept the request.", why, "Try another model or option.")


def _bad_key(name: str, why: str, key: str) -> BadKey:
    if not key:
        return BadKey(f"{name} wants a key.", why, "Give one under Services.")
    return BadKey(f"{name} refuses the key.", why, "Check it under Services, or make a new one.")
