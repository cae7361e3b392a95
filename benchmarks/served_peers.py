"""Servers of the same model, each in a process of its own that waits while others are asked.

`python -m benchmarks.served_peers KIND MODEL N_THREADS` prints its address once it answers, and ends
with its stdin. Kinds: Causeway's server, the llama-server inside of xllamacpp with one slot or
eight, and `llama_cpp.server`.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.engine_peers import BATCH_TOKENS, N_CTX

CLIENTS = 8
CAUSEWAY = "causeway"
LLAMA_SERVER = "llama-server"
LLAMA_SERVER_OF_EIGHT = "llama-server-8"
LLAMA_CPP_SERVER = "llama_cpp.server"
_NEEDS = {
    LLAMA_SERVER: "xllamacpp",
    LLAMA_SERVER_OF_EIGHT: "xllamacpp",
    LLAMA_CPP_SERVER: "fastapi",
}


class Served:
    """A server in a process of its own. Use it in a `with` block."""

    def __init__(self, kind: str, model: Path, n_threads: int) -> None:
        self._kind = kind
        self._command = [
            sys.executable, "-m", "benchmarks.served_peers", kind, str(model), str(n_threads),
        ]  # fmt: skip
        self.address = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        if not self.address:
            self._process.communicate()
            raise RuntimeError(f"{self._kind} did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()


def is_installed(kind: str) -> bool:
    return kind not in _NEEDS or importlib.util.find_spec(_NEEDS[kind]) is not None


@contextmanager
def causeway(model: str, n_threads: int) -> Iterator[str]:
    """What `causeway serve -m MODEL --no-key` does, with a home of its own."""
    from app.paths import paths_under
    from app.server.config import ServerConfig
    from app.services import open_services

    with (
        tempfile.TemporaryDirectory() as home,
        open_services(paths_under(Path(home))) as services,
    ):
        services.settings.update(chat_defaults={"n_ctx": N_CTX, "threads": n_threads})
        chosen = services.library.add_file(Path(model))
        loading = services.chats.loading(chosen, services.chats.model_options(chosen, {}))
        with services.sessions.use(chosen, loading, lambda fraction: True):
            pass
        yield services.server.start(ServerConfig(port=0)).addresses[0]


@contextmanager
def llama_server(model: str, n_threads: int, *, n_parallel: int = 1) -> Iterator[str]:
    """As xllamacpp configures it, with the same threads and one cache for all slots."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = N_CTX
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.n_parallel = n_parallel
    params.kv_unified = True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = n_threads
    server = xllamacpp.Server(params)
    yield server.listening_address


@contextmanager
def llama_cpp_server(model: str, n_threads: int) -> Iterator[str]:
    """What `python -m llama_cpp.server` runs. It answers one after the other."""
    import uvicorn
    from llama_cpp.server.app import create_app
    from llama_cpp.server.settings import ModelSettings, ServerSettings

    served = create_app(
        # It would break off each answer as soon as there is another request.
        server_settings=ServerSettings(interrupt_requests=False),
        model_settings=[
            ModelSettings(
                model=model,
                n_ctx=N_CTX,
                n_batch=BATCH_TOKENS,
                n_threads=n_threads,
                n_threads_batch=n_threads,
                logits_all=False,
                verbose=False,
            )
        ],
    )
    # It binds by itself, as there: on a socket made here, small pieces would wait for each other.
    server = uvicorn.Server(uvicorn.Config(served, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def main(kind: str, model: str, n_threads: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # native libraries print
    servers: dict[str, Callable[[str, int], AbstractContextManager[str]]] = {
        CAUSEWAY: causeway,
        LLAMA_SERVER: llama_server,
        LLAMA_SERVER_OF_EIGHT: partial(llama_server, n_parallel=CLIENTS),
        LLAMA_CPP_SERVER: llama_cpp_server,
    }
    with servers[kind](model, int(n_threads)) as address:
        print(address, file=answers, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
