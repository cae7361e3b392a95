"""Write `constraints.txt` anew: the newest versions that `pyproject.toml` admits (`make lock`).

Exact pins by name and version. PySide6 stays below 6.12 for every Python, since 6.12.0 aborts on
Python 3.10 and 3.11 after some thousand calls.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Exact versions for a reproducible set-up, made by `make lock`.\n"
EXTRA_BOUNDS = ("pyside6-essentials<6.12", "shiboken6<6.12")


def resolve() -> list[str]:
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"),
        *("--report", "-", ".[dev,bench]", *EXTRA_BOUNDS),
    ]
    report = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=-1).stdout)
    pins = {
        item["metadata"]["name"].lower().replace("_", "-"): item["metadata"]["version"]
        for item in report["install"]
    }
    del pins["causeway"]
    return [f"{name}=={version}" for name, version in sorted(pins.items())]


def main() -> None:
    (ROOT / "constraints.txt").write_text(HEADER + "\n".join(resolve()) + "\n")


if __name__ == "__main__":
    main()
