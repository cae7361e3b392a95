"""Every model that can be asked: files on this computer, and what services and plug-ins offer."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from app.errors import AppError
from catalog.catalogues.bundled import STARTER_ID
from catalog.errors import BadModelFile, UnknownModel
from catalog.library import InstalledModel, Library

_OFFERED = re.compile(r"[^:/\\]{2,}:")  # but no drive of Windows


class OfferedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a backend offers by itself: of a service that is connected, or of a plug-in.

    `id` is how it is named everywhere, “SOURCE:MODEL”; `model` what its `backend` calls it. `source` is
    the service's or plug-in's title. `leaves`: what is asked leaves this computer. `context_length` in
    tokens, 0: not known.
    """

    id: str
    name: str
    backend: str
    model: str
    source: str
    leaves: bool
    context_length: int = 0
    embeds: bool = False

    @property
    def writes(self) -> bool:
        """Whether it answers with text."""
        return not self.embeds


ChatModel = InstalledModel | OfferedModel
Offers = Callable[[], Sequence[OfferedModel]]


class Models:
    """Finds models, whoever runs them. From any thread."""

    def __init__(self, library: Library, offers: Sequence[Offers]) -> None:
        """`offers` tell what services and plug-ins listed last; they go nowhere to ask."""
        self._library = library
        self._offers = offers

    def offered(self) -> tuple[OfferedModel, ...]:
        """What services and plug-ins offer, by source and name."""
        return tuple(model for offers in self._offers for model in offers())

    def writers(self) -> tuple[ChatModel, ...]:
        """All that answer with text. Those on this computer come first, and of these the chat models."""
        return (*self._installed(), *(model for model in self.offered() if model.writes))

    def embedders(self) -> tuple[ChatModel, ...]:
        """All that are made for vectors."""
        installed = (model for model in self._library.models() if model.kind == "embedding")
        return (*installed, *(model for model in self.offered() if model.embeds))

    def find(self, ref: str) -> ChatModel:
        """The model of that id, or what `Library.find` finds. Raises `UnknownModel`."""
        wanted = ref.strip()
        offered = self.offered()
        for model in offered:
            if model.id == wanted:
                return model
        source = wanted.partition(":")[0]
        names = [model.id for model in offered if model.id.startswith(f"{source}:")]
        if ":" in wanted and names:
            raise UnknownModel(
                f"{source} lists no model called “{wanted.partition(':')[2]}”.",
                fix="Ask it for its models again, on the page Services.",
            )
        try:
            return self._library.find(wanted)
        except BadModelFile:
            # A service that is gone may have called its models by paths, or “owner/name”.
            if not _OFFERED.match(wanted) or os.path.exists(wanted):  # noqa: PTH110 -- odd names
                raise
            raise UnknownModel(
                f"There is no model called “{wanted}”.",
                f"No service and no plug-in is called “{source}”.",
                "Connect the service again, or choose another model.",
            ) from None

    def default(self, last_id: str) -> ChatModel:
        """The model that was last chosen, else the first that chats, without leaving this computer.

        One that only completes text is chosen where no other is here, before a service that is asked
        over the network.
        """
        return _chosen(sorted(self.writers(), key=_reluctance), last_id)

    def default_installed(self, last_id: str) -> InstalledModel:
        """The same among the files on this computer."""
        return _chosen(self._installed(), last_id)

    def _installed(self) -> list[InstalledModel]:
        return chat_models_first(model for model in self._library.models() if model.writes)


def chat_models_first(models: Iterable[InstalledModel]) -> list[InstalledModel]:
    """In the same order, but those that only complete text at the end."""
    return sorted(models, key=lambda model: model.kind == "completion")


def _reluctance(model: ChatModel) -> int:
    if isinstance(model, OfferedModel):
        return 3 if model.leaves else 1
    return 2 if model.kind == "completion" else 0


Model = TypeVar("Model", InstalledModel, ChatModel)


def _chosen(models: Sequence[Model], last_id: str) -> Model:
    if not models:
        raise AppError(
            "No model is installed.",
            fix="Get one on the page Models.",
            command=f"“causeway pull {STARTER_ID}” fetches a small one.",
        )
    return next((model for model in models if model.id == last_id), models[0])
