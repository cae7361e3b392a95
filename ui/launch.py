"""The entry point of the program: the window, or the command line."""

import sys


def main() -> int:
    """Arguments go to the command line; none, or a model file to open, to the window."""
    arguments = sys.argv[1:]
    if all(argument.lower().endswith(".gguf") for argument in arguments):
        from ui.application import run

        return run(arguments)
    from app.cli.main import main as command_line

    return command_line(arguments)
