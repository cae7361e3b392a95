"""A service at its address: asks it, again where that may help, and turns its refusals into words."""

import random
import threading
from collections.abc import Callable, Mapping

import msgspec

from backends.errors import BackendError, BadAnswer, BadKey, RateLimited
from backends.openai_compatible.addresses import checked_url, is_loopback
from backends.openai_compatible.broken import NotConnected
from backends.openai_compatible.calls import Call, CallClosed
from backends.openai_compatible.lines import Lines
from backends.openai_compatible.patience import Patience
from backends.openai_compatible.provider import Provider, runs_elsewhere
from backends.openai_compatible.refusals import (
    PASSING_STATUSES,
    Complaint,
    complaint_of,
    refusal,
)
from backends.openai_compatible.waiting import asked_wait

_LONGEST_COMPLAINT = 1 << 16
_COMPLAINT_SECONDS = 10.0


class Access(msgspec.Struct, frozen=True):
    """How a service may be reached. `key`, `proxy` and `allowed` are asked for each request."""

    name: str
    provider: Provider
    url: str
    key: Callable[[], str]
    proxy: Callable[[], str]
    allowed: Callable[[], bool]
    patience: Patience


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: `path` below `url`, the base URL; a GET where there is no `body`."""

    path: str
    body: bytes | None = None
    url: str = ""
    model: str = ""
    key_header: str = ""
    headers: Mapping[str, str] = {}


class Cancel:
    """What a cancel reaches: the call under way, or a pause between two. From any thread.

    Setting the event `closed` is enough; `close` also breaks the connection off itself.
    """

    def __init__(self, closed: threading.Event | None = None) -> None:
        self._closed = closed or threading.Event()
        self._lock = threading.Lock()
        self._call: Call | None = None

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    @property
    def event(self) -> threading.Event:
        return self._closed

    def hold(self, call: Call) -> None:
        with self._lock:
            self._call = call
            if self._closed.is_set():
                call.close()

    def close(self) -> None:
        with self._lock:
            self._closed.set()
            if self._call is not None:
                self._call.close()

    def pause(self, seconds: float) -> None:
        """Raises CallClosed where the cancel comes first."""
        if self._closed.wait(seconds):
            raise CallClosed


class Service:
    """Asks one service. The connections are kept until `close`."""

    def __init__(self, access: Access) -> None:
        """Raises BackendError for an address that may not be used."""
        self.access = access
        self._url = checked_url(access.url)
        self._lines = Lines(self._url, access.name, access.proxy)

    def close(self) -> None:
        self._lines.close()

    def ask(
        self,
        question: Question,
        cancel: Cancel,
        seconds: float,
        revised: Callable[[Complaint], Question | None] = lambda complaint: None,
    ) -> Call:
        """A call whose answer is a success, its body still to be read. `seconds`: for its beginning.

        What may pass is tried again. What a service complains of is given to `revised`, which may
        know a better question. Raises BackendError and CallClosed.
        """
        tries = 0
        while True:
            wait: float | None = None
            key = self._permitted_key(question.model)
            call = self._begin(question, key, cancel)
            cancel.hold(call)
            try:
                head = call.head(seconds)
                if 200 <= head.status < 300:
                    return call
                body = call.body(_LONGEST_COMPLAINT, _COMPLAINT_SECONDS) or b""
                call.finish()
                complaint = complaint_of(head.status, body)
                error = self._refusal(complaint, question.model, key, head.headers)
                better = revised(complaint)
                if better is not None:
                    question = better
                    continue
                if not isinstance(error, RateLimited | BadAnswer):
                    raise error
                if head.status not in PASSING_STATUSES:
                    raise error
                wait = asked_wait(head.headers, complaint.message)
            except NotConnected as failure:
                error = failure
            except BaseException:
                call.close()
                raise
            patience = self.access.patience
            if tries >= patience.retries or (wait or 0) > patience.longest_pause:
                raise error from None
            cancel.pause(max(wait or 0, patience.pause * 2**tries * random.uniform(0.8, 1.2)))
            tries += 1

    def whole_answer(self, question: Question, cancel: Cancel, seconds: float, limit: int) -> bytes:
        """The body of an answer that is no stream. Raises as `ask` does, and BadAnswer above `limit`."""
        call = self.ask(question, cancel, seconds)
        try:
            body = call.body(limit, seconds)
            if body is not None:
                return body
        finally:
            call.close()
        raise BadAnswer(
            f"What {self.access.name} sends has no end.",
            f"At most {limit // 10**6:,} MB were expected.",
            "Check the address under Services.",
        )

    def refusal(self, complaint: Complaint, model: str) -> BackendError:
        """The error that a complaint is which came in the place of an answer."""
        return self._refusal(complaint, model, self.access.key(), {})

    def _refusal(
        self, complaint: Complaint, model: str, key: str, headers: Mapping[str, str]
    ) -> BackendError:
        name = self.access.name
        return refusal(complaint, name=name, model=model, key=key.strip(), headers=headers)

    def _begin(self, question: Question, key: str, cancel: Cancel) -> Call:
        headers = {"Accept": "application/json", **question.headers}
        if question.body is not None:
            headers |= {"Accept": "text/event-stream, application/json"}
            headers |= {"Content-Type": "application/json"}
        if key and question.key_header:
            headers[question.key_header] = key
        elif key:
            headers["Authorization"] = f"Bearer {key}"
        return Call(
            self._lines,
            "GET" if question.body is None else "POST",
            (question.url or self._url) + question.path,
            headers,
            question.body,
            self.access.patience,
            self.access.name,
            cancel.event,
        )

    def _permitted_key(self, model: str) -> str:
        """The key, where the service may be asked at all. Raises BackendError."""
        access = self.access
        stays = is_loopback(self._url) and not runs_elsewhere(access.provider, model)
        if not stays and not access.allowed():
            raise BackendError(
                "Causeway is set to stay offline.",
                f"What is asked of {access.name} would leave this computer.",
                "Switch “Stay offline” off in the settings, or choose a model on this computer.",
            )
        key = access.key().strip()
        if not key and access.provider.needs_key:
            raise BadKey(f"{access.name} wants a key.", "None is set.", "Give one under Services.")
        if not all("!" <= letter <= "~" for letter in key):
            raise BadKey(
                f"The key for {access.name} can't be right.",
                "It has characters that no key has.",
                "Copy it once more.",
            )
        return key
