"""What every interface asks for: models, answers, vectors, counts. It lives in the server's loop."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    aclosing,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from typing import TypeVar, cast

import msgspec

from app.adapters import Adapters
from app.chats import Chats
from app.engines import Engines
from app.errors import KnownErrors
from app.lookup import Lookup
from app.models import ChatModel, Models
from app.server.asked import Asked
from app.server.config import ServerConfig
from app.server.failures import Failure, failure_of
from app.server.journal import RequestNote
from app.server.keeping import Keeping
from app.server.places import Places
from app.server.pulling import Pulling
from app.server.requesting import chat_request, check_abilities, options_of
from app.server.running import RunningAnswer
from app.server.served import ServedModel as ServedModel
from app.server.served import Shelf
from app.server.threads import AnswerThreads
from app.sessions import Sessions
from backends.errors import LoadCancelled
from backends.protocol import (
    ChatRequest,
    Embeddings,
    Event,
    Finished,
    LoadOptions,
    Message,
    Question,
    ReasoningDelta,
    Session,
    SessionInfo,
    Spelled,
    Text,
    TextDelta,
    TokenSession,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from catalog.downloads.queue import DownloadQueue
from catalog.downloads.wanted import DownloadState
from catalog.library import InstalledModel

_log = logging.getLogger(__name__)

T = TypeVar("T")

_LAST_SECONDS = 10.0
"""How long cancelled answers may take to end."""

_UNLOAD_SECONDS = 5.0
"""How long a client waits for a model to leave memory. One that still writes leaves it later."""

_PORTION = 32
"""Texts that are made into vectors at a time."""


class Answering:
    """Answers for all interfaces, each on a thread of its own."""

    def __init__(
        self,
        models: Models,
        sessions: Sessions,
        chats: Chats,
        adapters: Adapters,
        engines: Engines,
        config: ServerConfig,
        keeping: Keeping | None = None,
        fetching: tuple[Lookup, DownloadQueue] | None = None,
    ) -> None:
        """`fetching` finds and downloads the models that clients ask for. Without it, they can't ask."""
        self._sessions = sessions
        self._chats = chats
        self._adapters = adapters
        self._engines = engines
        self._keeping = keeping
        self._loads = config.load_on_demand
        self._shelf = Shelf(
            models, sessions, chats.default_model, with_offered=config.serve_connections
        )
        self._looking = asyncio.Lock()
        self._threads = AnswerThreads()
        self._pulling = Pulling(*fetching, self._threads) if fetching is not None else None
        self._running: set[RunningAnswer] = set()
        self._stopping = threading.Event()
        self.places = Places(config.most_at_once, config.most_waiting)

    async def freshen(self) -> None:
        """Look what models there are, if the last look is a while ago."""
        async with self._looking:
            if not self._shelf.is_fresh:
                await asyncio.get_running_loop().run_in_executor(self._threads, self._shelf.look)

    async def look_again(self) -> None:
        """Look what models there are now."""
        async with self._looking:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._shelf.look)

    def pull(self, name: str) -> AbstractAsyncContextManager[AsyncIterator[DownloadState]]:
        """Fetch a model: as `Pulling.pull`. Raises `Failure`."""
        if self._pulling is None:
            raise Failure(
                "invalid",
                "This server fetches no models. Get them in Causeway.",
                code="unsupported",
            )
        return self._pulling.pull(name)

    def served(self) -> tuple[ServedModel, ...]:
        """What a client may ask for, as it was when the request came."""
        return self._shelf.served()

    def find(self, name: str) -> ServedModel:
        """The model of that id or name; the one last chosen for "default". Raises `Failure`."""
        return self._shelf.find(name)[0]

    def loaded(self) -> tuple[ServedModel, SessionInfo] | None:
        """The model in memory, where a client may ask for it."""
        state = self._engines.state
        if state.info is None or state.phase not in ("ready", "busy"):
            return None
        found = next((each for each in self.served() if each.id == state.model_id), None)
        return (found, state.info) if found is not None else None

    @asynccontextmanager
    async def answer(self, asked: Asked, note: RequestNote) -> AsyncIterator[AsyncIterator[Event]]:
        """The events of an answer. Entering waits until it is begun; leaving cancels it at once.

        Entering and iterating raise `Failure`.
        """
        served, model = self._shelf.find(asked.model)
        check_abilities(asked, served)
        note.use(served.id, _newest_text(asked))
        await self.places.take()
        loop = asyncio.get_running_loop()
        answer = RunningAnswer(loop)
        self._running.add(answer)
        work = loop.run_in_executor(
            self._threads,
            answer.run,
            lambda cancelled: self._session(model, note, cancelled),
            lambda: self._request(asked, model),
            self._keeping.begin(asked, served) if self._keeping is not None else None,
        )
        work.add_done_callback(lambda _: self._done(answer))
        try:
            await self._begun(answer, note)
            async with aclosing(_noted(answer, asked, note)) as events:
                yield events
        finally:
            answer.cancel()

    async def embed(self, model: str, texts: Sequence[Text], note: RequestNote) -> Embeddings:
        """A vector for each text; of a model that chats, by the one that is loaded for chats. Raises `Failure`."""
        served, found = self._shelf.find(model)
        if not served.capabilities.embed:
            raise Failure(
                "invalid", f"{served.name} makes no vectors.", code="unsupported", param="model"
            )
        if not served.capabilities.tokens and not all(isinstance(text, str) for text in texts):
            raise Failure(
                "invalid",
                f"{served.name} reads no numbers of tokens. Send the text itself.",
                code="unsupported",
                param="input",
            )
        note.use(served.id, shown(texts[0]) if texts else "")

        made_for_it = isinstance(found, InstalledModel) and served.kind == "embedding"
        vectors = await self._work(
            found,
            note,
            lambda session, cancelled: _embedded(session, texts, cancelled),
            embedding=made_for_it,
        )
        note.spend(Usage(prompt_tokens=vectors.tokens))
        return vectors

    async def count_tokens(self, model: str, messages: Sequence[Message], note: RequestNote) -> int:
        """Tokens of the messages as a prompt. Raises `Failure`."""
        served, found = self._shelf.find(model)
        if not served.capabilities.count_tokens:
            raise Failure(
                "invalid", f"{served.name} counts no tokens.", code="unsupported", param="model"
            )
        note.use(served.id, "")
        return await self._work(found, note, lambda session, _: session.count_tokens(messages))

    async def spell(self, model: str, question: Question, note: RequestNote) -> Spelled:
        """What a text is in tokens, or tokens or messages as text. Raises `Failure`."""
        served, found = self._shelf.find(model)
        if not served.capabilities.tokens:
            raise Failure(
                "invalid",
                f"{served.name} doesn't tell its tokens.",
                code="unsupported",
                param="model",
            )
        note.use(served.id, "")
        made_for_it = isinstance(found, InstalledModel) and served.kind == "embedding"
        return await self._work(
            found,
            note,
            lambda session, _: cast(TokenSession, session).spell(question),
            embedding=made_for_it,
        )

    def keep(self, model: str, seconds: float | None) -> None:
        """How long a model stays in memory when it is idle: as `Engines.keep`."""
        with suppress(Failure):  # it may be gone since it was asked
            found = self._shelf.find(model)[1]
            if isinstance(found, InstalledModel):
                self._sessions.keep(found, seconds)

    async def unload(self, model: str) -> None:
        """Take a model out of memory, after the answers that it is writing; waits for that a while."""
        self.keep(model, 0)
        found = self._shelf.find(model)[1]
        if isinstance(found, InstalledModel):
            await asyncio.get_running_loop().run_in_executor(
                self._threads, self._sessions.wait_until_gone, found, _UNLOAD_SECONDS
            )

    def seconds_left(self) -> float | None:
        """How long the model in memory stays there if nobody asks it; None: for ever."""
        return self._engines.seconds_left

    def cancel_all(self) -> None:
        """End all answers soon and begin none, in the loop's thread."""
        self._stopping.set()
        self.places.close()
        if self._pulling is not None:
            self._pulling.cancel_all()
        for answer in tuple(self._running):
            answer.cancel()

    def close(self) -> None:
        """Wait for the threads. After `cancel_all` that is short."""
        self._threads.close(_LAST_SECONDS)

    async def _work(
        self,
        model: ChatModel,
        note: RequestNote,
        ask: Callable[[Session, threading.Event], T],
        *,
        embedding: bool = False,
    ) -> T:
        await self.places.take()
        cancelled = threading.Event()

        def work() -> T:
            with self._session(model, note, cancelled, embedding=embedding) as session:
                note.move("answering")
                return ask(session, cancelled)

        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        future.add_done_callback(lambda _: self.places.give_back())
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            cancelled.set()
            future.add_done_callback(_heard)
            raise
        except Exception as error:
            raise _told(error) from None

    @contextmanager
    def _session(
        self,
        model: ChatModel,
        note: RequestNote,
        cancelled: threading.Event,
        *,
        embedding: bool = False,
    ) -> Iterator[Session]:
        """On the thread of an answer."""
        options = self._loading(model, embedding=embedding)

        def on_progress(fraction: float) -> bool:
            note.move("loading")
            return not cancelled.is_set() and not self._stopping.is_set()

        with self._sessions.use(model, options, on_progress, cancelled=cancelled) as session:
            yield session

    def _loading(self, model: ChatModel, *, embedding: bool) -> LoadOptions:
        """As it is loaded already, for whichever chat, else as settings and profile say; a client's
        options have no part in it.
        """
        if isinstance(model, InstalledModel) and not embedding:
            loaded = self._engines.options_of(str(model.path))
            if loaded is not None:
                return loaded
            if not self._loads:
                raise Failure(
                    "unavailable",
                    f"{model.name} is not in memory, and the server is set to load none."
                    " Load it in Causeway, or let the server load models when asked.",
                    code="model_not_loaded",
                    param="model",
                )
        options = self._chats.loading(model, self._chats.model_options(model, {}))
        return msgspec.structs.replace(options, embedding=True) if embedding else options

    def _request(self, asked: Asked, model: ChatModel) -> ChatRequest:
        options = self._chats.model_options(model, options_of(asked))
        return chat_request(asked, model, options, self._chats, self._adapters)

    def _done(self, answer: RunningAnswer) -> None:
        self._running.discard(answer)
        self.places.give_back()

    async def _begun(self, answer: RunningAnswer, note: RequestNote) -> None:
        try:
            await answer.begun()
        except Failure as failure:
            note.problem = failure.message
            raise
        note.move("answering")


def _embedded(session: Session, texts: Sequence[Text], cancelled: threading.Event) -> Embeddings:
    """In portions, so that a client that leaves doesn't keep the model at work."""
    vectors: list[tuple[float, ...]] = []
    tokens = 0
    for start in range(0, len(texts), _PORTION):
        if cancelled.is_set():
            raise LoadCancelled("The client left.")
        made = session.embed(tuple(texts[start : start + _PORTION]))
        vectors += made.vectors
        tokens += made.tokens
    return Embeddings(vectors=tuple(vectors), tokens=tokens)


async def _noted(
    answer: RunningAnswer, asked: Asked, note: RequestNote
) -> AsyncGenerator[Event, None]:
    told_call: str | None = None
    try:
        async for event in answer:
            match event:
                case TextDelta(text) | ReasoningDelta(text):
                    note.count(text)
                case ToolCallDelta():
                    note.count(event.arguments)
                    told_call = event.id
                case ToolCall() if event.id != told_call:
                    note.count(event.arguments)
                case Finished(reason="cancelled"):
                    # The client is still here: it must not take this for the whole.
                    raise Failure("unavailable", "The answer was cut off.", code="cancelled")
                case Finished():
                    note.spend(event.usage)
                    if event.stop_text and event.stop_text not in asked.stop:
                        # One of the model's own, of which the client knows nothing.
                        yield msgspec.structs.replace(event, stop_text="")
                        continue
            yield event
    except Failure as failure:
        note.problem = failure.message
        raise


def _told(error: Exception) -> Failure:
    if not isinstance(error, (Failure, *KnownErrors)):
        _log.error("a request failed", exc_info=error)
    return failure_of(error)


def _heard(future: "asyncio.Future[T]") -> None:
    """What became of work that nobody waits for any more."""
    if not future.cancelled():
        future.exception()


def shown(text: Text) -> str:
    """What the list of requests shows of it."""
    return text if isinstance(text, str) else f"({len(text):,} tokens)"


def _newest_text(asked: Asked) -> str:
    if asked.prompt is not None:
        return shown(asked.prompt)
    return next((each.content for each in reversed(asked.messages) if each.role == "user"), "")
