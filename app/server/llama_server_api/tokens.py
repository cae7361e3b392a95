"""/tokenize, /detokenize and /apply-template."""

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.server.answering import Answering
from app.server.bodies import decoded
from app.server.failures import Failure
from app.server.openai_api.fields import Model, Token
from app.server.openai_api.messages import Messages, prompt_of
from app.server.openai_api.sending import json_response
from app.server.openai_api.tools import ChatTool, chosen_tools
from app.server.served import DEFAULT_NAME
from backends.protocol import ApplyTemplate, ChatRequest, Detokenize, Tokenize

_LONGEST_TEXT = 2_000_000
"""Characters. The model's other answers wait while it is read."""


class TokenizeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """With `add_special`, the tokens that begin a prompt come too. Without `parse_special`, what spells
    a control token is plain text. With `with_pieces`, each token comes with its text, or its bytes where
    these are no text.
    """

    content: str
    model: Model = DEFAULT_NAME
    add_special: bool | None = None
    parse_special: bool | None = None
    with_pieces: bool | None = None


class TokenPiece(msgspec.Struct, frozen=True):
    id: int
    piece: str | list[int]


class TokenList(msgspec.Struct, frozen=True):
    tokens: list[int | TokenPiece]


class DetokenizeRequest(msgspec.Struct, frozen=True, kw_only=True):
    tokens: Annotated[list[Token], msgspec.Meta(max_length=_LONGEST_TEXT)]
    model: Model = DEFAULT_NAME


class WrittenText(msgspec.Struct, frozen=True):
    content: str


class PromptRequest(msgspec.Struct, frozen=True, kw_only=True):
    messages: Messages
    tools: list[ChatTool] | None = None
    model: Model = DEFAULT_NAME


class Prompt(msgspec.Struct, frozen=True):
    prompt: str


class TokenPages:
    """Tells what a model reads."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def tokenize(self, request: Request) -> Response:
        wanted = await decoded(request, TokenizeRequest)
        if len(wanted.content) > _LONGEST_TEXT:
            raise Failure(
                "invalid", f"content: at most {_LONGEST_TEXT:,} characters.", param="content"
            )
        question = Tokenize(
            text=wanted.content,
            add_special=bool(wanted.add_special),
            parse_special=wanted.parse_special is not False,
        )
        found = await self._answering.spell(wanted.model, question, request.state.note)
        if not wanted.with_pieces:
            return json_response(TokenList(list(found.tokens)))
        pieces = zip(found.tokens, found.pieces, strict=True)
        return json_response(TokenList([TokenPiece(token, _shown(data)) for token, data in pieces]))

    async def detokenize(self, request: Request) -> Response:
        wanted = await decoded(request, DetokenizeRequest)
        question = Detokenize(tuple(wanted.tokens))
        found = await self._answering.spell(wanted.model, question, request.state.note)
        return json_response(WrittenText(found.text))

    async def apply_template(self, request: Request) -> Response:
        wanted = await decoded(request, PromptRequest)
        messages = prompt_of(wanted.messages)
        tools, _ = chosen_tools([tool.function for tool in wanted.tools or ()], "auto", "")
        last = messages[-1]
        chat = ChatRequest(
            messages=messages,
            tools=tools,
            continue_last=last.role == "assistant" and not last.tool_calls,
        )
        found = await self._answering.spell(wanted.model, ApplyTemplate(chat), request.state.note)
        return json_response(Prompt(found.text))


def _shown(data: bytes) -> str | list[int]:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return list(data)
