"""The chat that is shown, and what the window reads to show one."""

from typing import NamedTuple

import msgspec
from PySide6.QtCore import QMutex, QMutexLocker

from app.conversations.records import Conversation, Page, ReadingPlace
from app.conversations.store import ConversationStore
from app.errors import AppError
from app.models import ChatModel
from app.options import Value
from app.services import Services
from app.silent_settings import silent_settings
from catalog.errors import CatalogError

NEW = Conversation(id="", title="", created=0, updated=0)
"""A chat in which nothing has been written: it is not stored yet."""


class OpenChat:
    """A shown chat. A new one is stored with its first draft or message.

    Attributes:
        conversation: as last read or changed; its id is empty while it is not stored.
    """

    def __init__(self, store: ConversationStore, conversation: Conversation) -> None:
        self._store = store
        self._changing = QMutex()
        self.conversation = conversation

    @property
    def id(self) -> str:
        return self.conversation.id

    def stored(self) -> str:
        """The id, stored now at the latest. Only called by operations that run in order."""
        if not self.conversation.id:
            new = self.conversation
            created = self._store.create(model_id=new.model_id, options=new.options)
            self.change(id=created.id, created=created.created, updated=created.updated)
        return self.conversation.id

    def change(self, **fields: object) -> None:
        """Change what is known of the chat, from any thread; the others' changes stay."""
        with QMutexLocker(self._changing):
            self.conversation = msgspec.structs.replace(self.conversation, **fields)

    def take(self, read: Conversation, instead_of: Conversation) -> None:
        """What was read replaces what was known when the reading began, unless that has changed."""
        with QMutexLocker(self._changing):
            if self.conversation is instead_of:
                self.conversation = read


class ChatContents(NamedTuple):
    """What of a chat is shown. `model` is None where none can be used; `refusal` says why.

    `silent` are the keys of the settings that change nothing with this model. `place` is what to show
    of it first; None is its end.
    """

    conversation: Conversation
    page: Page
    values: dict[str, Value]
    defaults: dict[str, Value]
    model: ChatModel | None
    refusal: str
    silent: frozenset[str] = frozenset()
    place: ReadingPlace | None = None


def read_chat(services: Services, conversation_id: str) -> ChatContents:
    """Read a stored chat where it was read last. Raises `AppError` where there is none of that id."""
    return read_chat_at(services, conversation_id, services.store.get(conversation_id).place)


def read_chat_at(
    services: Services, conversation_id: str, place: ReadingPlace | None
) -> ChatContents:
    """The same, from that place to its end."""
    reaching = place.message_id if place is not None else ""
    page = services.store.page(conversation_id, reaching=reaching)
    contents = _contents(services, services.store.get(conversation_id), page)
    return contents._replace(place=place)


def read_new_chat(services: Services, conversation: Conversation = NEW) -> ChatContents:
    """What a chat shows that has not been stored."""
    return _contents(services, conversation, Page(messages=(), has_earlier=False))


def _contents(services: Services, conversation: Conversation, page: Page) -> ChatContents:
    bare = msgspec.structs.replace(conversation, options={})
    model, refusal = None, ""
    try:
        model = services.chats.model_for(conversation)
    except (AppError, CatalogError) as error:
        refusal = str(error)
    return ChatContents(
        conversation,
        page,
        services.chats.options_for(conversation),
        services.chats.options_for(bare),
        model,
        refusal,
        silent_settings(services, model),
    )
