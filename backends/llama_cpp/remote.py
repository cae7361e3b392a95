"""Other machines that hold a part of a model, through llama.cpp's RPC servers."""

import ctypes
import re
import socket
from collections.abc import Callable, Sequence

from llama_cpp._ggml import libggml

from backends.errors import ModelLoadError
from backends.llama_cpp.deaths import not_a_server, unreachable

_ADDRESS = re.compile(r"(?P<host>[^\s:]+):(?P<port>[0-9]{1,5})")
_MOST_PORT = 65_535
_CONNECT_SECONDS = 3.0
_KEEP_ALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3}

OnConnect = Callable[[str, bool], None]


class MachineLost(Exception):
    """A machine that holds a part of the model is gone. llama.cpp would go on with nonsense."""


class Machines:
    """The machines of one model. Once they are gone, the model is of no use any more."""

    def __init__(self, servers: Sequence[str], on_connect: OnConnect) -> None:
        """Make the devices of the servers ("HOST:PORT") available.

        `on_connect` is called before each with False, again with True when something listens there,
        and with an empty text once all have answered. llama.cpp waits for ever for a server that says
        nothing, and ends the process if one says something else: whoever looks after this process must
        be ready for both. Raises ModelLoadError for what is no address, where nothing listens, and where
        this build can't do it.
        """
        self._servers = tuple(dict.fromkeys(servers))
        self._watched: list[socket.socket] = []
        if not servers:
            return
        add_server = _add_server()
        register = libggml.ggml_backend_register
        register.argtypes, register.restype = [ctypes.c_void_p], None
        for server in self._servers:
            on_connect(server, False)
            _connect(server).close()
            on_connect(server, True)
            registry = add_server(server.encode())
            if not registry:
                raise not_a_server(server)
            register(registry)
        on_connect("", True)

    def __len__(self) -> int:
        return len(self._servers)

    def watch(self) -> None:
        """Keep a second connection to each, which tells when a machine is gone.

        A server may serve one connection only, so call this when the model has its own. Raises
        ModelLoadError.
        """
        for server in self._servers:
            connection = _connect(server)
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


def _connect(server: str) -> socket.socket:
    address = _ADDRESS.fullmatch(server)
    if not address or int(address["port"]) > _MOST_PORT:
        raise ModelLoadError(
            f"“{server}” is no address of another machine.",
            "It must be a name or an IPv4 address, a colon, and a port.",
            "Write it like 192.168.1.20:50052.",
        )
    try:
        return socket.create_connection((address["host"], int(address["port"])), _CONNECT_SECONDS)
    except (OSError, UnicodeError) as error:  # the latter for a name that can be none
        raise unreachable(server) from error


def has_rpc() -> bool:
    """Whether models can be shared with other machines."""
    return bool(_registry())


def _registry() -> int | None:
    by_name = libggml.ggml_backend_reg_by_name
    by_name.argtypes, by_name.restype = [ctypes.c_char_p], ctypes.c_void_p
    registry: int | None = by_name(b"RPC")
    return registry


def _add_server() -> Callable[[bytes], int | None]:
    address = libggml.ggml_backend_reg_get_proc_address
    address.argtypes, address.restype = [ctypes.c_void_p, ctypes.c_char_p], ctypes.c_void_p
    registry = _registry()
    found = address(registry, b"ggml_backend_rpc_add_server") if registry else None
    if not found:
        raise ModelLoadError(
            "A model can't be shared with other machines here.",
            "This build of the engine was made without its RPC backend.",
            "Take the RPC servers out of the model's settings.",
        )
    return ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)(found)
