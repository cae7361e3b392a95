"""Small jobs that need llama.cpp, each run in a process of its own: this one must not import it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from backends.child_process import start_child
from backends.errors import EngineCrashed

T = TypeVar("T")

_REASON_CHARACTERS = 300


def program() -> tuple[str, ...]:
    """How to start this program once more: the frozen one itself, or with this Python."""
    if getattr(sys, "frozen", False):
        return (sys.executable,)
    # -P: a folder that happens to be the current one must not lend us its modules.
    return (sys.executable, "-P", "-m", "app")


def run_in_worker(tool: str, arguments: Sequence[str], answer: type[T], *, timeout: float) -> T:
    """Run `causeway worker TOOL …` and decode the JSON it prints. `timeout` in seconds.

    It ends when this process does. Raises `EngineCrashed` with the last line of its log where it
    fails.
    """
    # Nothing is ever written to this pipe: the system closes it when this process dies.
    lifeline, our_end = os.pipe()
    try:
        with start_child([*program(), "worker", tool, *arguments], stdin=lifeline) as child:
            try:
                said, log = child.communicate(timeout=timeout)
            finally:
                child.kill()
        if child.returncode:
            raise _failed(log, f"It ended with status {child.returncode}.")
        try:
            return msgspec.json.decode(said, type=answer)
        except ValueError as error:
            raise _failed(log, str(error)) from error
    except subprocess.TimeoutExpired:
        raise EngineCrashed(
            "The engine gave no answer.", f"It was given {timeout:.0f} seconds."
        ) from None
    except OSError as error:
        raise _failed(b"", str(error)) from error
    finally:
        os.close(lifeline)
        os.close(our_end)


def _failed(log: bytes, otherwise: str) -> EngineCrashed:
    """With the last line of what it wrote to stderr, or, where it wrote nothing, other words."""
    text = log.decode("utf-8", "replace").strip()
    reason = text.splitlines()[-1][:_REASON_CHARACTERS] if text else otherwise
    return EngineCrashed("The engine failed.", reason, detail=text)
