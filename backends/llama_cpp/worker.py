"""The process that holds a model: orders come in on stdin, replies go out on stdout.

Run as `python -m backends.llama_cpp.worker`, or by a frozen program's `worker` argument. It ends
when its stdin closes, so that a program that dies leaves nothing behind.
"""

import faulthandler
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

from backends.errors import (
    BackendError,
    BadAdapter,
    BadGrammar,
    OutOfMemory,
    PromptTooLong,
    Unsupported,
)
from backends.llama_cpp.wire import (
    Cancel,
    Channel,
    Chat,
    Close,
    Connecting,
    Count,
    Counted,
    Embed,
    Embedded,
    Failed,
    FailureKind,
    Load,
    Loaded,
    Loading,
    Order,
    Reply,
    SelfTesting,
    Vector,
)
from backends.protocol import ApplyTemplate, Detokenize, Tokenize

if TYPE_CHECKING:
    from backends.llama_cpp.abort_flag import AbortFlag
    from backends.llama_cpp.embedding_engine import EmbeddingEngine
    from backends.llama_cpp.engine import Engine
    from backends.protocol import Event

_PROGRESS_STEP = 0.01


class Jobs:
    """The orders that wait. One that cancels stops the computing in which its job takes part."""

    def __init__(self, abort: "AbortFlag") -> None:
        self._abort = abort
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()

    def put(self, order: Order) -> None:
        """From the thread that reads them."""
        self._orders.put(order)
        if isinstance(order.command, (Cancel, Close)):
            self._abort.set()

    def take(self, *, wait: bool) -> Iterator[Order]:
        """The orders that came in; with `wait`, at least one."""
        # An order that comes in later than this stops what is computed next.
        self._abort.clear()
        if wait:
            yield self._orders.get()
        while not self._orders.empty():
            yield self._orders.get()


class Worker:
    """Carries out orders with the one engine it loads."""

    def __init__(self, channel: Channel[Order], abort: "AbortFlag") -> None:
        self._channel = channel
        self._abort = abort
        self._engine: Engine | EmbeddingEngine | None = None

    @property
    def is_idle(self) -> bool:
        return self._engine is None or self._engine.is_idle

    def carry_out(self, order: Order) -> None:
        try:
            self._dispatch(order)
        except BackendError as error:
            self._reply(order.job, error)

    def step(self) -> None:
        """Compute a little for the orders that are not carried out yet."""
        if self._engine is not None:
            self._engine.step()

    def _dispatch(self, order: Order) -> None:
        match order.command:
            case Load() as load:
                self._load(order.job, load)
            case Chat(request) if self._engine:
                self._engine.chat(order.job, request, partial(self._reply, order.job))
            case Embed(texts) if self._engine:
                self._engine.embed(order.job, texts, partial(self._reply, order.job))
            case Cancel():
                if self._engine:
                    self._engine.cancel(order.job)
            case Close(seconds):
                if self._engine:
                    self._engine.close(seconds)
                os._exit(0)
            case Count(messages) if self._engine:
                self._channel.send(Reply(order.job, Counted(self._engine.count(messages))))
            case Tokenize() | Detokenize() | ApplyTemplate() as question if self._engine:
                self._channel.send(Reply(order.job, self._engine.spell(question)))
            case unexpected:
                raise RuntimeError(f"no model is loaded for {type(unexpected).__name__}")

    def _reply(self, job: int, said: "Event | Vector | Embedded | BackendError") -> None:
        if isinstance(said, BackendError):
            failed = Failed(_kind(said), said.what, said.why, said.fix)
            self._channel.send(Reply(job, failed))
        else:
            self._channel.send(Reply(job, said))

    def _load(self, job: int, load: Load) -> None:
        from backends.llama_cpp.opening import open_engine

        shown = -1.0

        def show(fraction: float) -> None:
            nonlocal shown
            if fraction - shown >= _PROGRESS_STEP:
                shown = fraction
                self._channel.send(Reply(job, Loading(fraction)))

        engine = open_engine(
            load.path,
            load.options,
            safe_mode=load.safe_mode,
            abort=self._abort,
            on_progress=show,
            on_connect=lambda *place: self._channel.send(Reply(job, Connecting(*place))),
        )
        self._channel.send(Reply(job, SelfTesting()))
        engine.self_test()
        self._engine = engine
        self._channel.send(Reply(job, Loaded(engine.info)))


def main() -> int:
    """Serve until stdin closes. Never returns normally: the process ends without clean-up."""
    channel = take_over_streams()
    faulthandler.enable()
    sys.excepthook = _show_places
    # Ctrl-C, or the terminal's end, goes to every process; the program decides what it means.
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    # Without this, a failed assertion in llama.cpp starts a debugger to print where.
    os.environ["GGML_NO_BACKTRACE"] = "1"

    from backends.llama_cpp import native_log
    from backends.llama_cpp.abort_flag import AbortFlag

    native_log.install()
    abort = AbortFlag()
    jobs = Jobs(abort)
    threading.Thread(target=_read_orders, args=(channel, jobs), daemon=True).start()
    worker = Worker(channel, abort)
    while True:
        for order in jobs.take(wait=worker.is_idle):
            worker.carry_out(order)
        worker.step()


def take_over_streams() -> Channel[Order]:
    """Keep stdin and stdout to ourselves, before a library can print into the protocol."""
    orders, replies = os.dup(0), os.dup(1)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(orders, os.O_BINARY)
        msvcrt.setmode(replies, os.O_BINARY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return Channel(os.fdopen(orders, "rb"), os.fdopen(replies, "wb"), Order)


def _show_places(
    kind: type[BaseException], error: BaseException, where: TracebackType | None
) -> None:
    """A traceback without the error's own text: it may quote a message, and stderr gets logged."""
    sys.stderr.write(f"{''.join(traceback.format_tb(where))}{kind.__name__}\n")


def _read_orders(channel: Channel[Order], jobs: Jobs) -> None:
    try:
        while True:
            jobs.put(channel.receive())
    finally:
        # Whatever ended it, nobody can reach this process any more. A computation may be running
        # on the main thread, so there is no asking it to stop.
        os._exit(0)


_KINDS: tuple[tuple[type[BackendError], FailureKind], ...] = (
    (OutOfMemory, "memory"),
    (PromptTooLong, "prompt"),
    (BadAdapter, "adapter"),
    (BadGrammar, "grammar"),
    (Unsupported, "unsupported"),
)


def _kind(error: BackendError) -> FailureKind:
    return next((kind for error_type, kind in _KINDS if isinstance(error, error_type)), "load")


if __name__ == "__main__":
    sys.exit(main())
