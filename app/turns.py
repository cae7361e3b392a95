"""A chat turn: a question, the answer that streams in, and what is left of both on disk."""

import queue
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress

import msgspec

from app.answer_recorder import AnswerRecorder
from app.conversations.records import Message, Origin, Status, UsedAdapter
from app.conversations.store import ConversationStore
from app.engines import FILE_BACKEND, Engines
from app.errors import KnownErrors, Problem, StorageError, problem_from
from app.models import ChatModel
from app.options import Value
from app.sessions import Sessions
from app.whole_stream import whole
from backends.errors import EngineCrashed, LoadCancelled
from backends.protocol import (
    ChatRequest,
    ChatStream,
    Event,
    Finished,
    FinishReason,
    HistoryTrimmed,
    LoadOptions,
    Logprobs,
    ReasoningDelta,
    SessionInfo,
    TextDelta,
    Timings,
    Usage,
    Warned,
)
from catalog.library import InstalledModel

_STATUS: Mapping[FinishReason, Status] = {
    "stop": "complete",
    "length": "length",
    "cancelled": "stopped",
}

_SIGNAL_POLL_SECONDS = 0.2
"""On Windows a wait without a limit keeps the main thread from hearing Ctrl+C."""


_BUG = Problem("The answer was cut off.", "Something went wrong in Causeway itself.", "")


class Waiting(msgspec.Struct, frozen=True):
    """Another answer is being written first, or another model loaded."""


class ModelLoading(msgspec.Struct, frozen=True):
    model_name: str
    fraction: float


class TurnEnded(msgspec.Struct, frozen=True):
    """The last event of every turn: the answer as it is stored, and what went wrong, if anything."""

    message: Message
    problem: Problem | None


TurnEvent = Waiting | ModelLoading | Event | TurnEnded


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn asks of which model, and how that is loaded.

    `options` are all that were in force, `adapters` those that take part. `notices` are sentences
    that the person should read.
    """

    model: ChatModel
    loading: LoadOptions
    request: ChatRequest
    options: dict[str, Value]
    adapters: tuple[UsedAdapter, ...] = ()
    notices: tuple[str, ...] = ()


class Turn:
    """One answer, from the question on disk to the last word on disk.

    Attributes:
        question, answer: the messages as they were stored when the turn was made.
    """

    def __init__(
        self,
        store: ConversationStore,
        sessions: Sessions,
        engines: Engines,
        *,
        question: Message | None,
        answer: Message,
        plan: Callable[[], Plan],
    ) -> None:
        self.conversation_id = answer.conversation_id
        self.question = question
        self.answer = answer
        self._store = store
        self._sessions = sessions
        self._engines = engines
        self._plan = plan
        self._queue: queue.SimpleQueue[TurnEvent | BaseException] = queue.SimpleQueue()
        self._told: Waiting | ModelLoading | None = None
        self._stopped = threading.Event()
        self._stream: ChatStream | None = None
        self._stream_lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="turn", daemon=True)
        self.ended = False

    def events(self) -> Generator[TurnEvent, None, None]:
        """Run the turn. Blocks; the last event is `TurnEnded`. Only a bug raises.

        To be iterated once. Closing the iterator early stops the turn and saves what there is.
        """
        try:
            self._thread.start()
        except RuntimeError:  # the computer has no thread left
            self.ended = True
            raise
        try:
            while True:
                event = self._next()
                if isinstance(event, BaseException):
                    raise event
                yield event
                if isinstance(event, TurnEnded):
                    return
        finally:
            self.stop()
            self._thread.join()

    def stop(self) -> None:
        """End the turn soon, from any thread: the load, the wait for another answer, or the answer."""
        self._stopped.set()
        with self._stream_lock:
            if self._stream is not None:
                self._stream.close()

    def close(self, timeout: float) -> None:
        """Stop, and wait up to `timeout` seconds until the answer is saved."""
        self.stop()
        with suppress(RuntimeError):  # never started
            self._thread.join(timeout)

    def _next(self) -> TurnEvent | BaseException:
        while True:
            with suppress(queue.Empty):
                return self._queue.get(timeout=_SIGNAL_POLL_SECONDS)

    def _run(self) -> None:
        try:
            last: TurnEnded | BaseException = self._answer()
        except BaseException as bug:
            last = bug
        self.ended = True
        self._queue.put(last)

    def _answer(self) -> TurnEnded | BaseException:
        outcome = _Outcome()
        recorder = AnswerRecorder(self._store, self.answer, self._tell_unsaved)
        problem: Problem | None = None
        bug: BaseException | None = None
        try:
            with recorder:
                self._generate(recorder, outcome)
        except LoadCancelled:
            outcome.status = "stopped"
        except KnownErrors as error:
            # An engine that dies of being stopped was stopped.
            if self._stopped.is_set() and isinstance(error, EngineCrashed):
                outcome.status = "stopped"
            else:
                problem = problem_from(error)
        except BaseException as error:
            bug, problem = error, _BUG
        message, unsaved = recorder.finish(
            status=outcome.status,
            problem=problem.sentence() if problem else "",
            notice=outcome.notice,
            origin=outcome.origin(self.answer),
        )
        if bug is not None:
            return bug
        return TurnEnded(message, problem or (problem_from(unsaved) if unsaved else None))

    def _generate(self, recorder: AnswerRecorder, outcome: "_Outcome") -> None:
        plan = outcome.plan = self._plan()
        for notice in plan.notices:
            self._queue.put(Warned(notice))
        loaded_now = False

        def on_wait() -> None:
            state = self._engines.state
            if state.phase == "loading" and state.model_id == plan.model.id:
                self._tell_progress(ModelLoading(plan.model.name, state.fraction))
            else:
                self._tell_progress(Waiting())

        def on_progress(fraction: float) -> bool:
            nonlocal loaded_now
            loaded_now = True
            self._tell_progress(ModelLoading(plan.model.name, fraction))
            return not self._stopped.is_set()

        with self._sessions.use(
            plan.model,
            plan.loading,
            on_progress,
            cancelled=self._stopped,
            on_wait=on_wait,
        ) as session:
            outcome.info = session.info
            if loaded_now and isinstance(plan.model, InstalledModel):
                for warning in (self._engines.state.info or session.info).warnings:
                    self._queue.put(Warned(warning))
            stream = session.chat(plan.request)
            with self._stream_lock:
                self._stream = stream
                if self._stopped.is_set():
                    stream.close()
            for event in whole(stream):
                match event:
                    case TextDelta(text):
                        recorder.add_text(text)
                    case ReasoningDelta(text):
                        recorder.add_reasoning(text)
                    case Logprobs(tokens):
                        recorder.add_logprobs(tokens)
                    case HistoryTrimmed(messages):
                        outcome.trimmed = messages
                    case Usage():
                        outcome.usage = event
                    case Finished():
                        outcome.finished = event
                        outcome.status = _STATUS[event.reason]
                self._queue.put(event)

    def _tell_progress(self, event: Waiting | ModelLoading) -> None:
        if event != self._told:
            self._told = event
            self._queue.put(event)

    def _tell_unsaved(self, error: StorageError) -> None:
        self._queue.put(
            Warned(
                "The answer can't be saved at the moment, and goes on."
                f" Saving is tried again until it ends. {error}"
            )
        )


class _Outcome:
    """What is known so far of how an answer came about."""

    def __init__(self) -> None:
        self.status: Status = "interrupted"
        self.plan: Plan | None = None
        self.info: SessionInfo | None = None
        self.finished: Finished | None = None
        self.usage = Usage()
        self.trimmed = 0

    @property
    def notice(self) -> str:
        match self.trimmed:
            case 0:
                return ""
            case 1:
                return "The oldest message no longer fits and was left out. It stays in the chat."
            case count:
                return (
                    f"The {count} oldest messages no longer fit and were left out."
                    " They stay in the chat."
                )

    def origin(self, before: Message) -> Origin | None:
        """What produced the answer, together with what `before` a continuation did."""
        if self.plan is None:
            return before.origin
        model = self.plan.model
        finished = self.finished
        usage = finished.usage if finished else self.usage
        timings = finished.timings if finished else Timings()
        if self.plan.request.continue_last and before.origin is not None:
            usage, timings = _joined(before.origin, usage, timings)
        origin = Origin(
            model_id=model.id,
            model_name=model.name,
            adapters=self.plan.adapters,
            template=self.info.template if self.info else "",
            options=self.plan.options,
            seed=finished.seed if finished else 0,
            usage=usage,
            timings=timings,
        )
        if not isinstance(model, InstalledModel):
            return msgspec.structs.replace(origin, backend=model.backend)
        return msgspec.structs.replace(
            origin,
            model_file=str(model.path),
            model_bytes=model.size_bytes,
            model_sha256=_published_sha256(model),
            quant=model.quant,
            backend=FILE_BACKEND,
        )


def _joined(first: Origin, usage: Usage, timings: Timings) -> tuple[Usage, Timings]:
    """The cost of an answer and its continuation, as if it had been written at once."""
    tokens = first.usage.completion_tokens + usage.completion_tokens
    generation_ms = first.timings.generation_ms + timings.generation_ms
    return (
        msgspec.structs.replace(first.usage, completion_tokens=tokens),
        msgspec.structs.replace(
            first.timings,
            generation_ms=generation_ms,
            tokens_per_second=tokens / generation_ms * 1000 if generation_ms else 0.0,
        ),
    )


def _published_sha256(model: InstalledModel) -> str:
    """The hash that the catalogue gives for this very file; empty where it doesn't know the file."""
    for artifact in model.entry.artifacts if model.entry else ():
        if (artifact.file_name, artifact.size_bytes) == (model.path.name, model.size_bytes):
            return artifact.sha256 or ""
    return ""
