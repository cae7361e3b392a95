"""The paths of the OpenAI API."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.server.answering import Answering
from app.server.openai_api.chat import ChatCompletions
from app.server.openai_api.chat_request import ChatCompletionRequest
from app.server.openai_api.chat_response import ChatCompletion
from app.server.openai_api.completions import Completion, CompletionRequest, Completions
from app.server.openai_api.embeddings import EmbeddingList, EmbeddingPage, EmbeddingRequest
from app.server.openai_api.models import ModelList, ModelObject, ModelPages
from app.server.openai_api.rerank import Ranking, Reranking, RerankRequest
from app.server.openai_api.responses import Responses
from app.server.openai_api.responses_objects import DeletedResponse, ResponseObject
from app.server.openai_api.responses_request import ResponsesRequest
from app.server.operations import Operation

_API = "OpenAI"

Endpoint = Callable[[Request], Awaitable[Response]]

OPERATIONS = (
    Operation(
        api=_API,
        method="POST",
        path="/v1/chat/completions",
        summary="Answer a chat.",
        request=ChatCompletionRequest,
        response=ChatCompletion,
        streams="text/event-stream",
    ),
    Operation(
        api=_API,
        method="POST",
        path="/v1/responses",
        summary="Answer a chat, or go on with a response that is stored.",
        request=ResponsesRequest,
        response=ResponseObject,
        streams="text/event-stream",
    ),
    Operation(
        api=_API,
        method="POST",
        path="/v1/completions",
        summary="Go on with a text.",
        request=CompletionRequest,
        response=Completion,
        streams="text/event-stream",
    ),
    Operation(
        api=_API,
        method="POST",
        path="/v1/embeddings",
        summary="Make vectors of texts.",
        request=EmbeddingRequest,
        response=EmbeddingList,
    ),
    Operation(
        api=_API,
        method="GET",
        path="/v1/responses/{id}",
        summary="Tell of a response that is stored.",
        response=ResponseObject,
    ),
    Operation(
        api=_API,
        method="DELETE",
        path="/v1/responses/{id}",
        summary="Forget a response.",
        response=DeletedResponse,
    ),
    Operation(
        api=_API,
        method="POST",
        path="/v1/rerank",
        summary="Order documents by how near they come to a query.",
        request=RerankRequest,
        response=Ranking,
    ),
    Operation(
        api=_API,
        method="GET",
        path="/v1/models",
        summary="List the models that can be asked.",
        response=ModelList,
    ),
    Operation(
        api=_API,
        method="GET",
        path="/v1/models/{id}",
        summary="Tell of one model.",
        response=ModelObject,
    ),
)


def routes(answering: Answering) -> list[Route]:
    pages = ModelPages(answering)
    chat = ChatCompletions(answering)
    responses = Responses(answering)
    completions = Completions(answering)
    embeddings = EmbeddingPage(answering)
    reranking = Reranking(answering)
    post: dict[str, Endpoint] = {
        "/v1/chat/completions": chat.answer,
        "/v1/responses": responses.answer,
        "/v1/completions": completions.answer,
        "/v1/embeddings": embeddings.answer,
        "/v1/rerank": reranking.answer,
        "/v1/reranking": reranking.answer,
    }
    routes = [
        *(Route(path, endpoint, methods=["POST"]) for path, endpoint in post.items()),
        Route("/v1/responses/{id}", responses.one, methods=["GET"]),
        Route("/v1/responses/{id}", responses.delete, methods=["DELETE"]),
        Route("/v1/models", pages.all, methods=["GET"]),
        Route("/v1/models/{id:path}", pages.one, methods=["GET"]),
    ]
    return [*routes, *(_without_version(route) for route in routes)]


def _without_version(route: Route) -> Route:
    """The same for clients whose base address lacks the /v1."""
    return Route(route.path.removeprefix("/v1"), route.endpoint, methods=list(route.methods or ()))
