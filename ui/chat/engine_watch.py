"""The engine's state as a signal: engines tell it on whatever thread they are on."""

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal

from app.engines import Engines, EngineState


class EngineWatch(QObject):
    """Hands each state to the main thread.

    Signals:
        changed: an `EngineState`.
    """

    changed = Signal(object)
    _told = Signal(object)

    def __init__(self, engines: Engines, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engines = engines
        self._told.connect(self.changed, Qt.ConnectionType.QueuedConnection)
        self._unsubscribe = engines.subscribe(self._told.emit)

    @property
    def state(self) -> EngineState:
        return self._engines.state

    def stop(self) -> None:
        self._unsubscribe()


def state_in_words(state: EngineState) -> str:
    """What the model is doing, for the status beside the composer."""

    def tr(text: str) -> str:
        return QCoreApplication.translate("EngineWatch", text)

    match state.phase:
        case "loading":
            return tr("Loading the model, {percent} %").format(percent=round(state.fraction * 100))
        case "ready":
            return tr("Ready")
        case "busy":
            return tr("Writing")
        case "crashed":
            return tr("The model stopped")
        case "unloaded":
            return tr("Loads with the next message")
