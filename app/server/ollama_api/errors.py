"""Errors in the shape of the Ollama API."""

import msgspec

from app.server.failures import Failure
from app.server.ollama_api.responses import ErrorReport


def error_report(failure: Failure) -> ErrorReport:
    return ErrorReport(failure.message)


def error_body(failure: Failure) -> dict[str, object]:
    body: dict[str, object] = msgspec.to_builtins(error_report(failure))
    return body
