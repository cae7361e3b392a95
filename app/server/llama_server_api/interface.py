"""The paths of llama.cpp's server."""

from starlette.routing import Route

from app.server.answering import Answering
from app.server.llama_server_api.infill import Infill, InfillAnswer, InfillRequest
from app.server.llama_server_api.tokens import (
    DetokenizeRequest,
    Prompt,
    PromptRequest,
    TokenizeRequest,
    TokenList,
    TokenPages,
    WrittenText,
)
from app.server.operations import Operation

_API = "llama.cpp"

OPERATIONS = (
    Operation(
        api=_API,
        method="POST",
        path="/tokenize",
        summary="Tell which tokens a text is.",
        request=TokenizeRequest,
        response=TokenList,
    ),
    Operation(
        api=_API,
        method="POST",
        path="/detokenize",
        summary="Tell which text tokens are.",
        request=DetokenizeRequest,
        response=WrittenText,
    ),
    Operation(
        api=_API,
        method="POST",
        path="/apply-template",
        summary="Tell which prompt a chat becomes.",
        request=PromptRequest,
        response=Prompt,
    ),
    Operation(
        api=_API,
        method="POST",
        path="/infill",
        summary="Write what stands between two texts.",
        request=InfillRequest,
        response=InfillAnswer,
        streams="text/event-stream",
    ),
)


def routes(answering: Answering) -> list[Route]:
    tokens = TokenPages(answering)
    infill = Infill(answering)
    return [
        Route("/tokenize", tokens.tokenize, methods=["POST"]),
        Route("/detokenize", tokens.detokenize, methods=["POST"]),
        Route("/apply-template", tokens.apply_template, methods=["POST"]),
        Route("/infill", infill.answer, methods=["POST"]),
    ]
