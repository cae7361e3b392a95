"""The window's longest stall while its server answers eight clients and the Server page is shown."""

import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.paths import paths_under
from app.services import open_services
from benchmarks.engine_peers import N_CTX
from benchmarks.harness import Row
from benchmarks.served_client import Question, connect, together
from benchmarks.served_peers import CLIENTS
from benchmarks.starter import starter_model

ROUNDS = 5
N_GENERATE = 64
TARGET_MS = 50
STORY = "Tell a very long story about a lighthouse keeper and the sea."
_START_SECONDS = 60


def run(model: Path | None = None) -> list[Row]:
    with tempfile.TemporaryDirectory() as home:
        port = _free_port()
        _prepare(Path(home), model or starter_model(), port)
        address = f"http://127.0.0.1:{port}"
        questions = (
            Question(f"You are sailor {number}.", STORY, N_GENERATE, seed=number)
            for number in itertools.count(1)
        )
        with _window(home) as window:
            _await(address)
            together(address, [next(questions)])  # which loads the model
            rounds = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                _order(window, "begin")
                answers = together(address, list(itertools.islice(questions, CLIENTS)))
                serving = _stalls(window)
                seconds = time.perf_counter() - began
                _order(window, "begin")
                time.sleep(seconds)
                idle = _stalls(window)
                tokens = sum(answer.tokens for answer in answers)
                rounds.append(
                    {"serving": serving, "idle": idle, "tokens": tokens, "seconds": seconds}
                )
    stall = statistics.median(each["serving"]["longest_stall_ms"] for each in rounds)
    return [
        Row(
            "the window serving eight clients, its Server page shown: longest stall",
            stall,
            "ms",
            f"≤ {TARGET_MS} ms",
            stall <= TARGET_MS,
            {
                "rounds": rounds,
                "idle": statistics.median(each["idle"]["longest_stall_ms"] for each in rounds),
            },
        )
    ]


def _prepare(home: Path, model: Path, port: int) -> None:
    """A home with this model, whose server is on when the window opens."""
    with open_services(paths_under(home)) as services:
        services.library.add_file(model)
        services.settings.update(
            serve=True, serve_port=port, serve_key=False, chat_defaults={"n_ctx": N_CTX}
        )


@contextmanager
def _window(home: str) -> Iterator[subprocess.Popen[str]]:
    env = os.environ | {"CAUSEWAY_HOME": home}
    env.setdefault("QT_QPA_PLATFORM", "offscreen")
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.served_window"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=env,
    )
    try:
        _answer(process)
        yield process
    finally:
        process.communicate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def _await(address: str) -> None:
    """Until the server that the window has switched on takes requests."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        connection = connect(address)
        try:
            connection.request("GET", "/health")
            connection.getresponse().read()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        finally:
            connection.close()


def _stalls(window: subprocess.Popen[str]) -> dict[str, object]:
    _order(window, "end")
    return _answer(window)


def _order(window: subprocess.Popen[str], order: str) -> None:
    assert window.stdin is not None
    window.stdin.write(f"{order}\n")
    window.stdin.flush()


def _answer(window: subprocess.Popen[str]):
    assert window.stdout is not None
    line = window.stdout.readline()
    if not line:
        raise RuntimeError(f"the window ended, with {window.wait()}")
    return json.loads(line)
