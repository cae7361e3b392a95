"""The real program in its own process, as a person starts it."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

CLOSE_SECONDS = 60
START = "import sys, ui.launch; sys.exit(ui.launch.main())"


class Program:
    """`causeway` with a window. The end of its `with` block ends it, and all that it started."""

    def __init__(self, home: Path, environment: Mapping[str, str], *arguments: str) -> None:
        self._log = home.with_name("program.log")
        inherited = {key: value for key, value in os.environ.items() if key != "WAYLAND_DISPLAY"}
        self._environment = {**inherited, **environment, "CAUSEWAY_HOME": str(home)}
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, *self._arguments],
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for worker in self.workers():
            worker.kill()
        self.process.kill()
        self.process.wait()
        if error is not None:
            print(self.log)  # pytest shows it with the failure

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def log(self) -> str:
        """What it wrote to its standard error."""
        return self._log.read_text(errors="replace")

    def workers(self) -> list[psutil.Process]:
        """The processes of it that hold a model; one that was only just forked does not yet."""
        try:
            children = psutil.Process(self.process.pid).children(recursive=True)
            return [each for each in children if "backends.llama_cpp.worker" in each.cmdline()]
        except psutil.NoSuchProcess:
            return []

    def quit(self) -> int:
        """Close the window; answers the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(CLOSE_SECONDS)

    def kill(self) -> None:
        """End it as a crash of the computer would."""
        self.process.kill()
        self.process.wait()
