"""A pytest plugin: what Python complains of while it ends, such as files left open, fails the run.

pytest itself has gone by then, so that the process ends with an exit status of its own. A worker of
pytest-xdist leaves a note, which the process that started it finds.
"""

import atexit
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FAILED = 70
_FOLDER = "exit_warnings_folder"
_notes = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    folder = getattr(config, "workerinput", {}).get(_FOLDER, "")
    if not folder:
        notes = config.stash[_notes] = tempfile.TemporaryDirectory(prefix="exit-warnings-")
        config.add_cleanup(notes.cleanup)
    # Those who are registered first come last: nothing of pytest is left but what it forgot.
    atexit.register(_watch, str(Path(folder) / str(os.getpid())) if folder else "")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where to leave its note."""
    node.workerinput[_FOLDER] = node.config.stash[_notes].name


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    yield
    notes = session.config.stash.get(_notes, None)
    if notes is not None and list(Path(notes.name).iterdir()):  # all workers have ended
        session.exitstatus = session.exitstatus or FAILED


def pytest_unconfigure() -> None:
    # llama-cpp-python opens these two when it is imported, for a class that we don't use.
    library = sys.modules.get("llama_cpp._utils")
    if library is not None:
        library.outnull_file.close()
        library.errnull_file.close()


def _watch(note: str) -> None:
    """From here on, whatever can't be raised any more ends the process."""

    def fail(
        unraisable: "sys.UnraisableHookArgs",
        # Kept here, since modules lose their contents while Python ends.
        show: Any = sys.__unraisablehook__,
        leave: Any = os._exit,
        opened: Any = os.open,
        flags: int = os.O_CREAT | os.O_WRONLY,
        failed: int = FAILED,
    ) -> None:
        show(unraisable)
        if note:
            opened(note, flags)
        leave(failed)

    sys.stdout.flush()
    warnings.simplefilter("error", ResourceWarning)
    sys.unraisablehook = fail
