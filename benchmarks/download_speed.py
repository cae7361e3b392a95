"""A big file from loopback, hash included, against `curl` and a `sha256sum` after it."""

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.download_server import serving
from benchmarks.harness import Row, alternate, ratio
from catalog.catalogues.entries import HubFile, Url
from catalog.downloads.fetch import FetchedFile, fetch_file
from catalog.downloads.rate_limit import RateLimiter
from catalog.downloads.wanted import WantedFile
from catalog.network import Network
from catalog.progress import DownloadProgress
from catalog.remote_file import RemoteFile

SIZE = 2 << 30
TARGET = 0.9
_BLOCK = 1 << 20


def run(size: int = SIZE) -> list[Row]:
    with big_file(size) as file, serving(file) as url:
        folder = file.parent / "downloads"
        folder.mkdir()
        times = alternate(
            {
                "causeway": lambda: _causeway(url, folder),
                "curl": lambda: _curl(url, folder),
            }
        )
    value = ratio(times["causeway"], times["curl"])
    detail: dict[str, object] = {
        "bytes": size,
        "seconds": times,
        "median seconds": {name: statistics.median(each) for name, each in times.items()},
    }
    measure = f"{size / 2**30:.2g} GB from loopback, hashed, against curl and sha256sum"
    return [Row(measure, value, "×", f"≤ {TARGET} ×", value <= TARGET, detail)]


def _causeway(url: str, folder: Path) -> float:
    started = time.perf_counter()
    fetched = fetch(url, folder)
    took = time.perf_counter() - started
    fetched.path.unlink()
    return took


def _curl(url: str, folder: Path) -> float:
    path = folder / "curl"
    started = time.perf_counter()
    subprocess.run(["curl", "--silent", "--noproxy", "*", "--output", path, url], check=True)
    subprocess.run(["sha256sum", path], check=True, stdout=subprocess.DEVNULL)
    took = time.perf_counter() - started
    path.unlink()
    return took


def wanted(url: str) -> WantedFile:
    return WantedFile(sources=(Url(url),), target="model")


def fetch(
    url: str,
    folder: Path,
    connections: int = 4,
    on_progress: Callable[[DownloadProgress], None] = lambda progress: None,
) -> FetchedFile:
    return fetch_file(
        wanted(url),
        folder,
        network=Network(),
        resolve=_no_hub,
        limiter=RateLimiter(lambda: 0),
        on_progress=on_progress,
        cancelled=threading.Event(),
        connections=connections,
    )


@contextlib.contextmanager
def big_file(size: int) -> Iterator[Path]:
    """A file of random blocks in a folder of its own, which is gone afterwards."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        os.environ.pop(name, None)
    folder = Path(tempfile.mkdtemp(prefix="causeway-bench-"))
    try:
        block = os.urandom(_BLOCK)
        with (folder / "model").open("wb") as file:
            for number in range(size // _BLOCK):
                file.write(number.to_bytes(8, "little") + block[8:])
        yield folder / "model"
    finally:
        shutil.rmtree(folder)


def _no_hub(file: HubFile) -> RemoteFile:
    raise LookupError(file.path)


if __name__ == "__main__":
    print(run(int(sys.argv[1]) << 20))
