"""How this API puts answers on the wire."""

import secrets
from collections.abc import AsyncGenerator, AsyncIterator

import msgspec
from starlette.responses import Response

from app.server.failures import Failure
from app.server.openai_api.errors import error_report

DONE = b"data: [DONE]\n\n"


_encoder = msgspec.json.Encoder()


def sse(value: msgspec.Struct) -> bytes:
    return b"data: " + _encoder.encode(value) + b"\n\n"


def json_response(value: msgspec.Struct) -> Response:
    return Response(_encoder.encode(value), media_type="application/json")


def new_id(prefix: str) -> str:
    return prefix + secrets.token_hex(12)


async def with_errors(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The chunks, and after them what went wrong, if anything: the status is long sent."""
    try:
        async for chunk in chunks:
            yield chunk
    except Failure as failure:
        yield sse(error_report(failure))
