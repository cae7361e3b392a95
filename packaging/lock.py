"""Write `constraints.txt` anew: the newest versions that `pyproject.toml` admits (`make lock`).

Exact pins by name and version, for every Python that the program supports, the first patch release
included: Debian 12 has 3.11.2. PySide6 stays below 6.12, since 6.12.0 aborts on Python 3.10 and 3.11
after some thousand calls.
"""

import json
import subprocess
import sys
from pathlib import Path

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Exact versions for a reproducible set-up, made by `make lock`.\n"
OLDEST_PYTHON = "3.11.0"
BOUNDS = ("pyside6-essentials<6.12", "shiboken6<6.12")


def resolve(bounds: list[str]) -> dict[str, dict[str, str]]:
    """Metadata of what pip would install, by name."""
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"),
        *("--report", "-", ".[dev]", *bounds),
    ]
    report = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=-1).stdout)
    found = [item["metadata"] for item in report["install"]]
    return {metadata["name"].lower().replace("_", "-"): metadata for metadata in found}


def resolve_for_every_python() -> dict[str, dict[str, str]]:
    """As `resolve`, without versions that the oldest supported Python can't install."""
    bounds = list(BOUNDS)
    while True:
        found = resolve(bounds)
        too_new = [
            f"{name}<{metadata['version']}"
            for name, metadata in found.items()
            if name != "causeway"
            and OLDEST_PYTHON not in SpecifierSet(metadata.get("requires_python", ""))
        ]
        if not too_new:
            return found
        bounds += too_new


def main() -> None:
    found = resolve_for_every_python()
    del found["causeway"]
    pins = [f"{name}=={metadata['version']}" for name, metadata in sorted(found.items())]
    (ROOT / "constraints.txt").write_text(HEADER + "\n".join(pins) + "\n")


if __name__ == "__main__":
    main()
