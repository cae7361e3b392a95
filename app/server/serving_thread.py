"""The thread that serves: uvicorn in an event loop of its own."""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from starlette.routing import Router

from app.errors import AppError
from app.server import own_pages
from app.server.access import Access
from app.server.answering import Answering
from app.server.apis import APIS
from app.server.arrivals import Arrivals, not_found
from app.server.config import ServerConfig
from app.server.connections import bounded_protocol
from app.server.journal import Journal
from app.server.metrics import Metrics

_START_SECONDS = 20.0
_TICK_SECONDS = 1.0
"""How often the date is put right that responses carry."""

_CANCEL_SECONDS = 4.0
"""How long a cancelled answer may take to end, before its task is ended without asking."""


class ServingThread:
    """Serves on the socket until `stop`."""

    def __init__(
        self,
        answering: Answering,
        journal: Journal,
        config: ServerConfig,
        listening: socket.socket,
        on_death: Callable[[BaseException], None],
    ) -> None:
        self._answering = answering
        self._listening = listening
        self._on_death = on_death
        self._metrics = Metrics(journal, answering.places)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._death: BaseException | None = None
        self._server = _Server(
            uvicorn.Config(
                application(answering, journal, self._metrics, config),
                http=bounded_protocol(journal, config),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=None,
            ),
            self._ready,
        )
        self._thread = threading.Thread(target=self._run, name="local server", daemon=True)

    def start(self) -> None:
        """Returns when requests are taken. Raises `AppError` where that doesn't come to pass."""
        self._thread.start()
        if not self._ready.wait(_START_SECONDS) or self._death is not None:
            self.stop(0)
            raise AppError("The server was not started.", "Its log says why.", "Try again.")

    def stop(self, patience_seconds: float) -> None:
        self._server.config.timeout_graceful_shutdown = round(patience_seconds + _CANCEL_SECONDS)
        self._in_loop(self._server.end)
        self._thread.join(patience_seconds)
        self._in_loop(self._answering.cancel_all)
        self._thread.join()
        self._answering.close()
        self._metrics.close()

    def _in_loop(self, call: Callable[[], None]) -> None:
        self._server.should_exit = True  # also where the loop isn't there yet
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(call)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._death = error
            self._on_death(error)
        finally:
            self._listening.close()
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[self._listening])


class _Server(uvicorn.Server):
    """Says when it is ready, and sleeps while nothing is to be done."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._on_ready = ready
        self._ending = asyncio.Event()

    def end(self) -> None:
        """In the loop's thread."""
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._ending.wait()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready.set()


def application(
    answering: Answering, journal: Journal, metrics: Metrics, config: ServerConfig
) -> Arrivals:
    """All interfaces as one ASGI application."""
    operations = (*own_pages.OPERATIONS, *(each for api in APIS for each in api.operations))
    pages = own_pages.routes(operations, metrics, with_key=bool(config.key))
    router = Router(
        [*pages, *(route for api in APIS for route in api.routes(answering))],
        redirect_slashes=False,
        default=not_found,
    )
    return Arrivals(router, Access(config), answering, journal, config)
