"""What a request costs where there is nothing to compute: the server and its client on one computer.

The server runs in a process of its own on a script that says nothing; the client is this process.
"""

import http.client
import itertools
import statistics
import subprocess
import sys
import time

import msgspec

from benchmarks.harness import Row, percentile
from benchmarks.served_client import PATH, connect

REQUESTS = 400
WARM_UP = 20
TARGET_MS = 5.0
WAYS = tuple(itertools.product((True, False), (True, False)))


def run() -> list[Row]:
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
            milliseconds = measured(address)
        finally:
            server.stdin.close()
    return [_row(kept, streams, milliseconds[kept, streams]) for kept, streams in WAYS]


def measured(address: str) -> dict[tuple[bool, bool], list[float]]:
    """Milliseconds of each request: over a connection that is kept or not, streamed or not."""
    found: dict[tuple[bool, bool], list[float]] = {way: [] for way in WAYS}
    kept_connection = connect(address)
    try:
        for number in range(WARM_UP + REQUESTS):
            for kept, streams in WAYS:
                started = time.perf_counter()
                if kept:
                    _ask(kept_connection, streams)
                else:
                    connection = connect(address)
                    _ask(connection, streams)
                    connection.close()
                if number >= WARM_UP:
                    found[kept, streams].append((time.perf_counter() - started) * 1000)
    finally:
        kept_connection.close()
    return found


def _ask(connection: http.client.HTTPConnection, streams: bool) -> None:
    body = {
        "model": "default",
        "messages": [{"role": "user", "content": "Say nothing."}],
        "stream": streams,
    }
    headers = {"content-type": "application/json"}
    connection.request("POST", PATH, msgspec.json.encode(body), headers)
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200 or not answer:
        raise RuntimeError(answer.decode())


def _row(kept: bool, streams: bool, milliseconds: list[float]) -> Row:
    connection = "a kept connection" if kept else "a new connection"
    how = "streamed" if streams else "at once"
    value = percentile(milliseconds, 0.95)
    return Row(
        f"request with an empty answer, {how}, over {connection}: p95",
        value,
        "ms",
        f"≤ {TARGET_MS:.0f} ms",
        value <= TARGET_MS,
        {
            "median": statistics.median(milliseconds),
            "p99": percentile(milliseconds, 0.99),
            "longest": max(milliseconds),
            "requests": len(milliseconds),
        },
    )
