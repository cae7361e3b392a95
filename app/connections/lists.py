"""What services listed last, a file each, so that their models are there at once and offline."""

import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from backends.protocol import ModelDescription
from catalog.whole_file import write_whole

_log = logging.getLogger(__name__)

_MOST_MODELS = 5_000
_LARGEST_FILE = 10_000_000


class ModelLists:
    """Lists by the connection's id. What can't be read counts as empty: it can be asked again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, tuple[ModelDescription, ...]]] = {}

    def of(self, connection_id: str) -> tuple[ModelDescription, ...]:
        file = self._file(connection_id)
        with self._lock:
            try:
                changed = file.stat().st_mtime
                known = self._known.get(connection_id)
                if known is None or known[0] != changed:
                    with file.open("rb") as opened:
                        content = opened.read(_LARGEST_FILE)
                    models = msgspec.json.decode(content, type=tuple[ModelDescription, ...])
                    known = self._known[connection_id] = (changed, models)
            except (OSError, ValueError, RecursionError):
                return ()
            return known[1]

    def keep(self, connection_id: str, models: Sequence[ModelDescription]) -> None:
        content = msgspec.json.encode(list(models[:_MOST_MODELS]))
        with self._lock:
            self._known.pop(connection_id, None)
            try:
                write_whole(self._file(connection_id), content)
            except OSError as error:
                _log.warning("the models of %s are not kept: %s", connection_id, error)

    def forget(self, connection_id: str) -> None:
        with self._lock, suppress(OSError):
            self._known.pop(connection_id, None)
            self._file(connection_id).unlink(missing_ok=True)

    def _file(self, connection_id: str) -> Path:
        return self._folder / f"{connection_id}.json"
