"""Each request on its way in: whether it may, its whole body, a note of it, and its end.

Inside, an error is raised, and comes out in the shape of the interface that was asked.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress

import msgspec
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.server.access import Access
from app.server.answering import Answering
from app.server.apis import Api, api_of
from app.server.bodies import Body
from app.server.config import ServerConfig
from app.server.failures import Failure, failure_of
from app.server.framing import check_framing, in_origin_form
from app.server.journal import Journal, RequestNote
from app.server.large_memory import LargeMemory

_log = logging.getLogger(__name__)

_BODY_SECONDS = 300.0
_ROOM_SECONDS = 30.0
_LONGEST_AGENT = 120

Headers = Mapping[bytes, bytes]


class Arrivals:
    """An ASGI application around another."""

    def __init__(
        self,
        inner: ASGIApp,
        access: Access,
        answering: Answering,
        journal: Journal,
        config: ServerConfig,
    ) -> None:
        self._inner = inner
        self._access = access
        self._answering = answering
        self._journal = journal
        self._most_body = config.most_body_bytes
        self._body_stall = config.body_stall_seconds
        self._most_held = config.most_held_bytes
        self._held = 0
        self._freed = asyncio.Event()
        self._memory = LargeMemory()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError("only HTTP is served")
        scope = in_origin_form(scope)
        headers: Headers = dict(scope["headers"])
        api = api_of(scope["path"], headers)
        response = _Response(send, self._access.shared(headers))
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await self._answer_preflight(api, headers, response)
            return
        note = self._journal.begin(
            api=api.title,
            method=scope["method"],
            path=scope["path"],
            client=(scope.get("client") or ("",))[0],
            agent=_agent_of(headers),
        )
        scope["state"] = {"note": note}
        scope["app"] = self
        gone = False
        try:
            gone = await self._take_in(scope, headers, receive, response)
        except Exception as error:
            await response.fail(api, _failure_of(error), note)
        except asyncio.CancelledError:
            gone = True
            raise
        finally:
            note.end(response.status or (499 if gone else 500), cancelled=gone)

    async def _answer_preflight(self, api: Api, headers: Headers, response: "_Response") -> None:
        try:
            answer = self._access.preflight(headers)
        except Failure as failure:
            await response.fail(api, failure, None)
            return
        response.shared = []
        await response.send({"type": "http.response.start", "status": 204, "headers": answer})
        await response.send({"type": "http.response.body", "body": b""})

    async def _take_in(
        self, scope: Scope, headers: Headers, receive: Receive, response: "_Response"
    ) -> bool:
        """Whether the client left before it had its whole response."""
        check_framing(scope, headers)
        self._access.check(scope["path"], headers)
        body = Body()
        scope["state"]["body"] = body
        try:
            if scope["method"] not in ("GET", "HEAD") and not await self._read(
                headers, receive, body
            ):
                return True
            await self._answering.freshen()
            return await self._run(scope, receive, response)
        finally:
            self._held -= body.held
            self._freed.set()
            self._memory.note(body.size)

    async def _read(self, headers: Headers, receive: Receive, body: Body) -> bool:
        """Read the body, which is held from now on. False: the client is gone.

        Raises `Failure`.
        """
        length = int(headers.get(b"content-length", b"0"))
        if length > self._most_body:
            raise self._too_large()
        await self._reserve(length)
        body.held = length
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                while True:
                    async with asyncio.timeout(self._body_stall):
                        message = await receive()
                    if message["type"] == "http.disconnect":
                        return False
                    piece = message.get("body", b"")
                    body.add(piece)
                    if body.size > body.held:  # it came without its length
                        self._held += body.size - body.held
                        body.held = body.size
                    if body.size > self._most_body:
                        raise self._too_large()
                    if self._held > self._most_held:
                        raise _crowded()
                    if not message.get("more_body", False):
                        return True
        except TimeoutError:
            raise Failure("invalid", "The body came too slowly.", code="timeout") from None

    async def _reserve(self, size: int) -> None:
        """Hold so many bytes as soon as there is room. To refuse at once would not help: a client that
        is still sending does not read the refusal. Raises `Failure` where it takes too long.
        """
        try:
            async with asyncio.timeout(_ROOM_SECONDS):
                while self._held + size > self._most_held:
                    self._freed.clear()
                    await self._freed.wait()
        except TimeoutError:
            raise _crowded() from None
        self._held += size

    def _too_large(self) -> Failure:
        limit = self._most_body / 1024 / 1024
        return Failure("too_large", f"The body is larger than {limit:.0f} MB.", code="too_large")

    async def _run(self, scope: Scope, receive: Receive, response: "_Response") -> bool:
        """Run what answers, and cancel it when the client leaves."""
        task = asyncio.current_task()
        gone = False

        async def watch() -> None:
            nonlocal gone
            while (await receive())["type"] != "http.disconnect":
                pass
            if not response.complete and task is not None:
                gone = True
                task.cancel()

        watcher = asyncio.create_task(watch())
        try:
            await self._inner(scope, _nothing_more, response.send)
        except asyncio.CancelledError:
            if not gone or task is None:
                raise
            task.uncancel()
        finally:
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher
        return gone


class _Response:
    """What is sent, watched."""

    def __init__(self, send: Send, shared: list[tuple[bytes, bytes]]) -> None:
        self._send = send
        self.shared = shared
        self.status = 0
        self.complete = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.shared:
                message["headers"] = [*message.get("headers", ()), *self.shared]
        elif not message.get("more_body", False):
            self.complete = True  # before it is sent: what follows is no leaving of the client
        await self._send(message)

    async def fail(self, api: Api, failure: Failure, note: RequestNote | None) -> None:
        if note is not None:
            note.problem = failure.message
        if self.status:
            # Too late for a status: the connection is cut off, so that no client takes it for whole.
            raise failure
        body = msgspec.json.encode(api.error_body(failure))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            *failure.headers,
        ]
        if failure.retry_after:
            headers.append((b"retry-after", str(failure.retry_after).encode()))
        if failure.kind == "unauthorized":
            headers.append((b"www-authenticate", b"Bearer"))
        await self.send(
            {"type": "http.response.start", "status": failure.status, "headers": headers}
        )
        await self.send({"type": "http.response.body", "body": body})


def _crowded() -> Failure:
    return Failure("busy", "Too much is being sent at once. Try again.", retry_after=2)


async def _nothing_more() -> Message:
    """The body was read: it lies in the state of the request, as a `Body`."""
    return {"type": "http.request", "body": b"", "more_body": False}


def _failure_of(error: Exception) -> Failure:
    if isinstance(error, HTTPException):
        if error.status_code == 405:
            return Failure(
                "method",
                "This address takes another method.",
                code="method_not_allowed",
                headers=[(b"allow", (error.headers or {}).get("Allow", "").encode())],
            )
        return Failure("not_found", "There is nothing at this address.", code="not_found")
    failure = failure_of(error)
    if failure.kind == "internal":
        _log.error("a request failed", exc_info=error)
    return failure


def _agent_of(headers: Headers) -> str:
    agent = headers.get(b"user-agent", b"")[:_LONGEST_AGENT].decode("latin-1")
    return "".join(char for char in agent if char.isprintable())


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """For a path that nobody serves."""
    raise Failure("not_found", "There is nothing at this address.", code="not_found")
