"""The paths of the OpenAI API."""

from starlette.routing import Route

from app.server.answering import Answering
from app.server.openai_api.chat import ChatCompletions
from app.server.openai_api.chat_request import ChatCompletionRequest
from app.server.openai_api.chat_response import ChatCompletion
from app.server.openai_api.completions import Completion, CompletionRequest, Completions
from app.server.openai_api.embeddings import EmbeddingList, EmbeddingPage, EmbeddingRequest
from app.server.openai_api.models import ModelList, ModelObject, ModelPages
from app.server.openai_api.responses import Responses
from app.server.openai_api.responses_objects import ResponseObject
from app.server.openai_api.responses_request import ResponsesRequest
from app.server.operations import Operation

_API = "OpenAI"

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
        summary="Answer a chat. Nothing is remembered: each request brings the whole of it.",
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
    return [
        Route("/v1/chat/completions", chat.answer, methods=["POST"]),
        Route("/v1/responses", responses.answer, methods=["POST"]),
        Route("/v1/completions", completions.answer, methods=["POST"]),
        Route("/v1/embeddings", embeddings.answer, methods=["POST"]),
        Route("/v1/models", pages.all, methods=["GET"]),
        Route("/v1/models/{id:path}", pages.one, methods=["GET"]),
    ]
