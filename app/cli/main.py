"""Where the command line begins and where its errors end."""

import errno
import io
import os
import sys
from collections.abc import Sequence

FAILED = 1
_CTRL_C = 130


def main(argv: Sequence[str]) -> int:
    """Run a command; returns the exit code: 0 done, 1 failed, 2 wrong usage.

    `worker` as first argument runs the engine, before anything else is imported: a frozen program
    starts its own executable for it.
    """
    if argv[:1] == ["worker"]:
        return _worker(argv[1:])
    _open_missing_streams()
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # The pipes of Windows are not UTF-8, and a model may write half a surrogate.
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        return _run(argv)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return FAILED


def _open_missing_streams() -> None:
    """A caller may have closed any of the three; Python then has None in its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123


def _worker(argv: Sequence[str]) -> int:
    match argv:
        case ["probe"]:
            from backends.llama_cpp import probe

            return probe.main()
        case ["bare-loop", *arguments]:
            from backends.llama_cpp import bare_loop, lifeline

            lifeline.hold_on_to_stdin()
            return bare_loop.main(arguments)
        case ["job", order]:
            from app.jobs import job

            return job.main(order)
        case _:
            from backends.llama_cpp import worker

            return worker.main()


def _run(argv: Sequence[str]) -> int:
    from app.cli.output import say
    from app.errors import problem_from

    try:
        from app.cli.commands import commands

        commands(args=list(argv), prog_name="causeway")
    except SystemExit as ended:
        if ended.code == _CTRL_C:
            raise KeyboardInterrupt from None
        return ended.code if isinstance(ended.code, int) else 0
    except Exception as error:
        problem = problem_from(error)
        words = problem.sentence_for_terminals() if problem else _of_the_system(error)
        say(words or _report_bug(error))
        _say_way_out(error)
        return FAILED
    return 0


def _say_way_out(error: Exception) -> None:
    from app.cli.output import say
    from app.conversations.database import DamagedDatabase

    if isinstance(error, DamagedDatabase):
        say("“causeway conversations recover” saves what can be read of it.")


def _of_the_system(error: Exception) -> str:
    """Words for what no layer below knows: the disk of a redirected output, names in arguments."""
    if not isinstance(error, OSError):
        return ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The output could not be written. The disk is full. Free some space and try again."
    if error.errno == errno.ENAMETOOLONG:
        return "This system takes no file name that is so long. Give a shorter one."
    return ""


def _report_bug(error: Exception) -> str:
    from app.crash_reports import write_crash_report
    from app.paths import default_paths

    return write_crash_report(error, default_paths().logs_folder)
