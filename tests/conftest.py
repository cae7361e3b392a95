"""What every test shares: a home of its own, no display, and nothing left behind."""

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

pytest_plugins = ("tests.exit_warnings",)

# Qt's own offscreen screen is 800 × 800. A path with a drive in it would end at its colon.
SCREEN = os.path.relpath(Path(__file__).with_name("screen.json"))
os.environ.setdefault("QT_QPA_PLATFORM", f"offscreen:configfile={SCREEN}")

GRACE_SECONDS = 30.0  # only waited for by a test that leaves something; a loaded machine is slow


@pytest.fixture(scope="session", autouse=True)
def home_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Nothing a test does may touch the settings, models or chats of the person running it."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSEWAY_HOME", str(home))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        (home / "data").mkdir()
        patch.setenv("XDG_DATA_HOME", str(home / "data"))  # has the trash
        patch.delenv("HF_TOKEN", raising=False)
        yield home


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fail a test that leaves a thread, a process or a temporary file."""
    scratch = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(scratch))
        threads = set(threading.enumerate())
        processes = set(psutil.Process().children(recursive=True))
        yield
        deadline = time.monotonic() + GRACE_SECONDS
        while (left := _left(threads, processes, scratch)) and time.monotonic() < deadline:
            time.sleep(0.02)
    assert not left, f"left behind: {', '.join(left)}"


def _left(
    threads: set[threading.Thread], processes: set[psutil.Process], scratch: Path
) -> list[str]:
    # A dummy stands for a thread that Python did not start, one of Qt's; before Python 3.13 it stays
    # listed when that thread has ended.
    new_threads = {
        thread
        for thread in set(threading.enumerate()) - threads
        if not isinstance(thread, threading._DummyThread)
    }
    new_processes = {
        process
        for process in set(psutil.Process().children(recursive=True)) - processes
        if process.is_running()
    }
    return [
        *(f"thread {thread.name}" for thread in new_threads if thread.is_alive()),
        *(f"process {process.pid}" for process in new_processes),
        *(f"temporary file {path.name}" for path in scratch.iterdir()),
    ]


@pytest.fixture(scope="session")
def starter_model() -> Path:
    """The starter model's file, fetched once per machine through the program's own code."""
    from benchmarks.starter import starter_model

    return starter_model()
