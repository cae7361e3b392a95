"""The description of all interfaces as an OpenAPI document, made of the operations and their structs."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from app.server.operations import Operation

_REF = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
_PIECES: dict[str, dict[str, Any]] = {
    "text/event-stream": {"type": "object", "properties": {"data": {"type": "string"}}},
    "application/x-ndjson": {},
}
"""What each piece of an answer is that comes bit by bit."""

_FAILURES = {
    "400": "What is asked can't be understood or done.",
    "401": "The key is missing or wrong.",
    "403": "The name or the page that the request came by is refused.",
    "404": "There is no such model or address.",
    "413": "The body is too large.",
    "429": "Too many requests wait. `Retry-After` says how long to wait.",
    "503": "The model can't answer at the moment.",
}


def openapi_document(
    operations: Sequence[Operation], version: str, *, with_key: bool
) -> dict[str, Any]:
    """As a JSON value, OpenAPI 3.1."""
    kinds = [
        kind for each in operations for kind in (each.request, each.response) if kind is not None
    ]
    unique = list(dict.fromkeys(kinds))
    schemas, components = msgspec.json.schema_components(unique, ref_template=_REF)
    by_kind = dict(zip(unique, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        path = _PARAMETER.sub(r"{\1}", each.path)
        paths.setdefault(path, {})[each.method.lower()] = _operation(each, by_kind, with_key)
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Causeway's local server",
            "version": version,
            "description": "Models that run on this computer, by the interfaces of OpenAI, Ollama and Anthropic.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                **{
                    name: {"type": "apiKey", "in": "header", "name": name}
                    for name in ("x-api-key", "api-key")
                },
            },
        },
    }
    return document


def _operation(
    operation: Operation, schemas: dict[type, dict[str, Any]], with_key: bool
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [operation.api],
        "summary": operation.summary,
        "responses": {
            "200": _response(operation, schemas),
            "default": {"description": "An error, in the interface's own shape."},
            **{status: {"description": words} for status, words in _FAILURES.items()},
        },
    }
    if operation.description:
        described["description"] = operation.description
    if with_key and operation.needs_key:
        described["security"] = [{"bearer": []}, {"x-api-key": []}, {"api-key": []}]
    if parameters := _PARAMETER.findall(operation.path):
        described["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in parameters
        ]
    if operation.request is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas[operation.request]}},
        }
    return described


def _response(operation: Operation, schemas: dict[type, dict[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if operation.response is not None:
        content["application/json"] = {"schema": schemas[operation.response]}
    if operation.streams:
        content[operation.streams] = {"schema": _PIECES[operation.streams]}
    response: dict[str, Any] = {"description": "What was asked for."}
    if content:
        response["content"] = content
    return response
