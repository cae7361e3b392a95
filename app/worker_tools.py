"""Small jobs that need llama.cpp, each run in a process of its own: this one must not import it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import TypeVar

import msgspec

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
        done = subprocess.run(
            [*program(), "worker", tool, *arguments],
            stdin=lifeline,
            capture_output=True,
            timeout=timeout,
            check=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        return msgspec.json.decode(done.stdout, type=answer)
    except subprocess.TimeoutExpired:
        raise EngineCrashed(
            "The engine gave no answer.", f"It was given {timeout:.0f} seconds."
        ) from None
    except (subprocess.CalledProcessError, msgspec.DecodeError, OSError) as error:
        log = (getattr(error, "stderr", None) or b"").decode("utf-8", "replace").strip()
        reason = log.splitlines()[-1][:_REASON_CHARACTERS] if log else str(error)
        raise EngineCrashed("The engine failed.", reason, detail=log) from error
    finally:
        os.close(lifeline)
        os.close(our_end)
