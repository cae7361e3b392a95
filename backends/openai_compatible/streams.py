"""An answer of a service as it comes."""

import time
from collections.abc import Callable, Iterator

import msgspec

from backends.errors import BackendError, BadAnswer, Unreachable
from backends.openai_compatible.answers import Answer, AnswerFailed, AnswerTooLong
from backends.openai_compatible.calls import Call, CallClosed
from backends.openai_compatible.refusals import Complaint, complaint_in
from backends.openai_compatible.requests import Asked, refused_field
from backends.openai_compatible.service import Cancel, Question, Service
from backends.openai_compatible.streaming import Values
from backends.openai_compatible.tool_calls import TooManyCalls
from backends.protocol import ChatRequest, Event, Finished, FinishReason, Timings, Warned

_LEAST_MEASURED = 0.02  # seconds


class OpenAICompatibleStream:
    """Implements `backends.protocol.ChatStream`. Iterate on one thread, close from any.

    The service is asked when the first event is. Raises errors of `backends.errors` while iterating.
    """

    def __init__(self, exchange: "Exchange") -> None:
        self._cancel = exchange.cancel
        # Nothing in there leads back here, so that a stream that is forgotten ends at once.
        self._events = exchange.events()

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def close(self) -> None:
        """Returns at once; the connection is closed, and the service stops as soon as it notices."""
        self._cancel.close()


class Exchange:
    """A request to the service, and its answer."""

    def __init__(
        self,
        service: Service,
        model: str,
        request: ChatRequest,
        asked: Asked,
        on_refused: Callable[[str], None],
    ) -> None:
        """`on_refused` is told each field of the request that the service does not take."""
        self._service = service
        self._model = model
        self._asked = asked
        self._on_refused = on_refused
        self.cancel = Cancel()
        self._answer = Answer(request)
        self._clock = _Clock()

    def events(self) -> Iterator[Event]:
        self._clock.start()
        reason: FinishReason = "cancelled"
        call: Call | None = None
        try:
            call = self._ask()
            yield from map(Warned, self._asked.warnings)
            for event in self._read(call):
                self._clock.note(begun=self._answer.has_begun)
                yield event
                if self.cancel.closed:
                    raise CallClosed
            reason = self._answer.reason or "stop"
        except CallClosed:
            pass
        except (AnswerTooLong, TooManyCalls):
            raise self._failure("Its answer has no end.") from None
        except AnswerFailed:
            raise self._failure("It broke the answer off.") from None
        except BackendError:
            if not self.cancel.closed:
                raise
        finally:
            if call is not None:
                call.close()
        usage = self._answer.usage
        yield usage
        yield Finished(
            reason,
            usage,
            self._clock.timings(usage.completion_tokens),
            self._asked.seed,
            self._answer.stop_text if reason == "stop" else "",
        )

    def _ask(self) -> Call:
        if self.cancel.closed:
            raise CallClosed
        seconds = self._service.access.patience.first_byte
        return self._service.ask(self._question(), self.cancel, seconds, self._revised)

    def _question(self) -> Question:
        asked = self._asked
        body = msgspec.json.encode(asked.body)
        return Question(path=asked.path, body=body, url=asked.url, model=self._model)

    def _revised(self, complaint: Complaint) -> Question | None:
        field = refused_field(self._asked, complaint)
        if not field:
            return None
        self._on_refused(field)
        self._asked = self._asked.without(field)
        return self._question()

    def _read(self, call: Call) -> Iterator[Event]:
        access = self._service.access
        answer = self._answer
        values = Values(call, access.patience, access.name)
        try:
            for value in values.read(lambda: answer.reason is not None):
                complaint = complaint_in(value)
                if complaint is not None:
                    raise self._service.refusal(complaint, self._model)
                yield from answer.read(value)
                if answer.cut:
                    break
        except Unreachable:
            if answer.reason is None:
                raise
        if values.done:
            call.finish()
        elif answer.reason is None:
            raise self._broken_off(any_value=values.any)
        yield from answer.finish()

    def _broken_off(self, *, any_value: bool) -> BackendError:
        name = self._service.access.name
        if not any_value:
            return BadAnswer(
                f"{name} ended without an answer.",
                "It did not say why.",
                "Ask again. If it stays so, the chat may be too long for the model.",
            )
        return Unreachable(
            f"The connection to {name} broke off.",
            "The answer is not whole.",
            "Ask again, or let it go on where it can.",
        )

    def _failure(self, why: str) -> BadAnswer:
        name = self._service.access.name
        return BadAnswer(f"{name} sends what is no good answer.", why, "Ask again.")


class _Clock:
    def __init__(self) -> None:
        self._begin = self._first = time.monotonic()
        self._has_first = False

    def start(self) -> None:
        self._begin = self._first = time.monotonic()

    def note(self, *, begun: bool) -> None:
        if begun and not self._has_first:
            self._has_first = True
            self._first = time.monotonic()

    def timings(self, tokens: int) -> Timings:
        generation = time.monotonic() - self._first
        first = (self._first - self._begin) * 1000
        # What comes in one piece tells nothing of how fast it was written.
        measurable = self._has_first and generation > _LEAST_MEASURED
        return Timings(
            prompt_ms=first,
            first_token_ms=first,
            generation_ms=generation * 1000,
            tokens_per_second=tokens / generation if measurable else 0.0,
        )
