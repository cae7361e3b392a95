"""What the server keeps of large requests: its memory before, in, and after a burst of them.

`python -m benchmarks served_memory`; the server runs in a process of its own on a script that says nothing.
"""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import psutil

from benchmarks.harness import Row
from benchmarks.served_client import PATH, connect

BODY_BYTES = 10_000_000
REQUESTS = 48
CLIENTS = 16
SETTLE_SECONDS = 60
TARGET_KEPT_MB = 40.0
TARGET_PEAK_MB = 400.0
_SAMPLE_SECONDS = 0.02


def run(settle_seconds: float = SETTLE_SECONDS) -> list[Row]:
    command = [sys.executable, "-m", "benchmarks.served_scripted"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            address = server.stdout.readline().strip()
            if not address:
                raise RuntimeError("the server did not start")
            return _measured(address, psutil.Process(server.pid), settle_seconds)
        finally:
            server.stdin.close()


def _measured(address: str, server: psutil.Process, settle_seconds: float) -> list[Row]:
    _ask(address, b"Say nothing.")
    before = _megabytes(server)
    peak, over = [before], threading.Event()

    def sample() -> None:
        while not over.wait(_SAMPLE_SECONDS):
            peak[0] = max(peak[0], _megabytes(server))

    sampling = threading.Thread(target=sample)
    sampling.start()
    text = b"x" * BODY_BYTES  # one word: the script counts words, not the server
    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = list(pool.map(lambda _: _ask(address, text), range(REQUESTS)))
    over.set()
    sampling.join()
    at_once = _megabytes(server)
    time.sleep(settle_seconds)
    after = _megabytes(server)
    detail = {
        "before_mb": before,
        "peak_mb": peak[0],
        "at_the_end_mb": at_once,
        "after_mb": after,
        "settle_seconds": settle_seconds,
        "answered": statuses.count(200),
        "told_to_wait": statuses.count(429),
    }
    return [
        _row("memory that the server keeps after", after - before, TARGET_KEPT_MB, detail),
        _row("memory that the server takes for", peak[0] - before, TARGET_PEAK_MB, detail),
    ]


def _ask(address: str, text: bytes) -> int:
    connection = connect(address)
    try:
        body = b'{"model": "default", "messages": [{"role": "user", "content": "%s"}]}' % text
        connection.request("POST", PATH, body, {"content-type": "application/json"})
        response = connection.getresponse()
        msgspec.json.decode(response.read())
        return response.status
    finally:
        connection.close()


def _megabytes(process: psutil.Process) -> float:
    return process.memory_info().rss / 1e6


def _row(measure: str, value: float, target: float, detail: dict[str, object]) -> Row:
    return Row(
        f"{measure} {REQUESTS} bodies of {BODY_BYTES / 1e6:.0f} MB from {CLIENTS} clients",
        round(value, 1),
        "MB",
        f"≤ {target:g} MB",
        value <= target,
        detail,
    )
