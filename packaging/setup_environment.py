"""Make `.venv` ready: `python packaging/setup_environment.py [--dev]`.

Nothing but the standard library is needed. A second call with nothing changed takes no time. The
llama.cpp kernels are compiled once per version, flags and processor into a wheel cache outside the
checkout, so that another checkout on the same machine is set up in a minute or two.
"""

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "causeway-setup"
CONSTRAINTS = ROOT / "constraints.txt"
OLDEST_PYTHON = (3, 11)

# GCC 12.2 drops stores to the AMX tile configuration, and every prompt on quantized weights then
# dies with SIGSEGV on processors that have AMX (llama.cpp issue 20824).
AMX_SAFE_FLAGS = "-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"

CMAKE_OPTIONS = "-DGGML_RPC=ON"
"""A model that one machine can't hold is spread over llama.cpp's RPC servers."""


def venv_program(name: str) -> Path:
    if os.name == "nt":
        return VENV / "Scripts" / f"{name}.exe"
    return VENV / "bin" / name


def run(*command: str | Path, env: dict[str, str] | None = None) -> None:
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT, env=env)


def compiler_flags() -> str:
    is_x86_64 = platform.machine().lower() in ("x86_64", "amd64")
    return AMX_SAFE_FLAGS if is_x86_64 and os.name != "nt" else ""


def cpu_identity() -> str:
    """What the native build depends on, so that a shared home never serves another processor."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(errors="replace").splitlines()
        wanted = ("model name", "flags", "Features", "CPU part")
        return "\n".join(sorted({line for line in lines if line.startswith(wanted)}))
    return f"{platform.machine()} {platform.processor()}"


def llama_cpp_version() -> str:
    found = re.search(r"^llama-cpp-python==(\S+)", CONSTRAINTS.read_text(), re.MULTILINE)
    if not found:
        sys.exit(f"{CONSTRAINTS.name} has no line for llama-cpp-python.")
    return found[1]


def wheel_cache() -> Path:
    home = Path.home()
    default = home / "Library/Caches" if sys.platform == "darwin" else home / ".cache"
    if os.name == "nt":
        default = Path(os.environ.get("LOCALAPPDATA", home / "AppData/Local"))
    root = Path(os.environ.get("XDG_CACHE_HOME") or default)
    built_for = f"{compiler_flags()}\n{CMAKE_OPTIONS}\n{cpu_identity()}"
    key = hashlib.sha256(built_for.encode()).hexdigest()[:12]
    tag = sysconfig.get_platform().replace("-", "_")
    return root / "causeway" / "wheels" / f"llama_cpp_python-{llama_cpp_version()}-{tag}-{key}"


def build_llama_cpp(folder: Path) -> None:
    """Compile the wheel into `folder`, which appears whole or not at all."""
    version, flags = llama_cpp_version(), compiler_flags()
    cores = os.cpu_count() or 1
    print(
        f"Compiling the llama.cpp kernels for this processor (llama-cpp-python {version}).\n"
        f"This happens once on this computer and takes about {max(2, 18 // cores)} minutes "
        f"on {cores} cores.",
        flush=True,
    )
    env = dict(os.environ)
    for name in ("CFLAGS", "CXXFLAGS"):
        env[name] = f"{env.get(name, '')} {flags}".strip()
    env["CMAKE_ARGS"] = f"{env.get('CMAKE_ARGS', '')} {CMAKE_OPTIONS}".strip()
    env.setdefault("CMAKE_BUILD_PARALLEL_LEVEL", str(cores))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="building-") as scratch:
        wheels, log = Path(scratch) / "wheels", Path(scratch) / "build.log"
        command = [
            *(str(venv_program("python")), "-m", "pip", "wheel", "--no-deps", "--no-cache-dir"),
            *("--no-binary", "llama-cpp-python", "-w", str(wheels), f"llama-cpp-python=={version}"),
        ]
        with log.open("wb") as output, minutes_passing():
            code = subprocess.run(command, env=env, stdout=output, stderr=output).returncode
        if code:
            print(log.read_text(errors="replace")[-6000:], file=sys.stderr)
            sys.exit("The kernels did not compile. A C and C++ compiler are needed; see above.")
        try:
            wheels.replace(folder)
        except OSError:
            if not folder.exists():  # another checkout was quicker otherwise
                raise


class minutes_passing:  # noqa: N801 — reads as a phrase in its `with`
    """Print a line each minute, so that a long compilation is not taken for a hang."""

    def __enter__(self) -> None:
        self._stop = threading.Event()
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._tick)
        self._thread.start()

    def _tick(self) -> None:
        while not self._stop.wait(60):
            passed = round((time.monotonic() - self._started) / 60)
            print(f"  still compiling, {passed} min so far", flush=True)

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()


def wanted_stamp(extras: list[str]) -> str:
    digest = hashlib.sha256()
    for path in (ROOT / "pyproject.toml", CONSTRAINTS, Path(__file__)):
        digest.update(path.read_bytes())
    return f"{sys.version_info[:2]} {digest.hexdigest()} {','.join(sorted(extras))}"


def is_ready(extras: list[str]) -> bool:
    if not STAMP.exists() or not venv_program("python").exists():
        return False
    *done, done_extras = STAMP.read_text().split(" ")
    *wanted, wanted_extras = wanted_stamp(extras).split(" ")
    return done == wanted and set(wanted_extras.split(",")) <= set(f"{done_extras},".split(","))


def set_up(extras: list[str]) -> None:
    print("Setting up .venv", flush=True)
    if not venv_program("python").exists():
        shutil.rmtree(VENV, ignore_errors=True)
        venv.create(VENV, with_pip=True)
    elif STAMP.exists() and not STAMP.read_text().startswith(f"{sys.version_info[:2]} "):
        venv.create(VENV, with_pip=True, clear=True)
    STAMP.unlink(missing_ok=True)
    cache = wheel_cache()
    if not list(cache.glob("*.whl")):
        build_llama_cpp(cache)
    pip = (venv_program("python"), "-m", "pip", "install", "--quiet", "-c", CONSTRAINTS)
    # By force: to pip, a wheel of the same version built with other options is the same.
    run(*pip, "--force-reinstall", "--no-deps", next(cache.glob("*.whl")))
    run(*pip, "--editable", f".[{','.join(extras)}]" if extras else ".")
    STAMP.write_text(wanted_stamp(extras))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="also what checks and benchmarks need")
    options = parser.parse_args()
    if sys.version_info[:2] < OLDEST_PYTHON:
        sys.exit(f"Causeway needs Python 3.11 or newer; this is {platform.python_version()}.")
    extras = ["dev"] if options.dev else []
    if is_ready(extras):
        return
    if STAMP.exists():  # keep what an earlier call added
        extras = sorted({*extras, *filter(None, STAMP.read_text().split(" ")[-1].split(","))})
    started = time.monotonic()
    set_up(extras)
    print(f"Ready after {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
