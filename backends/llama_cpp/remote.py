"""Other machines that hold a part of a model, through llama.cpp's RPC servers."""

import ctypes
import re
import socket
from collections.abc import Callable, Sequence

from llama_cpp._ggml import libggml

from backends.errors import ModelLoadError
from backends.llama_cpp.deaths import unreachable

_ADDRESS = re.compile(r"(?P<host>[^\s:]+):(?P<port>\d{1,5})")
_CONNECT_SECONDS = 5.0
_KEEP_ALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3}


class MachineLost(Exception):
    """A machine that holds a part of the model is gone. llama.cpp would go on with nonsense."""


class Machines:
    """The machines of one model. Once they are gone, the model is of no use any more."""

    def __init__(self, servers: Sequence[str], on_connect: Callable[[str], None]) -> None:
        """Make the devices of the servers ("HOST:PORT") available.

        `on_connect` is called before each, and with an empty text once all have answered. llama.cpp
        waits for ever for a server that says nothing, and ends the process if one can't be reached or
        says something else: whoever looks after this process must be ready for both. Raises
        ModelLoadError for what is no address, and where this build can't do it.
        """
        self._servers = servers
        self._watched: list[socket.socket] = []
        if not servers:
            return
        add_server = _add_server()
        register = libggml.ggml_backend_register
        register.argtypes, register.restype = [ctypes.c_void_p], None
        for server in servers:
            if not _ADDRESS.fullmatch(server):
                raise unreachable(server)
            on_connect(server)
            registry = add_server(server.encode())
            if not registry:
                raise unreachable(server)
            register(registry)
        on_connect("")

    def watch(self) -> None:
        """Keep a second connection to each, which tells when a machine is gone.

        A server may serve one connection only, so call this when the model has its own. Raises
        ModelLoadError.
        """
        for server in self._servers:
            host, port = server.split(":")
            try:
                connection = socket.create_connection((host, int(port)), _CONNECT_SECONDS)
            except OSError as error:
                raise unreachable(server) from error
            connection.setblocking(False)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in _KEEP_ALIVE.items():
                if hasattr(socket, name):
                    connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
            self._watched.append(connection)

    def check(self) -> None:
        """Raises MachineLost, after which nothing that was evaluated last is to be trusted."""
        for connection in self._watched:
            try:
                is_gone = not connection.recv(1)
            except BlockingIOError:
                continue
            except OSError:
                is_gone = True
            if is_gone:
                raise MachineLost


def _add_server() -> Callable[[bytes], int | None]:
    by_name = libggml.ggml_backend_reg_by_name
    by_name.argtypes, by_name.restype = [ctypes.c_char_p], ctypes.c_void_p
    address = libggml.ggml_backend_reg_get_proc_address
    address.argtypes, address.restype = [ctypes.c_void_p, ctypes.c_char_p], ctypes.c_void_p
    registry = by_name(b"RPC")
    found = address(registry, b"ggml_backend_rpc_add_server") if registry else None
    if not found:
        raise ModelLoadError(
            "A model can't be shared with other machines here.",
            "This build of the engine was made without its RPC backend.",
            "Take the RPC servers out of the model's settings.",
        )
    return ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)(found)
