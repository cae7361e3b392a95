"""`python -m benchmarks [NAME…]`: run the side-by-side measurements, print them, keep them as JSON.

Each benchmark is a module of this folder with `run() -> list[Row]`; a row says what was measured,
its value, its target and whether it was met. Targets are ratios taken in one run wherever speed is
the point, so that they hold on any machine.
"""

import json
import os
import platform
import sys
import time
from importlib import import_module
from pathlib import Path

import msgspec

from benchmarks.harness import Row

BENCHMARKS = (
    "engine_decode",
    "engine_prompt",
    "engine_followup",
    "engine_cancel",
    "engine_switch",
    "engine_resume",
    "engine_parallel",
    "engine_adapters",
    "engine_json",
    "engine_lookup",
    "served_speed",
    "served_overhead",
    "served_memory",
    "quantize",
    "fit_estimate",
    "gguf_header",
    "library_scan",
    "download_speed",
    "download_parallel",
    "download_resume",
    "window_start",
    "window_streaming",
    "window_long_chat",
    "window_serving",
    "window_memory",
    "catalogue_filter",
)
RESULTS = Path(__file__).parent / "results"


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"No benchmark called {', '.join(unknown)}. There are {', '.join(BENCHMARKS)}.")
        return 2
    rows: list[Row] = []
    for name in names or BENCHMARKS:
        print(f"… {name}", file=sys.stderr, flush=True)
        rows += import_module(f"benchmarks.{name}").run()
    print_table(rows)
    print(f"\nSaved as {save(rows)}")
    return 0


def print_table(rows: list[Row]) -> None:
    cells = [("measure", "measured", "target", "")]
    cells += [
        (
            row.measure,
            f"{row.value:.3g} {row.unit}".strip(),
            row.target,
            "met" if row.met else "missed",
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    for line in cells:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )


def save(rows: list[Row]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / time.strftime("%Y-%m-%dT%H%M%S.json")
    machine = {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }
    record = {"machine": machine, "rows": msgspec.to_builtins(rows)}
    path.write_text(json.dumps(record, indent=2) + "\n")
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
