"""One window at a time: a second start raises the first and hands over the file it was given."""

import hashlib
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

CONNECT_MS = 300
MESSAGE_LIMIT = 8192


class FirstInstance(QObject):
    """The window's side: listens for later starts with the same home folder."""

    raised = Signal(str)
    """Another start asked for the window; the text is a model file's path, or empty."""

    def __init__(self, home: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept)
        name = _server_name(home)
        if not self._server.listen(name):
            # A program that was killed leaves its socket file behind; nobody answered on it.
            QLocalServer.removeServer(name)
            self._server.listen(name)

    def _accept(self) -> None:
        while socket := self._server.nextPendingConnection():
            socket.disconnected.connect(socket.deleteLater)
            socket.readyRead.connect(self._read)
            if socket.canReadLine():
                self._take(socket)

    def _read(self) -> None:
        socket = self.sender()
        if isinstance(socket, QLocalSocket) and socket.canReadLine():
            self._take(socket)

    def _take(self, socket: QLocalSocket) -> None:
        line = bytes(socket.readLine(MESSAGE_LIMIT).data())
        socket.disconnectFromServer()
        self.raised.emit(line.decode(errors="replace").strip())

    def close(self) -> None:
        self._server.close()


def raise_running_window(home: Path, file: str) -> bool:
    """Ask a window that already runs on this home to come forward. False where there is none."""
    socket = QLocalSocket()
    socket.connectToServer(_server_name(home))
    if not socket.waitForConnected(CONNECT_MS):
        return False
    socket.write(f"{file}\n".encode())
    socket.waitForBytesWritten(CONNECT_MS)
    socket.disconnectFromServer()
    return True


def _server_name(home: Path) -> str:
    return "causeway-" + hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]
