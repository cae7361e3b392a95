"""/v1/rerank: which documents come nearest to a question."""

import operator
from typing import Annotated, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.server.answering import Answering
from app.server.bodies import decoded
from app.server.failures import Failure
from app.server.openai_api.embeddings import EmbeddingUsage
from app.server.openai_api.fields import Model
from app.server.openai_api.sending import json_response
from app.server.served import DEFAULT_NAME

_MOST_DOCUMENTS = 2000


class Document(msgspec.Struct, frozen=True):
    text: str


class RerankRequest(msgspec.Struct, frozen=True, kw_only=True):
    """With `top_n`, only so many of the nearest come back; with `return_documents`, their texts, too."""

    query: str
    documents: Annotated[list[str | Document], msgspec.Meta(min_length=1)]
    model: Model = DEFAULT_NAME
    top_n: Annotated[int, msgspec.Meta(ge=1)] | None = None
    return_documents: bool | None = None


class RankedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`index` is the document's place in the request."""

    index: int
    relevance_score: float
    document: Document | msgspec.UnsetType = msgspec.UNSET


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """The nearest first. `scored_by` "cosine": by the angle between the vectors of query and document."""

    object: Literal["list"] = "list"
    model: str
    results: list[RankedDocument]
    usage: EmbeddingUsage
    scored_by: Literal["cosine"] = "cosine"


class Reranking:
    """Orders documents by the vectors that a model makes of them."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def answer(self, request: Request) -> Response:
        wanted = await decoded(request, RerankRequest)
        texts = [each if isinstance(each, str) else each.text for each in wanted.documents]
        _check(wanted.query, texts)
        model = self._answering.find(wanted.model)
        made = await self._answering.embed(model.id, [wanted.query, *texts], request.state.note)
        query, *vectors = made.vectors
        scores = [sum(map(operator.mul, query, vector)) for vector in vectors]
        nearest = sorted(range(len(scores)), key=lambda index: -scores[index])[: wanted.top_n]
        return json_response(
            Ranking(
                model=model.id,
                results=[
                    RankedDocument(
                        index=index,
                        relevance_score=scores[index],
                        document=Document(texts[index])
                        if wanted.return_documents
                        else msgspec.UNSET,
                    )
                    for index in nearest
                ],
                usage=EmbeddingUsage(made.tokens, made.tokens),
            )
        )


def _check(query: str, texts: list[str]) -> None:
    if len(texts) > _MOST_DOCUMENTS:
        raise Failure(
            "invalid", f"documents: at most {_MOST_DOCUMENTS} of them.", param="documents"
        )
    if not query.strip():
        raise Failure("invalid", "query: it is empty.", param="query")
    if not all(texts):
        raise Failure("invalid", "documents: a text is empty.", param="documents")
