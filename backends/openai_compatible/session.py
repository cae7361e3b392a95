"""A model of a service, as a session: nothing is loaded, and answers do not wait for each other."""

import random
import threading
import weakref
from collections.abc import Sequence

import msgspec

from backends.errors import BackendError, BadAnswer, Unsupported
from backends.openai_compatible.calls import CallClosed
from backends.openai_compatible.embeddings import LONGEST_ANSWER, portions, vectors_in
from backends.openai_compatible.fields import count_at, decoded
from backends.openai_compatible.refusals import complaint_in
from backends.openai_compatible.requests import asked_of
from backends.openai_compatible.service import Access, Cancel, Question, Service
from backends.openai_compatible.streams import Exchange, OpenAICompatibleStream
from backends.protocol import ChatRequest, Embeddings, Message, SessionInfo, Text


class OpenAICompatibleSession:
    """Implements `backends.protocol.Session`."""

    def __init__(self, access: Access, model: str) -> None:
        """Raises BackendError for an address that may not be used."""
        self._service = Service(access)
        self._access = access
        self._model = model
        self._lock = threading.Lock()
        self._under_way: weakref.WeakSet[OpenAICompatibleStream | Cancel] = weakref.WeakSet()
        self._refused: tuple[str, ...] = ()
        self._closed = False

    @property
    def info(self) -> SessionInfo:
        return SessionInfo(model=self._model, device=self._access.name)

    @property
    def alive(self) -> bool:
        return not self._closed

    def chat(self, request: ChatRequest) -> OpenAICompatibleStream:
        """Prepare an answer; the service is asked with the first event. Raises Unsupported, BadGrammar."""
        access = self._access
        seed = random.randrange(2**31)
        asked = asked_of(request, self._model, access.provider, access.name, seed)
        told = asked.warnings
        for field in self._refused:
            if field in asked.optional:
                asked = asked.without(field)
        # What a person was told once of this model need not be said with each answer.
        asked = msgspec.structs.replace(asked, warnings=told)
        stream = OpenAICompatibleStream(
            Exchange(self._service, self._model, request, asked, self._note_refused)
        )
        self._add(stream)
        return stream

    def count_tokens(self, messages: Sequence[Message]) -> int:
        raise Unsupported(f"{self._access.name} does not count tokens before it is asked.")

    def embed(self, texts: Sequence[Text]) -> Embeddings:
        """Raises Unsupported, PromptTooLong, and whatever else befalls a request."""
        if not self._access.provider.embed:
            raise Unsupported(
                f"{self._access.name} makes no vectors of texts.", fix="Choose another service."
            )
        plain = [text for text in texts if isinstance(text, str)]
        if len(plain) < len(texts):
            raise Unsupported(
                f"{self._access.name} takes no numbers of tokens.", fix="Send the text itself."
            )
        cancel = Cancel()
        self._add(cancel)
        vectors: list[tuple[float, ...]] = []
        tokens = 0
        for portion in portions(plain):
            made, read = self._embed(portion, cancel)
            vectors += made
            tokens += read
        if len({len(vector) for vector in vectors}) > 1:
            raise self._no_vectors()
        return Embeddings(vectors=tuple(vectors), tokens=tokens)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            under_way = tuple(self._under_way)
        for each in under_way:
            each.close()
        self._service.close()

    def _embed(self, texts: list[str], cancel: Cancel) -> tuple[list[tuple[float, ...]], int]:
        asked = {
            "model": self._model,
            "input": [text.encode("utf-8", "replace").decode() for text in texts],
        }
        question = Question(path="/embeddings", body=msgspec.json.encode(asked), model=self._model)
        seconds = self._access.patience.first_byte
        try:
            body = self._service.whole_answer(question, cancel, seconds, LONGEST_ANSWER)
        except CallClosed:
            raise self._ended() from None
        try:
            answer = decoded(body)
            complaint = complaint_in(answer)
            if complaint is not None:
                raise self._service.refusal(complaint, self._model)
            return vectors_in(answer, len(texts)), count_at(answer, "usage.prompt_tokens")
        except ValueError:
            raise self._no_vectors() from None

    def _add(self, under_way: OpenAICompatibleStream | Cancel) -> None:
        with self._lock:
            if self._closed:
                raise self._ended()
            self._under_way.add(under_way)

    def _note_refused(self, field: str) -> None:
        with self._lock:
            if field not in self._refused:
                self._refused = (*self._refused, field)

    def _no_vectors(self) -> BadAnswer:
        return BadAnswer(
            f"{self._access.name} sends what can't be understood.",
            "These are no vectors of the texts.",
            "Choose a model that makes vectors.",
        )

    def _ended(self) -> BackendError:
        return BackendError(
            f"The connection to {self._access.name} was closed.", fix="Ask again to open it anew."
        )
