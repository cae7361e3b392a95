"""A display of its own, and the keys and eyes of a person before it."""

import os
import shutil
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from PySide6.QtGui import QColor, QImage

SIZE = (1280, 800)
POLL_SECONDS = 0.1
START_SECONDS = 60.0


class Screen:
    """An X server without a screen. It ends with its `with` block.

    Attributes:
        environment: what a program needs to open its window here.
    """

    def __init__(self, folder: Path) -> None:
        for program in ("Xvfb", "xdotool"):
            if shutil.which(program) is None:
                pytest.skip(f"{program} is not installed: make system-deps")
        self._folder = folder
        self._server: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        read_end, write_end = os.pipe()
        self._server = subprocess.Popen(
            [
                *("Xvfb", "-displayfd", str(write_end), "-fbdir", str(self._folder)),
                *("-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-nolisten", "tcp"),
                # Else it starts afresh when its last client goes, and refuses the next meanwhile.
                "-noreset",
            ],
            pass_fds=[write_end],
            stderr=subprocess.DEVNULL,
        )
        os.close(write_end)
        with os.fdopen(read_end) as number:
            # The server closes its end when it fails, so that this ends either way.
            display = number.readline().strip()
        assert display, "Xvfb found no free display"
        self.environment = {"DISPLAY": f":{display}", "QT_QPA_PLATFORM": "xcb"}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.terminate()
        self._server.wait()

    def window_titles(self) -> list[str]:
        """The titles of the visible windows."""
        found = self._xdotool("search", "--onlyvisible", "--name", ".")
        return [self._xdotool("getwindowname", window).strip() for window in found.split()]

    def focus_window(self, title: str) -> None:
        """Give the keyboard to the window with that in its title, once it is there."""
        self.wait_for(f"a window “{title}”", lambda: title in " ".join(self.window_titles()))
        window = self._xdotool("search", "--onlyvisible", "--name", title).split()[0]
        self._xdotool("windowfocus", "--sync", window)

    def type(self, text: str) -> None:
        self._xdotool("type", "--delay", "15", text)

    def press(self, *keys: str) -> None:
        """Press keys as X names them: "Return", "ctrl+n"."""
        self._xdotool("key", "--delay", "40", *keys)

    def picture(self) -> QImage:
        """What is on the screen now."""
        data = (self._folder / "Xvfb_screen0").read_bytes()
        header = struct.unpack(">25I", data[:100])
        header_size, width, height = header[0], header[4], header[5]
        bytes_per_line, colours = header[12], header[19]
        pixels = data[header_size + colours * 12 :]
        image = QImage(pixels, width, height, bytes_per_line, QImage.Format.Format_RGB32)
        return image.copy()  # the bytes above are gone when this returns

    def wait_for(
        self, what: str, condition: Callable[[], bool], seconds: float = START_SECONDS
    ) -> None:
        """Poll until it is so; else fail, and keep a picture of the screen."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                kept = self._folder / "screen.png"
                self.picture().save(str(kept))
                raise AssertionError(f"{what} did not come within {seconds:g} s; see {kept}")
            time.sleep(POLL_SECONDS)

    def _xdotool(self, *arguments: str) -> str:
        done = subprocess.run(
            ["xdotool", *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout


def has_run(image: QImage, color: QColor, length: int, *, top: int = 0) -> bool:
    """Whether that many pixels of exactly that colour lie side by side, from row `top` down."""
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    pixels = bytes(plain.constBits())[top * plain.bytesPerLine() :]
    return bytes((color.red(), color.green(), color.blue())) * length in pixels
