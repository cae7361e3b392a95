"""The entry point of the program: the window, or the command line."""

import os
import sys

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def main() -> int:
    """Arguments go to the command line; none, or a model file to open, to the window."""
    arguments = sys.argv[1:]
    if all(argument.lower().endswith(".gguf") for argument in arguments):
        if sys.platform == "linux" and not any(os.environ.get(name) for name in _DISPLAYS):
            # Qt would abort, with words for its developers.
            print(
                "There is no screen to open a window on. “causeway --help” tells what can be done"
                " without one.",
                file=sys.stderr,
            )
            return 1
        from ui.application import run

        return run(arguments)
    from app.cli.main import main as command_line

    return command_line(arguments)
