"""How this API puts answers on the wire."""

import hashlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator

import msgspec
from starlette.responses import Response

from app.server.failures import Failure
from app.server.openai_api.errors import error_report
from app.server.served import ServedModel
from app.versions import installed_version

DONE = b"data: [DONE]\n\n"


_encoder = msgspec.json.Encoder()


def sse(value: msgspec.Struct) -> bytes:
    return b"data: " + _encoder.encode(value) + b"\n\n"


def json_response(value: msgspec.Struct) -> Response:
    return Response(_encoder.encode(value), media_type="application/json")


def fingerprint_of(model: ServedModel) -> str:
    """What answers: it changes with the model's file and with the version of Causeway."""
    facts = (
        model.sha256 or f"{model.id} {model.size_bytes} {model.created}",
        installed_version("causeway"),
    )
    return f"fp_{hashlib.sha256(' '.join(facts).encode()).hexdigest()[:12]}"


def new_id(prefix: str) -> str:
    return prefix + secrets.token_hex(12)


async def with_errors(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The chunks, and after them what went wrong, if anything: the status is long sent."""
    try:
        async for chunk in chunks:
            yield chunk
    except Failure as failure:
        yield sse(error_report(failure))
