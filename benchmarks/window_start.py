"""From the start of a process to its first painted window, against a bare PySide6 window."""

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness import Row, alternate, ratio

TARGET = 2.0
ROUNDS = 7


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as home:
        heavy: set[str] = set()
        rested: list[float] = []

        def start(kind: str) -> float:
            started = time.perf_counter()
            with window(kind, Path(home)) as process:
                painted = next_event(process)
                seconds = time.perf_counter() - started
                if kind == "causeway":
                    heavy.update(painted["heavy"])
                    next_event(process)
                    rested.append(time.perf_counter() - started)
            return seconds

        times = alternate(
            {kind: lambda kind=kind: start(kind) for kind in ("causeway", "bare")}, rounds=ROUNDS
        )
    value = ratio(times["causeway"], times["bare"])
    return [
        Row(
            "first window painted, cold process / bare PySide6 window",
            value,
            "×",
            f"≤ {TARGET} ×",
            value <= TARGET,
            {"seconds": times, "until_at_rest": rested},
        ),
        Row(
            "heavy modules imported by then (llama_cpp, huggingface_hub, numpy)",
            len(heavy),
            "",
            "0",
            not heavy,
            {"modules": sorted(heavy)},
        ),
    ]


@contextmanager
def window(kind: str, home: Path):
    """A window in a process of its own, which ends with the block."""
    env = os.environ | {"CAUSEWAY_HOME": str(home)}
    env.setdefault("QT_QPA_PLATFORM", "offscreen")
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.window_process", kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=env,
    )
    try:
        yield process
        process.stdin.close()
        process.wait(15)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def next_event(process: subprocess.Popen) -> dict:
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"the window ended before it was shown, with {process.wait()}")
    return json.loads(line)
