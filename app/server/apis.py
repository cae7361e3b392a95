"""The interfaces that the server speaks, and which one a path belongs to."""

from collections.abc import Callable, Mapping

import msgspec
from starlette.routing import Route

from app.server import anthropic_api, llama_server_api, ollama_api, openai_api
from app.server.answering import Answering
from app.server.failures import Failure
from app.server.operations import Operation


class Api(msgspec.Struct, frozen=True):
    """`error_body` puts a failure into its shape."""

    title: str
    routes: Callable[[Answering], list[Route]]
    operations: tuple[Operation, ...]
    error_body: Callable[[Failure], dict[str, object]]


OPENAI = Api("OpenAI", openai_api.routes, openai_api.OPERATIONS, openai_api.error_body)
OLLAMA = Api("Ollama", ollama_api.routes, ollama_api.OPERATIONS, ollama_api.error_body)
ANTHROPIC = Api(
    "Anthropic", anthropic_api.routes, anthropic_api.OPERATIONS, anthropic_api.error_body
)
LLAMA_SERVER = Api(
    "llama.cpp", llama_server_api.routes, llama_server_api.OPERATIONS, openai_api.error_body
)
APIS = (OPENAI, OLLAMA, ANTHROPIC, LLAMA_SERVER)


def api_of(path: str, headers: Mapping[bytes, bytes]) -> Api:
    """Whose errors a client of this path understands."""
    if path == "/" or path == "/api" or path.startswith("/api/"):
        return OLLAMA
    if path.startswith("/v1/messages") or b"anthropic-version" in headers:
        return ANTHROPIC
    return OPENAI
