"""Chats of clients, stored among the person's own where they ask for that."""

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from app.conversations.records import Origin, Role, Status
from app.conversations.store import ConversationStore
from app.errors import AppError
from app.server.asked import Asked
from app.server.served import ServedModel
from backends.protocol import (
    Event,
    Finished,
    FinishReason,
    Message,
    ReasoningDelta,
    TextDelta,
    ToolCall,
)

_log = logging.getLogger(__name__)

_REMEMBERED = 2_000
"""Ends of chats that a request may go on from, for as long as the server is on."""

_STATUS: dict[FinishReason, Status] = {
    "stop": "complete",
    "length": "length",
    "cancelled": "stopped",
}


class _Line(msgspec.Struct, frozen=True):
    role: Role
    text: str


class Keeping:
    """Puts requests and their answers into the conversations. From any thread.

    An interface without a memory sends the whole chat with each request: one that begins with what
    was asked and answered before goes on in that chat, instead of making another.
    """

    def __init__(self, store: ConversationStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._ends: OrderedDict[bytes, tuple[str, str]] = OrderedDict()

    def begin(self, asked: Asked, served: ServedModel) -> "KeptAnswer | None":
        """To be told of the answer; it is stored when that has ended.

        None where there is nothing that a person could read: a prompt that is numbers or is only scored.
        """
        if isinstance(asked.prompt, tuple) or asked.echo:
            return None
        return KeptAnswer(self, asked, served)

    def store(self, asked: Asked, model: ServedModel, answer: "KeptAnswer", problem: str) -> None:
        """Blocks shortly. Where the disk fails, that is logged, and the client has its answer anyway."""
        try:
            self._store_answer(asked, model, answer, problem)
        except AppError as error:
            _log.warning("a client's chat is not kept: %s", error)
        except Exception:
            _log.exception("a client's chat is not kept")

    def _store_answer(
        self, asked: Asked, model: ServedModel, answer: "KeptAnswer", problem: str
    ) -> None:
        system, lines = _lines(asked)
        begun = lines.pop().text if asked.continue_last and lines else ""
        conversation_id, parent_id, known = self._known(system, lines)
        if not conversation_id:
            options = {"system_prompt": system} if system else {}
            conversation_id = self._store.create(model_id=model.id, options=options).id
        for line in lines[known:]:
            added = self._store.add_message(
                conversation_id, parent_id=parent_id, role=line.role, text=line.text
            )
            parent_id = added.id
        text = begun + answer.whole_text()
        finished = answer.finished
        stored = self._store.add_message(
            conversation_id, parent_id=parent_id, role="assistant", text="", status="streaming"
        )
        self._store.finish(
            stored.id,
            text=text,
            reasoning=answer.reasoning(),
            reasoning_seconds=0.0,
            status=_STATUS[finished.reason] if finished else "interrupted",
            problem=problem,
            origin=_origin(model, finished),
        )
        end = (*lines, _Line("assistant", text))
        with self._lock:
            self._ends[_digest(system, end)] = conversation_id, stored.id
            while len(self._ends) > _REMEMBERED:
                self._ends.popitem(last=False)

    def _known(self, system: str, lines: Sequence[_Line]) -> tuple[str, str | None, int]:
        """The chat that the lines go on in, its last message, and how many lines are in it already."""
        for count in range(len(lines), 0, -1):
            if lines[count - 1].role != "assistant":
                continue
            key = _digest(system, lines[:count])
            with self._lock:
                found = self._ends.get(key)
                if found is not None:
                    self._ends.move_to_end(key)
            if found is not None and self._is_there(*found):
                return (*found, count)
        return "", None, 0

    def _is_there(self, conversation_id: str, message_id: str) -> bool:
        """A person may have deleted it since."""
        try:
            self._store.get(conversation_id)
            self._store.message(message_id)
        except AppError:
            return False
        return True


class KeptAnswer:
    """An answer as it comes, to be stored when it has ended."""

    def __init__(self, keeping: Keeping, asked: Asked, model: ServedModel) -> None:
        self._keeping = keeping
        self._asked = asked
        self._model = model
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[ToolCall] = []
        self.finished: Finished | None = None

    def add(self, event: Event) -> None:
        match event:
            case TextDelta(text):
                self._text.append(text)
            case ReasoningDelta(text):
                self._reasoning.append(text)
            case ToolCall():
                self._calls.append(event)
            case Finished():
                self.finished = event

    def end(self, problem: str) -> None:
        """Store it. Blocks shortly."""
        self._keeping.store(self._asked, self._model, self, problem)

    def whole_text(self) -> str:
        return _with_calls("".join(self._text), self._calls)

    def reasoning(self) -> str:
        return "".join(self._reasoning)


def _lines(asked: Asked) -> tuple[str, list[_Line]]:
    """The system prompt, and what a conversation can hold of the messages."""
    if asked.prompt is not None:
        return "", [_Line("user", str(asked.prompt))]
    system = "\n\n".join(each.content for each in asked.messages if each.role == "system")
    return system, [_line(each) for each in asked.messages if each.role != "system"]


def _line(message: Message) -> _Line:
    match message.role:
        case "assistant":
            return _Line("assistant", _with_calls(message.content, message.tool_calls))
        case "tool":
            return _Line("user", f"```\n{message.content}\n```")
        case _:
            return _Line("user", message.content)


def _with_calls(text: str, calls: Sequence[ToolCall]) -> str:
    written = (f"```json\n{call.name} {call.arguments}\n```" for call in calls)
    return "\n\n".join(part for part in (text, *written) if part)


def _digest(system: str, lines: Sequence[_Line]) -> bytes:
    return hashlib.sha256(msgspec.msgpack.encode((system, lines))).digest()


def _origin(model: ServedModel, finished: Finished | None) -> Origin:
    origin = Origin(
        model_id=model.id,
        model_name=model.name,
        model_bytes=model.size_bytes,
        quant=model.quant,
        backend="" if model.owned_by == "causeway" else model.owned_by,
    )
    if finished is None:
        return origin
    return msgspec.structs.replace(
        origin, seed=finished.seed, usage=finished.usage, timings=finished.timings
    )
