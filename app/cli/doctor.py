"""`causeway doctor`: what a bug report needs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.output import print_json, say, terminal_safe
from app.formatting import bytes_text, count_text
from app.paths import default_paths

if TYPE_CHECKING:
    from app.doctor import Findings


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say what this computer and this installation are like, and what is wrong with them."""
    from app.doctor import examine

    findings = examine(default_paths())
    if as_json:
        print_json(findings)
    else:
        lines = dict(_lines(findings))
        width = max(map(len, lines))
        for name, value in lines.items():
            print(terminal_safe(f"{name:<{width}}  {value}"))
    for problem in findings.problems:
        say(f"Problem: {problem}")
    if findings.problems:
        raise typer.Exit(1)


def _lines(findings: "Findings") -> Iterator[tuple[str, str]]:
    yield from findings.versions.items()
    yield "Python", findings.python
    yield "System", findings.system
    yield "Processor", f"{findings.processor}, {count_text(findings.cores, 'core', 'cores')}"
    yield (
        "Memory",
        f"{bytes_text(findings.memory_total)}, {bytes_text(findings.memory_available)} available",
    )
    yield "Disk", f"{bytes_text(findings.disk_free)} free"
    yield "Engine", _features(findings.engine.system) or "does not load"
    yield "Devices", ", ".join(findings.engine.devices) or "none"
    yield "GPU offload", "yes" if findings.engine.gpu_offload else "no"
    yield "Other machines", "can be used" if findings.engine.rpc else "not built in"
    for name, state in findings.backends.items():
        yield f"Backend {name}", state
    yield "Database", findings.database or "can't be opened"
    yield "Models", ", ".join(findings.models) or "none"
    yield "Package index", findings.package_index
    yield "Keys", findings.keys
    yield "Services", ", ".join(findings.services) or "none"
    yield from findings.paths.items()
    yield from findings.variables.items()


def _features(system: str) -> str:
    """llama.cpp's “CPU : AVX = 1 | F16C = 1 | …” without the noise."""
    words = (part.strip().removesuffix("= 1").strip() for part in system.split("|"))
    return ", ".join(filter(None, words))
