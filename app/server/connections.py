"""Connections that are bounded: how many there are, and how long a head may take to come."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.server.config import ServerConfig
from app.server.journal import Journal

_PROBE_SECONDS = 0.02
_LATE_SECONDS = 1.0
"""A client that closes its side this long after its request, during the answer, has gone away."""

_LINGER_SECONDS = 3.0
"""How long what a client still sends is thrown away, after it was refused, so that it reads why."""


def bounded_protocol(journal: Journal, config: ServerConfig) -> type[H11Protocol]:
    """uvicorn's protocol, which waits for ever, with limits. It tells the journal who is there."""

    class BoundedProtocol(H11Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self._limit: asyncio.TimerHandle | None = None
            self._probing: asyncio.TimerHandle | None = None
            self._heard = self.loop.time()
            super().connection_made(transport)  # type: ignore[arg-type]  # it is one of TCP
            journal.clients = len(self.connections)
            if len(self.connections) > config.most_connections:
                self.transport.abort()
                return
            self._limit_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._drop_limit()
            if self._probing is not None:
                self._probing.cancel()
            super().connection_lost(exc)
            journal.clients = len(self.connections)

        def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn closes, whatever it is
            """A client may end its side once it has asked, and wait for the answer."""
            cycle = self.cycle
            if cycle is None or cycle.response_complete or cycle.more_body:
                return False
            if cycle.response_started and self.loop.time() - self._heard > _LATE_SECONDS:
                return False
            cycle.keep_alive = False
            self._probe(_PROBE_SECONDS)
            return True

        def data_received(self, data: bytes) -> None:
            self._heard = self.loop.time()
            super().data_received(data)
            if self._is_between_requests():
                # Bytes that make no whole head don't set the clock back.
                self._limit_head()
            elif self.conn.their_state is h11.SEND_BODY and self.conn.our_state is h11.DONE:
                self._limit_rest()
            else:
                self._drop_limit()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.conn.their_state is h11.SEND_BODY:
                self._limit_rest()

        def _probe(self, pause: float) -> None:
            """Find out whether a client that ended its side is still there: only a system whose
            program has gone refuses what is sent. Once the response is sent, that tells.
            """
            if self.conn.our_state is not h11.SEND_RESPONSE or self.transport.is_closing():
                return
            if self.scope["http_version"] != "1.0":  # which knows no interim responses
                going_on = h11.InformationalResponse(
                    status_code=100, headers=[], reason=b"Continue"
                )
                self.transport.write(self.conn.send(going_on) or b"")
                self._probing = self.loop.call_later(pause, self._probe, 2 * pause)

        def _is_between_requests(self) -> bool:
            return self.conn.their_state is h11.IDLE and (
                self.cycle is None or self.cycle.response_complete
            )

        def _limit_head(self) -> None:
            self._close_in(config.head_seconds)

        def _limit_rest(self) -> None:
            self._close_in(_LINGER_SECONDS)

        def _close_in(self, seconds: float) -> None:
            if self._limit is None:
                self._limit = self.loop.call_later(seconds, self.transport.abort)

        def _drop_limit(self) -> None:
            if self._limit is not None:
                self._limit.cancel()
                self._limit = None

    return BoundedProtocol
