"""What goes wrong with a request, before any API puts it into its own shape."""

from collections.abc import Sequence
from typing import Literal

from app.errors import AppError, problem_from
from backends.errors import (
    BackendError,
    BadAdapter,
    BadAnswer,
    BadGrammar,
    BadKey,
    LoadCancelled,
    ModelGone,
    NoCredit,
    OutOfMemory,
    PromptTooLong,
    RateLimited,
    Unreachable,
    Unsupported,
)
from catalog.errors import CatalogError, UnknownModel

FailureKind = Literal[
    "invalid",
    "too_long",
    "unauthorized",
    "forbidden",
    "not_found",
    "method",
    "too_large",
    "busy",
    "unavailable",
    "internal",
]

STATUS: dict[FailureKind, int] = {
    "invalid": 400,
    "too_long": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "method": 405,
    "too_large": 413,
    "busy": 429,
    "unavailable": 503,
    "internal": 500,
}


_LONGEST_MESSAGE = 1_500


class Failure(Exception):
    """A request that is refused or failed.

    `message` is for the person at the client, `param` the field that it is about, `code` a word for
    programs ("model_not_found"). `retry_after` in seconds. `headers` come with the response.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        code: str = "",
        param: str = "",
        retry_after: int = 0,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        if len(message) > _LONGEST_MESSAGE:  # one that quotes what the client sent
            message = f"{message[:_LONGEST_MESSAGE]}…"
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.code = code
        self.param = param
        self.retry_after = retry_after
        self.headers = headers

    @property
    def status(self) -> int:
        return STATUS[self.kind]


_KINDS: tuple[tuple[type[Exception], FailureKind, str], ...] = (
    (UnknownModel, "not_found", "model_not_found"),
    (ModelGone, "not_found", "model_not_found"),
    (PromptTooLong, "too_long", "context_length_exceeded"),
    (BadGrammar, "invalid", "invalid_schema"),
    (BadAdapter, "invalid", "invalid_adapter"),
    (Unsupported, "invalid", "unsupported"),
    (RateLimited, "busy", "rate_limit_exceeded"),
    (OutOfMemory, "unavailable", "out_of_memory"),
    (LoadCancelled, "unavailable", "load_cancelled"),
    (BadKey, "unavailable", "upstream_key"),
    (NoCredit, "unavailable", "insufficient_quota"),
    (Unreachable, "unavailable", "upstream_unreachable"),
    (BadAnswer, "unavailable", "upstream_failed"),
    (BackendError, "unavailable", "engine_failed"),
    (CatalogError, "unavailable", "model_unusable"),
    (AppError, "invalid", "refused"),
)


def failure_of(error: BaseException) -> Failure:
    """The failure that an error comes to. A bug says nothing of its own to the client."""
    if isinstance(error, Failure):
        return error
    problem = problem_from(error)
    if problem is None:
        return Failure("internal", "Something went wrong in Causeway itself. Its log says what.")
    kind, code = next((kind, code) for type_, kind, code in _KINDS if isinstance(error, type_))
    wait = error.wait_seconds if isinstance(error, RateLimited) else None
    return Failure(kind, problem.sentence(), code=code, retry_after=round(wait or 0))
