"""/v1/embeddings."""

import base64
import math
import struct
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.server.answering import Answering
from app.server.bodies import decoded
from app.server.failures import Failure
from app.server.openai_api.fields import Model, Texts, texts_of
from app.server.openai_api.sending import json_response
from app.server.served import DEFAULT_NAME
from backends.protocol import Text

_MOST_TEXTS = 2048


class EmbeddingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """With `dimensions`, vectors are cut to so many numbers, and are of norm 1 again."""

    input: Texts
    model: Model = DEFAULT_NAME
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, msgspec.Meta(ge=1)] | None = None


class EmbeddingObject(msgspec.Struct, frozen=True, kw_only=True):
    """`embedding` is a list of numbers, or of base64 those of 32 bits, little-endian."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingUsage(msgspec.Struct, frozen=True):
    prompt_tokens: int
    total_tokens: int


class EmbeddingList(msgspec.Struct, frozen=True, kw_only=True):
    object: Literal["list"] = "list"
    data: list[EmbeddingObject]
    model: str
    usage: EmbeddingUsage


class EmbeddingPage:
    """Makes vectors of texts."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def answer(self, request: Request) -> Response:
        wanted = await decoded(request, EmbeddingRequest)
        texts = _texts(wanted.input)
        model = self._answering.find(wanted.model)
        made = await self._answering.embed(model.id, texts, request.state.note)
        vectors = [_cut(vector, wanted.dimensions) for vector in made.vectors]
        encoded = _base64 if wanted.encoding_format == "base64" else list
        return json_response(
            EmbeddingList(
                data=[
                    EmbeddingObject(index=index, embedding=encoded(vector))
                    for index, vector in enumerate(vectors)
                ],
                model=model.id,
                usage=EmbeddingUsage(made.tokens, made.tokens),
            )
        )


def _texts(given: Texts) -> list[Text]:
    texts = texts_of(given, "input")
    if len(texts) > _MOST_TEXTS:
        raise Failure("invalid", f"input: at most {_MOST_TEXTS} texts.", param="input")
    if not all(texts):
        raise Failure("invalid", "input: a text is empty.", param="input")
    return texts


def _cut(vector: Sequence[float], dimensions: int | None) -> Sequence[float]:
    if dimensions is None or dimensions == len(vector):
        return vector
    if dimensions > len(vector):
        raise Failure(
            "invalid",
            f"dimensions: this model makes vectors of {len(vector)} numbers.",
            param="dimensions",
        )
    cut = vector[:dimensions]
    norm = math.hypot(*cut)
    return [number / norm for number in cut] if norm else cut


def _base64(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
