"""The models that a service lists, as far as they answer chats or make vectors."""

import re
from typing import Any

from backends.openai_compatible.fields import at, count_at, decoded, text_at
from backends.openai_compatible.provider import ModelList
from backends.protocol import ModelDescription

LONGEST_LIST = 16 << 20
_MOST_MODELS = 5000
_LONGEST_ID = 300
_MOST_CONTEXT = 100_000_000
_PATH = re.compile(r"/|[A-Za-z]:[/\\]")


def models_in(body: bytes, reads: ModelList, key: str) -> tuple[ModelDescription, ...]:
    """Sorted by name. Raises ValueError for what is no list of models.

    An id with the key in it is left out, since lists of models are kept on the disk.
    """
    found: dict[str, ModelDescription] = {}
    for item in _items(decoded(body))[:_MOST_MODELS]:
        model = _model(item, reads)
        if model is not None and not (key and key in f"{model.id} {model.name}"):
            found.setdefault(model.id, model)
    return tuple(sorted(found.values(), key=lambda each: (each.name.casefold(), each.id)))


def _items(answer: Any) -> list[Any]:
    if isinstance(answer, list):
        return answer
    for name in ("data", "models"):
        items = at(answer, name)
        if isinstance(items, list):
            return items
    raise ValueError("no list")


def _model(item: Any, reads: ModelList) -> ModelDescription | None:
    id = text_at(item, "id")
    if not id or len(id) > _LONGEST_ID or not id.isprintable():
        return None
    kind = text_at(item, reads.kind) if reads.kind else ""
    folded = id.casefold()
    embeds = kind in reads.embedding_kinds or any(part in folded for part in reads.embeds)
    if not embeds and (kind in reads.other_kinds or _is_no_chat(item, folded, reads)):
        return None
    names = (" ".join(text_at(item, name).split()) for name in reads.names)
    name = next((name for name in names if name and name.isprintable()), _name_of(id))
    contexts = (count_at(item, path) for path in reads.contexts)
    context = next((tokens for tokens in contexts if tokens), 0)
    return ModelDescription(
        id=id,
        name=name[:_LONGEST_ID],
        context_length=context if context <= _MOST_CONTEXT else 0,
        embeds=embeds,
    )


def _name_of(id: str) -> str:
    """Some servers call a model by the whole path of its file."""
    file = re.split(r"[/\\]", id)[-1] if _PATH.match(id) else id
    return file or id


def _is_no_chat(item: Any, id: str, reads: ModelList) -> bool:
    outputs = at(item, reads.outputs)
    return (
        any(part in id for part in reads.not_chat)
        or any(at(item, path) == value for path, value in reads.unless)
        or (isinstance(outputs, list) and bool(outputs) and "text" not in outputs)
    )
