"""llama.cpp in a worker process per model: runs GGUF files on this computer, offline."""

import queue
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psutil

from backends.errors import BackendError, LoadCancelled, ModelLoadError
from backends.llama_cpp.deaths import crash_while_loading, not_a_server, unreachable, was_killed
from backends.llama_cpp.model_parts import bytes_of
from backends.llama_cpp.process import WorkerProcess, default_command
from backends.llama_cpp.session import LlamaCppSession, error_from
from backends.llama_cpp.wire import Connecting, Failed, Load, Loaded, Loading, SelfTesting
from backends.protocol import (
    PROTOCOL_VERSION,
    Capabilities,
    LoadOptions,
    LoadProgress,
    ModelDescription,
    SessionInfo,
)

_POLL_SECONDS = 0.05
_CONNECT_SECONDS = 5.0
_SAFE_MODE_WARNING = (
    "The engine's fast arithmetic failed on this computer, so the model runs in safe mode: "
    "a little slower, with the same answers."
)


class LlamaCppBackend:
    """Implements `backends.protocol.Backend`. A model is the path of a GGUF file."""

    protocol_version = PROTOCOL_VERSION
    name = "llama_cpp"
    capabilities = Capabilities(
        complete=True,
        echo=True,
        tokens=True,
        infill=True,
        continue_answer=True,
        embed=True,
        adapters=True,
        tools=True,
        grammar=True,
        count_tokens=True,
        logprobs=True,
        prompt_progress=True,
        save_state=True,
        parallel=True,
        local=True,
    )

    def __init__(self, worker_command: Sequence[str] | None = None) -> None:
        """`worker_command` starts a worker, where it is not the usual one."""
        self._command = tuple(worker_command or default_command())

    def models(self) -> Sequence[ModelDescription]:
        return ()

    def open(self, model: str, options: LoadOptions, on_progress: LoadProgress) -> LlamaCppSession:
        """Load a GGUF file in a new worker.

        Raises ModelLoadError, OutOfMemory, LoadCancelled, or EngineCrashed. A worker that dies in
        its self-test is started once more in safe mode.
        """
        path = Path(model)
        if not path.is_file():
            raise ModelLoadError(
                f"“{path.name}” could not be loaded.",
                "There is no file of that name at its place any more.",
                "Put it back, or remove the model from the list.",
            )
        try:
            return self._open(path, options, on_progress, safe_mode=False)
        except _DiedInSelfTest:
            return self._open(path, options, on_progress, safe_mode=True)

    def _open(
        self, path: Path, options: LoadOptions, on_progress: LoadProgress, *, safe_mode: bool
    ) -> LlamaCppSession:
        short_of_memory = bytes_of(path) > psutil.virtual_memory().available
        try:
            process = WorkerProcess(self._command)
        except OSError as error:
            raise ModelLoadError(
                "The engine could not be started.", f"The system says: {error.strerror}."
            ) from error
        try:
            # Repacked weights are copies, which must lie in memory; mapped ones need not.
            load = Load(str(path), options, safe_mode or short_of_memory)
            info = _load(process, load, on_progress, short_of_memory=short_of_memory)
        except BaseException:
            process.close()
            raise
        if safe_mode:
            info = msgspec.structs.replace(info, warnings=(*info.warnings, _SAFE_MODE_WARNING))
        return LlamaCppSession(process, info, saves=options.keep is not None)


class _DiedInSelfTest(Exception):
    """The worker died computing its first batch."""


def _load(
    process: WorkerProcess, load: Load, on_progress: LoadProgress, *, short_of_memory: bool
) -> SessionInfo:
    _, replies = process.order(load)
    fraction = 0.0
    connecting, patience = Connecting(""), 0.0
    testing = False
    while True:
        if not on_progress(fraction):
            # Ending the process is the quickest way, and frees all it took.
            process.kill()
            raise LoadCancelled("Loading was cancelled.")
        if connecting.server and time.monotonic() > patience:
            raise _no_machine(connecting)
        try:
            body = replies.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            continue
        match body:
            case Connecting():
                connecting, patience = body, time.monotonic() + _CONNECT_SECONDS
            case None if connecting.server:
                raise _no_machine(connecting)
            case Loading():
                fraction = body.fraction
            case SelfTesting():
                testing = True
            case Loaded():
                return body.info
            case Failed():
                raise error_from(body)
            case None:
                raise _death(process, short_of_memory, testing and not load.safe_mode)


def _no_machine(connecting: Connecting) -> ModelLoadError:
    tell = not_a_server if connecting.reached else unreachable
    return tell(connecting.server)


def _death(
    process: WorkerProcess, short_of_memory: bool, may_retry: bool
) -> BackendError | _DiedInSelfTest:
    status = process.wait()
    if may_retry and not was_killed(status):
        return _DiedInSelfTest()
    return crash_while_loading(status, process.log_tail(), short_of_memory=short_of_memory)
