"""The window with its server on and the Server page shown, in a process of its own.

It runs in the home of `CAUSEWAY_HOME` and prints a line when it has come to rest. Then it reads
lines: after "begin" it notes how late the main thread is, after "end" it prints that as JSON. It ends
when its stdin does.
"""

import json
import sys

from PySide6.QtCore import QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication

from benchmarks.streamed_answer import Heartbeat
from ui import application
from ui.main_window import MainWindow
from ui.rail import Rail

LOOK_MS = 20
REST_MS = 1_500


class Orders:
    """Does what the lines on stdin say."""

    def __init__(self, app: QApplication) -> None:
        self._app = app
        self._heartbeat: Heartbeat | None = None
        self._notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, app)
        self._notifier.activated.connect(self._read)

    def _read(self) -> None:
        match sys.stdin.readline().strip():
            case "begin":
                self._heartbeat = Heartbeat()
            case "end" if self._heartbeat is not None:
                self._heartbeat.stop()
                late = sorted(self._heartbeat.late_ms)
                tell({"longest_stall_ms": late[-1], "stalls_ms": late[-5:]})
            case _:
                self._notifier.setEnabled(False)
                self._app.quit()


def tell(what: object) -> None:
    print(json.dumps(what), flush=True)


def main() -> int:
    make = application.make_application

    def make_watched() -> QApplication:
        app = make()
        QTimer.singleShot(LOOK_MS, app, lambda: wait_for_window(app))
        return app

    application.make_application = make_watched
    return application.run([])


def wait_for_window(app: QApplication) -> None:
    windows = [each for each in app.topLevelWidgets() if isinstance(each, MainWindow)]
    if not windows or not windows[0].is_ready:
        QTimer.singleShot(LOOK_MS, app, lambda: wait_for_window(app))
        return
    windows[0].findChild(Rail).place_chosen.emit("server")
    app.orders = Orders(app)
    QTimer.singleShot(REST_MS, app, lambda: tell("rested"))


if __name__ == "__main__":
    raise SystemExit(main())
