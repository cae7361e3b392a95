"""What the Ollama API offers here."""

from starlette.routing import Route

from app.server.answering import Answering
from app.server.ollama_api.endpoints import answering_routes
from app.server.ollama_api.model_endpoints import model_routes
from app.server.ollama_api.requests import (
    ChatRequest,
    EmbeddingsRequest,
    EmbedRequest,
    GenerateRequest,
    NamedModel,
    PullRequest,
)
from app.server.ollama_api.responses import (
    ChatPart,
    EmbedAnswer,
    EmbeddingsAnswer,
    GeneratePart,
    ModelList,
    PullStatus,
    RunningModels,
    ShownModel,
    Version,
)
from app.server.operations import Operation

_API = "Ollama"

OPERATIONS = (
    Operation(
        api=_API,
        method="POST",
        path="/api/chat",
        summary="Answer a conversation.",
        request=ChatRequest,
        response=ChatPart,
        streams="application/x-ndjson",
    ),
    Operation(
        api=_API,
        method="POST",
        path="/api/generate",
        summary="Answer a prompt.",
        request=GenerateRequest,
        response=GeneratePart,
        streams="application/x-ndjson",
    ),
    Operation(
        api=_API,
        method="POST",
        path="/api/embed",
        summary="Make vectors of texts.",
        request=EmbedRequest,
        response=EmbedAnswer,
    ),
    Operation(
        api=_API,
        method="POST",
        path="/api/embeddings",
        summary="Make a vector of a text, as older clients ask for it.",
        request=EmbeddingsRequest,
        response=EmbeddingsAnswer,
    ),
    Operation(
        api=_API, method="GET", path="/api/tags", summary="List the models.", response=ModelList
    ),
    Operation(
        api=_API,
        method="POST",
        path="/api/show",
        summary="Describe a model.",
        request=NamedModel,
        response=ShownModel,
    ),
    Operation(
        api=_API,
        method="GET",
        path="/api/ps",
        summary="Tell which model is in memory.",
        response=RunningModels,
    ),
    Operation(
        api=_API,
        method="POST",
        path="/api/pull",
        summary="Fetch a model, unless it is here.",
        request=PullRequest,
        response=PullStatus,
        streams="application/x-ndjson",
    ),
    Operation(
        api=_API,
        method="GET",
        path="/api/version",
        summary="Tell the version of the API.",
        response=Version,
    ),
)


def routes(answering: Answering) -> list[Route]:
    return [*answering_routes(answering), *model_routes(answering)]
