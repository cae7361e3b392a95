"""Processes and threads that use the folder at once, and die while they do."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from backends.llama_cpp.state_folder import clear
from tests.backends.llama_cpp.states.saved import (
    PAYLOAD,
    SECONDS,
    STACK,
    Open,
    age,
    branch,
    only,
    save,
)

SAVE_FOR_EVER = """
import sys
from pathlib import Path
from backends.llama_cpp.state_files import StateFiles
from tests.backends.llama_cpp.states.saved import ANSWERS, KEY, LIMIT, STACK, TOKENS

states = StateFiles(Path(sys.argv[1]), LIMIT, KEY)
payload = bytes(range(256)) * 40_000
print("ready", flush=True)
for number in range(10**6):
    states.save(STACK, (number % 5, *TOKENS, number), ANSWERS, payload)
    states.flush(60)
"""


def saving_process(folder: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", SAVE_FOR_EVER, str(folder)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.stdout.close()
    return process


def test_a_process_that_is_killed_while_it_saves_leaves_no_half_file_that_is_read(
    opened: Open, folder: Path
) -> None:
    payload = bytes(range(256)) * 40_000
    unfinished: set[str] = set()
    for round_ in range(6):
        process = saving_process(folder)
        deadline = time.monotonic() + SECONDS
        try:
            while time.monotonic() < deadline:
                if unfinished_files(folder) - unfinished:
                    break
        finally:
            process.send_signal(signal.SIGKILL if os.name != "nt" else signal.SIGTERM)
            process.wait()
        unfinished |= unfinished_files(folder)
        states = opened()
        for state in states.known(STACK):
            assert states.read(state) == payload, round_
    assert unfinished
    for name in unfinished:
        age(folder / name, 3600)
    save(opened())
    assert not unfinished_files(folder)


def test_two_processes_share_a_folder(opened: Open, folder: Path) -> None:
    payload = bytes(range(256)) * 40_000
    process = saving_process(folder)
    try:
        states = opened(limit_bytes=3 * len(payload))
        read = 0
        deadline = time.monotonic() + SECONDS
        while read < 20 and time.monotonic() < deadline:
            save(states, branch(1000 + read))
            for state in states.known(STACK):
                found = states.read(state)
                assert found in (None, payload, PAYLOAD)
                read += found == payload
            clear(folder)
        assert read >= 20
    finally:
        process.kill()
        process.wait()


def test_a_file_that_another_process_removes_between_listing_and_reading_is_a_miss(
    opened: Open, folder: Path
) -> None:
    states = opened()
    save(states)
    state = only(states)
    assert clear(folder) > 0
    assert states.read(state) is None
    assert not states.known(STACK)


def test_threads_may_save_and_read_at_once(opened: Open) -> None:
    states = opened(can_cut=False)
    wrong: list[int] = []

    def work(number: int) -> None:
        for step in range(10):
            payload = bytes([number, step]) * 1000
            states.save(STACK, (number, step), (), payload)
            for state in states.known(STACK):
                found = states.read(state)
                if found is not None and found != bytes(list(state.tokens)) * 1000:
                    wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states.flush(SECONDS)
    assert not wrong
    assert len(states.known(STACK)) == 40


def unfinished_files(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.part")}
