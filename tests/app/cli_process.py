"""The command line as a real process, in a home of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "app")
TIMEOUT = 60


class CommandLine:
    """Runs `causeway …` with `CAUSEWAY_HOME` at `home`, for a person whose own folder is empty."""

    def __init__(self, home: Path, variables: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.person = home.parent / "person"
        self.person.mkdir(parents=True, exist_ok=True)
        self.environment = {
            **os.environ,
            "CAUSEWAY_HOME": str(home),
            "HOME": str(self.person),
            "USERPROFILE": str(self.person),
            **(variables or {}),
        }

    def run(
        self, *arguments: str, stdin: str = "", code: int = 0
    ) -> subprocess.CompletedProcess[str]:
        """Run to the end, and check the exit code."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=self.environment,
            timeout=TIMEOUT,
            check=False,
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code).stdout)

    def error(self, *arguments: str) -> str:
        """The one line on standard error of a command that fails."""
        done = self.run(*arguments, code=1)
        (line,) = done.stderr.splitlines()
        assert "Traceback" not in line
        return line

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=self.environment,
        )
