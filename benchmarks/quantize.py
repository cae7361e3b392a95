"""Storing a model in fewer bits by a job of the program, beside llama.cpp's own call.

`python -m benchmarks.quantize SOURCE TARGET FILE_TYPE` is that call with nothing around it.
"""

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from app.jobs.orders import Quantize
from app.jobs.process import run_job
from benchmarks.harness import Row, alternate, ratio
from benchmarks.starter import starter_model

ROUNDS = 5
TARGET = 1.1
F16, Q4_K_M = 1, 15


def run(model: Path | None = None) -> list[Row]:
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch) / "f16.gguf", Path(scratch) / "q4.gguf"
        _bare(model or starter_model(), source, F16)
        order = Quantize(str(source), "Q4_K_M", str(target))
        sizes: set[int] = set()

        def timed(job: bool) -> float:
            target.unlink(missing_ok=True)
            started = time.perf_counter()
            if job:
                run_job(order, on_progress=lambda fraction: None, cancelled=threading.Event())
            else:
                _bare(source, target, Q4_K_M)
            seconds = time.perf_counter() - started
            sizes.add(target.stat().st_size)
            return seconds

        times = alternate(
            {"causeway": lambda: timed(True), "bare": lambda: timed(False)}, rounds=ROUNDS
        )
    value = ratio(times["causeway"], times["bare"])
    detail: dict[str, object] = {"seconds": times, "sizes": sorted(sizes)}
    measure = "F16 to Q4_K_M, a job / llama_model_quantize in a bare script"
    return [Row(measure, value, "×", f"≤ {TARGET}", value <= TARGET, detail)]


def _bare(source: Path, target: Path, file_type: int) -> None:
    command = [sys.executable, "-m", "benchmarks.quantize", str(source), str(target)]
    subprocess.run([*command, str(file_type)], check=True, stderr=subprocess.DEVNULL)


def main(source: str, target: str, file_type: str) -> int:
    import ctypes

    import llama_cpp.llama_cpp as native

    params = native.llama_model_quantize_default_params()
    params.ftype = int(file_type)
    params.allow_requantize = True  # the starter model is in four bits
    return int(native.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(params)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
