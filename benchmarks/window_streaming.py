"""A 4,000-token answer at 200 tokens a second: how busy the main thread is, how long it stalls."""

import json
import os
import statistics
import subprocess
import sys

from benchmarks.harness import Row

TOKENS = 4_000
TOKENS_PER_SECOND = 200
ROUNDS = 5
BUSY_TARGET = 0.10
STALL_TARGET_MS = 50
HARD_SHAPES = ("one paragraph", "one list", "one code block", "one table")


def run() -> list[Row]:
    rounds = [streamed("mixed", TOKENS) for _ in range(ROUNDS)]
    # What grows as one block is where a renderer turns quadratic.
    hard = {shape: streamed(shape, TOKENS) for shape in HARD_SHAPES}
    busy = statistics.median(each["busy"] for each in rounds)
    stall = statistics.median(each["longest_stall_ms"] for each in rounds)
    detail: dict[str, object] = {"rounds": rounds, "shapes": hard}
    what = f"streaming {TOKENS:,} tokens at {TOKENS_PER_SECOND}/s"
    return [
        Row(
            f"{what}: main thread busy",
            busy * 100,
            "%",
            f"≤ {BUSY_TARGET:.0%}",
            busy <= BUSY_TARGET,
            detail,
        ),
        Row(
            f"{what}: longest stall",
            stall,
            "ms",
            f"≤ {STALL_TARGET_MS} ms",
            stall <= STALL_TARGET_MS,
            detail,
        ),
    ]


def streamed(shape: str, tokens: int) -> dict[str, float]:
    """One answer in a window in a process of its own."""
    env = os.environ.copy()
    env.setdefault("QT_QPA_PLATFORM", "offscreen")
    command = [sys.executable, "-m", "benchmarks.streamed_answer", shape, str(tokens)]
    done = subprocess.run(
        [*command, str(TOKENS_PER_SECOND)],
        env=env,
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout)
