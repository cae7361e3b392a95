"""/v1/models, for clients of OpenAI and, by their header, of Anthropic."""

from datetime import UTC, datetime
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.server.answering import Answering, ServedModel
from app.server.openai_api.sending import json_response


class ModelObject(msgspec.Struct, frozen=True, kw_only=True):
    """`context_length` in tokens, 0: not known."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    context_length: int


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    object: Literal["list"] = "list"
    data: list[ModelObject]


class _ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    type: Literal["model"] = "model"
    id: str
    display_name: str
    created_at: str


class _ModelPage(msgspec.Struct, frozen=True, kw_only=True):
    data: list[_ModelInfo]
    has_more: bool = False
    first_id: str | None
    last_id: str | None


class ModelPages:
    """Lists the models that can be asked, and tells of one."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def all(self, request: Request) -> Response:
        served = self._answering.served()
        if _is_anthropic(request):
            ids = [model.id for model in served]
            return json_response(
                _ModelPage(
                    data=[_info(model) for model in served],
                    first_id=ids[0] if ids else None,
                    last_id=ids[-1] if ids else None,
                )
            )
        return json_response(ModelList(data=[_object(model) for model in served]))

    async def one(self, request: Request) -> Response:
        model = self._answering.find(request.path_params["id"] or "?")
        return json_response(_info(model) if _is_anthropic(request) else _object(model))


def _is_anthropic(request: Request) -> bool:
    return "anthropic-version" in request.headers


def _object(model: ServedModel) -> ModelObject:
    return ModelObject(
        id=model.id,
        created=model.created,
        owned_by=model.owned_by,
        context_length=model.context_length,
    )


def _info(model: ServedModel) -> _ModelInfo:
    created = datetime.fromtimestamp(model.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _ModelInfo(id=model.id, display_name=model.name, created_at=created)
