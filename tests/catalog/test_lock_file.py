"""A lock holds between threads and processes, and dies with its holder."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from catalog.errors import DownloadCancelled
from catalog.lock_file import locked

HOLDER = """
import sys, threading
from pathlib import Path
from catalog.lock_file import locked
with locked(Path(sys.argv[1]), threading.Event()):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_file_is_gone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with locked(path, threading.Event()):
        assert path.exists()
    assert not path.exists()


def test_waits_for_another_process_and_takes_over_when_it_dies(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        waits = 0

        def on_wait() -> None:
            nonlocal waits
            waits += 1
            if waits == 2:
                holder.kill()

        with locked(path, threading.Event(), on_wait):
            assert waits >= 2
    assert not path.exists()


def test_waiting_can_be_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    cancelled = threading.Event()
    with (
        locked(path, threading.Event()),
        pytest.raises(DownloadCancelled),
        locked(path, cancelled, cancelled.set),
    ):
        pytest.fail("held twice")
    assert not path.exists()


def test_only_one_thread_is_inside(tmp_path: Path) -> None:
    inside = 0
    most = 0

    def enter() -> None:
        nonlocal inside, most
        for _ in range(3):
            with locked(tmp_path / "a.lock", threading.Event()):
                inside += 1
                most = max(most, inside)
                threading.Event().wait(0.005)
                inside -= 1

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
