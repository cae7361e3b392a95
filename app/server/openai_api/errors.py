"""Errors in the shape of the OpenAI API."""

import msgspec

from app.server.failures import Failure, FailureKind

_TYPES: dict[FailureKind, str] = {
    "unauthorized": "authentication_error",
    "forbidden": "permission_error",
    "not_found": "not_found_error",
    "busy": "rate_limit_error",
    "unavailable": "server_error",
    "internal": "server_error",
}


class ErrorDetail(msgspec.Struct, frozen=True):
    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorReport(msgspec.Struct, frozen=True):
    error: ErrorDetail


def error_report(failure: Failure) -> ErrorReport:
    kind = _TYPES.get(failure.kind, "invalid_request_error")
    return ErrorReport(
        ErrorDetail(failure.message, kind, failure.param or None, failure.code or None)
    )


def error_body(failure: Failure) -> dict[str, object]:
    body: dict[str, object] = msgspec.to_builtins(error_report(failure))
    return body
