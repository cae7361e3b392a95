"""Errors in the shape of the Anthropic API."""

import msgspec

from app.server.anthropic_api.responses import ErrorDetail, ErrorReport
from app.server.failures import Failure, FailureKind

_TYPES: dict[FailureKind, str] = {
    "invalid": "invalid_request_error",
    "too_long": "invalid_request_error",
    "unauthorized": "authentication_error",
    "forbidden": "permission_error",
    "not_found": "not_found_error",
    "method": "invalid_request_error",
    "too_large": "request_too_large",
    "busy": "rate_limit_error",
    "unavailable": "api_error",
    "internal": "api_error",
}


def error_report(failure: Failure) -> ErrorReport:
    overloaded = failure.kind == "unavailable" and failure.retry_after > 0
    kind = "overloaded_error" if overloaded else _TYPES[failure.kind]
    return ErrorReport(ErrorDetail(kind, failure.message))


def error_body(failure: Failure) -> dict[str, object]:
    body: dict[str, object] = msgspec.to_builtins(error_report(failure))
    return body
