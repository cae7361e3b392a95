"""A file over a line with 50 ms of latency and 20 MB/s a connection, against one connection."""

import statistics
import sys
import time
from pathlib import Path

from benchmarks.download_server import serving
from benchmarks.download_speed import big_file, fetch
from benchmarks.harness import Row, alternate, ratio

SIZE = 256 << 20  # a tenth of a model: the larger it is, the less the first answer counts
LATENCY = 0.05
BYTES_PER_SECOND = 20_000_000
TARGET = 3.0


def run(size: int = SIZE) -> list[Row]:
    with (
        big_file(size) as file,
        serving(file, latency=LATENCY, bytes_per_second=BYTES_PER_SECOND) as url,
    ):
        folder = file.parent / "downloads"
        folder.mkdir()
        times = alternate(
            {
                "several": lambda: _seconds(url, folder, connections=4),
                "one": lambda: _seconds(url, folder, connections=1),
            }
        )
    value = ratio(times["one"], times["several"])
    detail: dict[str, object] = {
        "bytes": size,
        "seconds": times,
        "median seconds": {name: statistics.median(each) for name, each in times.items()},
    }
    measure = "50 ms, 20 MB/s a connection: four connections against one"
    return [Row(measure, value, "×", f"≥ {TARGET:.0f} ×", value >= TARGET, detail)]


def _seconds(url: str, folder: Path, *, connections: int) -> float:
    started = time.perf_counter()
    fetched = fetch(url, folder, connections)
    took = time.perf_counter() - started
    fetched.path.unlink()
    return took


if __name__ == "__main__":
    print(run(int(sys.argv[1]) << 20))
