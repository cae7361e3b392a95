"""The models that clients can ask, by the names that they give them."""

import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

from app.errors import KnownErrors
from app.models import ChatModel, Models, OfferedModel
from app.server.failures import Failure
from app.sessions import Sessions
from backends.protocol import Capabilities
from catalog.hub.file_names import quant_of
from catalog.library import InstalledModel, ModelKind

DEFAULT_NAME = "default"
"""What a client may call the model that was last chosen in the window."""

_FRESH_SECONDS = 2.0


class ServedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model as clients are told of it. What is not known is 0 or empty.

    `created` in Unix seconds, `parameters` counted from the file. `owned_by` is “causeway”, or whose
    service or plug-in it is. `template` is the Jinja text where the catalogue gives it. `sha256` is of the file.
    """

    id: str
    name: str
    created: int
    size_bytes: int
    quant: str
    architecture: str
    parameters: int
    context_length: int
    kind: ModelKind
    owned_by: str
    capabilities: Capabilities
    template: str = ""
    sha256: str = ""


class Shelf:
    """Finds what clients name among the models that are offered to them. From any thread.

    Looking goes through the disk, so that what was found counts for two seconds. A client can't name
    a file, only what is listed.
    """

    def __init__(
        self,
        models: Models,
        sessions: Sessions,
        default: Callable[[], ChatModel],
        *,
        with_offered: bool,
    ) -> None:
        self._models = models
        self._sessions = sessions
        self._default = default
        self._with_offered = with_offered
        self._seen: tuple[tuple[ServedModel, ChatModel], ...] = ()
        self._by_name: dict[str, tuple[ServedModel, ChatModel]] = {}
        self._looked = 0.0

    @property
    def is_fresh(self) -> bool:
        return bool(self._looked) and time.monotonic() - self._looked < _FRESH_SECONDS

    def look(self) -> None:
        """Blocks for as long as the disk takes. Without it, what was seen last counts."""
        found = [*self._models.writers(), *self._models.embedders()]
        seen = []
        for model in found:
            if isinstance(model, OfferedModel) and not self._with_offered:
                continue
            with suppress(*KnownErrors):  # a service that was disconnected this moment
                seen.append((_served(model, self._sessions.capabilities(model)), model))
        names: dict[str, tuple[ServedModel, ChatModel]] = {}
        # An id wins over the name of another model, and the first over those after it.
        for name_of in (_id_of, _name_of, _file_of, _entry_of, _quant_on_hub_of, _hub_of):
            for pair in seen:
                names.setdefault(name_of(pair[1]).casefold(), pair)
        self._seen, self._by_name, self._looked = tuple(seen), names, time.monotonic()

    def served(self) -> tuple[ServedModel, ...]:
        return tuple(served for served, _ in self._seen)

    def find(self, name: str) -> tuple[ServedModel, ChatModel]:
        """Raises `Failure`."""
        wanted = name.strip().casefold().replace("huggingface.co/", "hf.co/", 1)
        if not wanted:
            # Nobody means a certain model with it, and another would have to leave memory.
            raise Failure(
                "invalid",
                "model: it is empty. Name a model; “default” is the one that was chosen last in Causeway.",
                code="model_missing",
                param="model",
            )
        if wanted == DEFAULT_NAME:
            return self._find_default()
        found = self._by_name.get(wanted) or self._by_name.get(wanted.removesuffix(":latest"))
        if found is None:
            known = ", ".join(served.id for served, _ in self._seen[:8])
            raise Failure(
                "not_found",
                f"There is no model called “{name[:200]}” here."
                + (f" There is {known}{', …' if len(self._seen) > 8 else ''}." if known else ""),
                code="model_not_found",
                param="model",
            )
        return found

    def _find_default(self) -> tuple[ServedModel, ChatModel]:
        try:
            wanted = self._default()
        except KnownErrors as error:
            raise Failure("not_found", str(error), code="model_not_found", param="model") from None
        for served, model in self._seen:
            if model.id == wanted.id:
                return served, model
        writers = [pair for pair in self._seen if pair[0].kind != "embedding"]
        if not writers:
            raise Failure(
                "not_found",
                "No model is offered here.",
                code="model_not_found",
                param="model",
            )
        return writers[0]


def _id_of(model: ChatModel) -> str:
    return model.id


def _name_of(model: ChatModel) -> str:
    return model.name


def _file_of(model: ChatModel) -> str:
    return model.path.name if isinstance(model, InstalledModel) else model.id


def _entry_of(model: ChatModel) -> str:
    """“ID:QUANT”, by which it is pulled."""
    entry = model.entry if isinstance(model, InstalledModel) else None
    return f"{entry.id}:{model.quant}" if isinstance(model, InstalledModel) and entry else model.id


def _quant_on_hub_of(model: ChatModel) -> str:
    """As `_hub_of`, with its quant."""
    named = _hub_of(model)
    quant = quant_of(str(model.path)) if isinstance(model, InstalledModel) else ""
    return f"{named}:{quant}" if quant else named


def _hub_of(model: ChatModel) -> str:
    """“hf.co/OWNER/NAME”, by which clients of Ollama pull it: our models lie as on the Hub."""
    if not isinstance(model, InstalledModel) or not model.managed:
        return model.id
    return "/".join(("hf.co", *model.path.parts[-3:-1]))


def _served(model: ChatModel, capabilities: Capabilities) -> ServedModel:
    if isinstance(model, OfferedModel):
        return ServedModel(
            id=model.id,
            name=model.name,
            created=0,
            size_bytes=0,
            quant="",
            architecture="",
            parameters=0,
            context_length=model.context_length,
            kind="embedding" if model.embeds else "chat",
            owned_by=model.source,
            capabilities=capabilities,
        )
    return ServedModel(
        id=model.id,
        name=model.name,
        created=_changed(model),
        size_bytes=model.size_bytes,
        quant=model.quant,
        architecture=model.architecture,
        parameters=model.parameters,
        context_length=model.context_length,
        kind=model.kind,
        owned_by="causeway",
        capabilities=capabilities,
        template=model.template,
        sha256=model.sha256,
    )


def _changed(model: InstalledModel) -> int:
    try:
        return int(model.path.stat().st_mtime)
    except OSError:
        return 0
