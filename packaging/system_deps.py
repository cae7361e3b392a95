"""Find what only the system's package manager can give, and install it where that is allowed.

    python packaging/system_deps.py            what the window needs
    python packaging/system_deps.py --tests    also what the window tests need

Debian and Ubuntu are served. Elsewhere (macOS, Windows) Qt brings what it needs.
"""

import argparse
import ctypes.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

# Library that Qt loads -> the Debian package that has it.
LIBRARIES = {
    "EGL": "libegl1",
    "GL": "libgl1",
    "dbus-1": "libdbus-1-3",
    "fontconfig": "libfontconfig1",
    "freetype": "libfreetype6",
    "glib-2.0": "libglib2.0-0",
    "xkbcommon": "libxkbcommon0",
    "xkbcommon-x11": "libxkbcommon-x11-0",
    "X11-xcb": "libx11-xcb1",
    "xcb-cursor": "libxcb-cursor0",
    "xcb-icccm": "libxcb-icccm4",
    "xcb-image": "libxcb-image0",
    "xcb-keysyms": "libxcb-keysyms1",
    "xcb-randr": "libxcb-randr0",
    "xcb-render-util": "libxcb-render-util0",
    "xcb-shape": "libxcb-shape0",
    "xcb-shm": "libxcb-shm0",
    "xcb-sync": "libxcb-sync1",
    "xcb-xfixes": "libxcb-xfixes0",
    "xcb-xkb": "libxcb-xkb1",
}
# Program that the window tests start -> the Debian package that has it.
PROGRAMS = {"Xvfb": "xvfb", "xdotool": "xdotool"}
FONTS = {"DejaVuSans.ttf": "fonts-dejavu-core"}


def missing_packages(*, tests: bool) -> list[str]:
    packages = [package for name, package in LIBRARIES.items() if not is_loadable(name)]
    if tests:
        packages += [package for name, package in PROGRAMS.items() if not shutil.which(name)]
    if not any_font():
        packages += FONTS.values()
    return packages


def is_loadable(library: str) -> bool:
    # find_library needs ldconfig or a compiler; the dynamic loader itself has the last word.
    return any(can_load(name) for name in (ctypes.util.find_library(library), *sonames(library)))


def sonames(library: str) -> list[str]:
    return [f"lib{library}.so.{version}" for version in range(7)]


def can_load(name: str | None) -> bool:
    try:
        return bool(name and ctypes.CDLL(name))
    except OSError:
        return False


def any_font() -> bool:
    roots = ("/usr/share/fonts", "/usr/local/share/fonts", Path.home() / ".fonts")
    return any(
        name.endswith((".ttf", ".otf"))
        for root in roots
        for _, _, names in os.walk(root)
        for name in names
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", action="store_true", help="also what the window tests need")
    options = parser.parse_args()
    if not sys.platform.startswith("linux"):
        return
    packages = missing_packages(tests=options.tests)
    if not packages:
        return
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    allowed = not sudo or (
        shutil.which("sudo") and not subprocess.run(["sudo", "-n", "true"], stderr=-3).returncode
    )
    if shutil.which("apt-get") and allowed:
        print("Installing system packages:", " ".join(packages), flush=True)
        quiet = {"stdout": subprocess.DEVNULL}
        subprocess.run([*sudo, "apt-get", "update"], **quiet)
        if not subprocess.run([*sudo, *install], **quiet).returncode:
            return
    sys.exit(f"Some system packages are missing. Please run:\n\n    sudo {' '.join(install)}\n")


if __name__ == "__main__":
    main()
