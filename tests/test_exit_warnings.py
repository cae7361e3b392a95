"""A run fails for what it leaves open, whenever Python notices: real runs of pytest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.exit_warnings import FAILED

ROOT = Path(__file__).parent.parent
PLUGINS = ("pytest_timeout", "pytestqt.plugin", "xdist.plugin", "tests.exit_warnings")  # in need
LEFT_AT_EXIT = "import os\nkept = open(os.devnull)\ndef test_it(): pass\n"
LEFT_IN_TESTS = """
import os, warnings
def test_unraisable(): open(os.devnull)
def test_raised(): warnings.warn("left", ResourceWarning)
"""
NOTHING_LEFT = """
import os
import llama_cpp._utils  # which opens two files
def test_it(): open(os.devnull).close()
"""


@pytest.mark.parametrize(
    ("code", "workers", "status", "said"),
    [
        (LEFT_AT_EXIT, 0, FAILED, "ResourceWarning: unclosed file"),
        (LEFT_AT_EXIT, 1, FAILED, "ResourceWarning: unclosed file"),
        (LEFT_IN_TESTS, 0, 1, "2 failed"),
        (NOTHING_LEFT, 0, 0, "1 passed"),
    ],
    ids=["at exit", "at a worker's exit", "in tests", "nothing"],
)
def test_what_is_left_open_fails_the_run(
    tmp_path: Path, code: str, workers: int, status: int, said: str
) -> None:
    (tmp_path / "test_it.py").write_text(code, encoding="utf-8")
    settings = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), "-n", str(workers)]
    plugins = [word for plugin in PLUGINS for word in ("-p", plugin)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *settings, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=160,
    )
    assert done.returncode == status, (done.stdout, done.stderr)
    assert said in done.stdout + done.stderr
