"""States of sequences on the disk, so that what was read once is not read again."""

import itertools
import logging
import os
import secrets
import threading
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from backends.llama_cpp import state_format
from backends.llama_cpp.own_files import create_private
from backends.llama_cpp.state_folder import delete, last_erased, make_room, state_files, tidy
from backends.llama_cpp.state_format import (
    Adapters,
    Answer,
    DamagedState,
    ModelKey,
    Payload,
    SavedState,
)

BACKLOG_BYTES = 512 * 2**20

_RENAMES = 5
_RENAME_PAUSE_SECONDS = 0.05

_log = logging.getLogger(__name__)


class _Waiting(NamedTuple):
    """A state that is not yet written."""

    state: SavedState
    adapters: Adapters
    payload: Payload


class StateFiles:
    """The saved states of one model, in a folder that others use too. Close it.

    Once `state_folder.erase` was called, nothing more is saved: it might be of what was erased.

    All methods may be called from any thread. Writing happens on a thread of its own and fails with
    no more than a line in the log; what waits for it can already be found and read.
    """

    def __init__(
        self, folder: Path, limit_bytes: int, model: ModelKey, *, can_cut: bool = True
    ) -> None:
        """`limit_bytes` bounds the whole folder.

        `can_cut` says whether a longer state holds all the shorter ones that it begins with, so that
        it takes their place.
        """
        self._folder = folder
        self._limit = limit_bytes
        self._model = model
        self._can_cut = can_cut
        self._erased = last_erased(folder)
        self._changed = threading.Condition()
        self._waiting: dict[str, _Waiting] = {}  # by name, the oldest first
        self._writing = ""
        self._closed = False
        self._writer: threading.Thread | None = None
        self._seen: dict[str, tuple[int, int, SavedState]] = {}

    def known(self, adapters: Adapters) -> Sequence[SavedState]:
        """Those that were evaluated with these adapters, the newest first. Looks at the folder."""
        prefix = state_format.stack_prefix(self._model, adapters)
        with self._changed:
            waiting = [each.state for each in self._waiting.values() if each.adapters == adapters]
        names = {state.name for state in waiting}
        saved = [state for state in self._saved(prefix) if state.name not in names]
        return [*reversed(waiting), *saved]

    def answers(self) -> Iterator[Answer]:
        """The answers in all states of this model, the newest last."""
        for state in reversed(self._saved(state_format.model_prefix(self._model))):
            yield from state.answers

    def read(self, state: SavedState) -> Payload | None:
        """The payload as it was saved; None where it is gone or damaged, which deletes the file.

        It counts as used now.
        """
        with self._changed:
            waiting = self._waiting.get(state.name)
        if waiting is not None:
            return waiting.payload
        path = self._folder / state.name
        try:
            payload = state_format.read_payload(path, self._model)
        except DamagedState:
            self._drop(path)
            return None
        except OSError:
            return None
        _touch(path)
        return payload

    def discard(self, state: SavedState) -> None:
        """Delete a state that turned out to be of no use."""
        with self._changed:
            if state.name != self._writing:
                self._waiting.pop(state.name, None)
        delete(self._folder / state.name)

    def save(
        self,
        adapters: Adapters,
        tokens: Sequence[int],
        answers: Sequence[Answer],
        payload: Payload,
        notes: bytes = b"",
    ) -> None:
        """Have a state written soon. The payload must not be changed any more.

        More than `BACKLOG_BYTES` don't wait: those that came first are dropped. Whoever saves the
        best first, as on closing, flushes after each.
        """
        kept = array("i", tokens)
        name = state_format.state_name(self._model, adapters, kept)
        state = SavedState(name, kept, tuple(answers), len(payload), notes)
        with self._changed:
            if self._closed or name == self._writing:
                return
            for other in list(self._waiting.values()):
                replaced = other.adapters == adapters and self._replaces(kept, other.state.tokens)
                if replaced and other.state.name != self._writing:
                    del self._waiting[other.state.name]
            self._waiting[name] = _Waiting(state, adapters, payload)
            self._shorten_backlog(name)
            if self._writer is None:
                self._writer = threading.Thread(
                    target=self._write_all, name="state writer", daemon=True
                )
                self._writer.start()
            self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Wait until all is written; False where it takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, seconds)

    def close(self, seconds: float = 0.0) -> None:
        """Write for so long at most, and forget the rest."""
        self.flush(seconds)
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._writer is not None:
            self._writer.join()

    # The folder

    def _saved(self, prefix: str) -> list[SavedState]:
        """What lies in the folder under names that begin so, the newest first."""
        files = state_files(self._folder, lambda name: _is_state_of(prefix, name))
        with self._changed:
            seen = self._seen
        found = {}
        for path, mtime_ns, n_bytes in reversed(files):
            known = seen.get(path.name)
            if known is None or known[:2] != (mtime_ns, n_bytes):
                try:
                    state = state_format.read_state(path, self._model)
                except DamagedState:
                    self._drop(path)
                    continue
                except OSError:
                    continue
                known = (mtime_ns, n_bytes, state)
            found[path.name] = known
        others = {name: known for name, known in seen.items() if not name.startswith(prefix)}
        with self._changed:
            self._seen = others | found
        return [state for _, _, state in found.values()]

    def _drop(self, path: Path) -> None:
        _log.warning("A saved state is damaged, and was deleted.")
        delete(path)

    def _replaces(self, new: "array[int]", old: "array[int]") -> bool:
        if len(old) == len(new) or (self._can_cut and len(old) < len(new)):
            return new[: len(old)] == old
        return False

    # The writer

    def _shorten_backlog(self, newest: str) -> None:
        n_bytes = sum(each.state.n_bytes for each in self._waiting.values())
        for name in [name for name in self._waiting if name not in (newest, self._writing)]:
            if n_bytes <= BACKLOG_BYTES:
                return
            n_bytes -= self._waiting.pop(name).state.n_bytes
            _log.warning("The disk is too slow for the states of chats: one is not saved.")

    def _write_all(self) -> None:
        tidy(self._folder, state_format.engine_prefix(self._model))
        while (waiting := self._next()) is not None:
            try:
                self._write(waiting)
            except OSError as error:
                _log.warning("A state could not be saved: %s", error.strerror or error)
            finally:
                with self._changed:
                    self._waiting.pop(self._writing, None)
                    self._writing = ""
                    self._changed.notify_all()

    def _next(self) -> _Waiting | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                self._waiting.clear()
                self._changed.notify_all()
                return None
            waiting = next(iter(self._waiting.values()))
            self._writing = waiting.state.name
            return waiting

    def _write(self, waiting: _Waiting) -> None:
        if self._is_erased():
            return
        state, adapters, payload = waiting
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        path = self._folder / state.name
        same_stack = self._saved(state_format.stack_prefix(self._model, adapters))
        if state in same_stack:
            _touch(path)
            return
        replaced = [
            self._folder / other.name
            for other in same_stack
            if self._replaces(state.tokens, other.tokens)
        ]
        pieces = state_format.contents(
            self._model, adapters, state.tokens, state.answers, payload, state.notes
        )
        head = next(pieces)
        n_bytes = len(head) + len(payload)
        if not make_room(self._folder, n_bytes, self._limit, replaced):
            _log.warning("There is no room for a state of %d MB: it is not saved.", n_bytes >> 20)
            return
        if self._write_whole(path, itertools.chain([head], pieces)):
            for other_path in replaced:
                if other_path != path:
                    delete(other_path)

    def _is_erased(self) -> bool:
        return last_erased(self._folder) != self._erased

    def _write_whole(self, path: Path, pieces: Iterator[bytes | memoryview]) -> bool:
        """Write beside the file and put it in its place; False where it is not wanted any more."""
        beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        try:
            with create_private(beside) as file:
                for piece in pieces:
                    if self._closed:
                        break
                    file.write(piece)
            whole = not self._closed and not self._is_erased()
            if whole:
                _replace(beside, path)
            else:
                delete(beside)
            return whole
        except BaseException:
            delete(beside)
            raise


def _is_state_of(prefix: str, name: str) -> bool:
    return name.startswith(prefix) and state_format.is_state_name(name)


def _replace(source: Path, target: Path) -> None:
    """Rename over whatever is there. Windows refuses while somebody reads it."""
    for _ in range(_RENAMES - 1):
        try:
            source.replace(target)
            return
        except PermissionError:
            time.sleep(_RENAME_PAUSE_SECONDS)
    source.replace(target)


def _touch(path: Path) -> None:
    with suppress(OSError):
        os.utime(path)
