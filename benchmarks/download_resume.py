"""How much is fetched again after a program was killed at 95 % of a download."""

import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.download_server import serving
from benchmarks.download_speed import big_file, fetch, wanted
from benchmarks.harness import Row
from catalog.downloads.fetch import discard_partial, fetched_bytes

SIZE = 2 << 30
ROUNDS = 5
KILL_AT = 0.95
TARGET_PERCENT = 1.0
_BLOCK = 64 << 10

_FETCH = """
import sys
from pathlib import Path
from benchmarks.download_speed import fetch
fetch(sys.argv[1], Path(sys.argv[2]), on_progress=lambda now: print(now.done, flush=True))
"""


def run(size: int = SIZE) -> list[Row]:
    with big_file(size) as file, serving(file) as url:
        folder = file.parent / "downloads"
        folder.mkdir()
        shares = [_fetched_again(url, folder, file, size) for _ in range(ROUNDS)]
    value = statistics.median(shares)
    measure = "fetched again after a kill at 95 %, at full speed"
    target = f"≤ {TARGET_PERCENT:.0f} %"
    detail: dict[str, object] = {"bytes": size, "percent": shares}
    return [Row(measure, value, "%", target, value <= TARGET_PERCENT, detail)]


def _fetched_again(url: str, folder: Path, file: Path, size: int) -> float:
    """Per cent of the file that had been written when the program died, and is fetched again."""
    command = [sys.executable, "-c", _FETCH, url, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        for line in program.stdout:
            if int(line) >= KILL_AT * size:
                program.kill()
                break
    written = _same_bytes(file, folder / "model.part")
    kept = fetched_bytes(wanted(url), folder)
    if not kept:
        raise EOFError("nothing was kept, or the download had ended")
    fetched = fetch(url, folder)
    if fetched.size_bytes != size:
        raise EOFError("the file is not whole")
    fetched.path.unlink()
    discard_partial(wanted(url), folder)
    return 100 * max(0, written - kept) / size


def _same_bytes(file: Path, part: Path) -> int:
    """Bytes of the part that are those of the file, whether or not its sidecar says so."""
    same = 0
    with file.open("rb") as right, part.open("rb") as there:
        while block := right.read(_BLOCK):
            mine = there.read(_BLOCK)
            same += len(mine) if mine == block else _same_beginning(mine, block)
    return same


def _same_beginning(one: bytes, other: bytes) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


if __name__ == "__main__":
    print(run(int(sys.argv[1]) << 20))
