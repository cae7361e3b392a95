"""What the server tells of itself: whether it is well, its numbers, and what can be asked of it."""

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.server.docs_page import docs_page
from app.server.metrics import CONTENT_TYPE, Metrics
from app.server.openapi import openapi_document
from app.server.operations import Operation
from app.versions import installed_version

_DOCS_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


class Health(msgspec.Struct, frozen=True):
    """`status` is "ok" while the server answers."""

    status: str
    version: str


OPERATIONS = (
    Operation(
        api="Causeway",
        method="GET",
        path="/health",
        summary="Whether the server is well.",
        response=Health,
        needs_key=False,
    ),
    Operation(
        api="Causeway",
        method="GET",
        path="/metrics",
        summary="Requests, tokens and times, in the text format of Prometheus.",
    ),
    Operation(
        api="Causeway",
        method="GET",
        path="/openapi.json",
        summary="This description as an OpenAPI document.",
        needs_key=False,
    ),
    Operation(
        api="Causeway",
        method="GET",
        path="/docs",
        summary="This description as a page.",
        needs_key=False,
    ),
)


def routes(operations: tuple[Operation, ...], metrics: Metrics, *, with_key: bool) -> list[Route]:
    """`operations` are of all interfaces, these here included."""
    document = openapi_document(operations, installed_version("causeway"), with_key=with_key)
    described = msgspec.json.encode(document)
    page = docs_page(document)
    healthy = msgspec.json.encode(Health("ok", installed_version("causeway")))

    async def health(request: Request) -> Response:
        return Response(healthy, media_type="application/json")

    async def numbers(request: Request) -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    async def openapi(request: Request) -> Response:
        return Response(described, media_type="application/json")

    async def docs(request: Request) -> Response:
        return HTMLResponse(page, headers={"content-security-policy": _DOCS_POLICY})

    return [
        Route("/health", health),
        Route("/metrics", numbers),
        Route("/openapi.json", openapi),
        Route("/docs", docs),
    ]
