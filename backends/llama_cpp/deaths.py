"""Why a worker died, in words."""

import signal

from backends.errors import BackendError, EngineCrashed, ModelLoadError, OutOfMemory

_ILLEGAL_INSTRUCTION = "It used an instruction that this computer's processor does not have."
_BAD_ACCESS = "It reached for memory that it does not own, which is a fault in the engine."
_GAVE_UP = "It met a state that it could not go on from, which is a fault in the engine."
_ENDED = "It was ended from outside."
_MACHINE_LOST = "Another machine, which holds a part of the model, stopped answering."
_MACHINE_LOST_LOGS = ("MachineLost", "Remote RPC server crashed")
_KILLED = "It was ended from outside, most often because memory ran out."

_WHY_BY_STATUS = {
    -getattr(signal, "SIGKILL", 9): _KILLED,
    -signal.SIGTERM: _ENDED,
    -getattr(signal, "SIGHUP", 1): _ENDED,
    -signal.SIGSEGV: _BAD_ACCESS,
    -getattr(signal, "SIGBUS", 7): _BAD_ACCESS,
    -signal.SIGILL: _ILLEGAL_INSTRUCTION,
    -signal.SIGABRT: _GAVE_UP,
    -signal.SIGFPE: _GAVE_UP,
    # Windows reports the exception's number instead.
    0xC0000005: _BAD_ACCESS,
    0xC000001D: _ILLEGAL_INSTRUCTION,
    0xC0000409: _GAVE_UP,
    0xC0000017: "Memory ran out.",
}


def crash_while_answering(status: int, log: str) -> EngineCrashed:
    """`status` as `subprocess` gives it: an exit code, or a negative signal number."""
    return EngineCrashed(
        "The model stopped working in the middle of the answer.",
        _why(status, log),
        "What it wrote so far is kept. Try again; if it happens again, choose a shorter context "
        "or another model.",
        detail=log,
    )


def crash_while_embedding(status: int, log: str) -> EngineCrashed:
    """`status` as for `crash_while_answering`."""
    return EngineCrashed(
        "The model stopped working in the middle of its vectors.",
        _why(status, log),
        "Try again; if it happens again, send shorter texts, or choose another model.",
        detail=log,
    )


def crash_while_loading(status: int, log: str, *, short_of_memory: bool) -> BackendError:
    """`short_of_memory`: the file is larger than the memory that was free when loading began."""
    if short_of_memory and was_killed(status):
        return OutOfMemory(
            "The model does not fit in memory.",
            "It is larger than the memory that was free, and the system ended it.",
            "Close other programs, or choose a smaller model or a shorter context.",
        )
    return EngineCrashed(
        "The engine died while it was loading the model.",
        _why(status, log),
        "Try again, set a shorter context length, or choose another model.",
        detail=log,
    )


def unreachable(server: str) -> ModelLoadError:
    return ModelLoadError(
        f"The machine “{server}” does not answer.",
        "Nothing listens at that address, or a firewall is between.",
        "Start llama.cpp's RPC server there, or take the machine out of “Other machines”.",
    )


def not_a_server(server: str) -> ModelLoadError:
    return ModelLoadError(
        f"The machine “{server}” can't hold a part of the model.",
        "What listens at that address is no RPC server of this version of llama.cpp, or it is busy.",
        "Start the server of the same version there, end what uses it, or take the machine out of "
        "“Other machines”.",
    )


def was_killed(status: int) -> bool:
    """Whether someone else ended the process, not a fault of its own."""
    return why_it_died(status) == _KILLED


def why_it_died(status: int) -> str:
    """In a sentence; `status` as `subprocess` gives it."""
    known = _WHY_BY_STATUS.get(status) or _WHY_BY_STATUS.get(status & 0xFFFFFFFF)
    return known or f"Its process ended with status {status}."


def _why(status: int, log: str) -> str:
    if any(sign in log for sign in _MACHINE_LOST_LOGS):
        return _MACHINE_LOST
    return why_it_died(status)
