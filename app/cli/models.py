"""`causeway models`, `pull`, `import` and `remove`: what is installed."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from app.cli.interrupts import stopping
from app.cli.opening import opened
from app.cli.output import StatusLine, print_json, print_table, say
from app.formatting import bytes_text, speed_text, time_left_text
from app.installs import Installation
from app.paths import default_paths
from app.settings_file import SettingsFile
from catalog.bundled import STARTER_ID, load_bundled
from catalog.errors import CatalogError, UnknownModel

if TYPE_CHECKING:
    from catalog.progress import DownloadProgress


class ListedModel(msgspec.Struct, frozen=True):
    """What `models --json` prints of each. `managed`: the file lies in the program's own folder."""

    id: str
    name: str
    quant: str
    architecture: str
    size_bytes: int
    context_length: int
    has_template: bool
    managed: bool
    path: str


def models(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the installed models."""
    with opened() as services:
        installed = services.library.models()
        problems = services.library.problems
    if as_json:
        print_json(
            [
                ListedModel(
                    id=model.id,
                    name=model.name,
                    quant=model.quant,
                    architecture=model.architecture,
                    size_bytes=model.size_bytes,
                    context_length=model.context_length,
                    has_template=model.has_template,
                    managed=model.managed,
                    path=str(model.path),
                )
                for model in installed
            ]
        )
    else:
        print_table(
            ("ID", "Name", "Quant", "Size", "Path"),
            [
                (model.id, model.name, model.quant, bytes_text(model.size_bytes), str(model.path))
                for model in installed
            ],
        )
        if not installed:
            say(f"No model is installed. Get one with “causeway pull {STARTER_ID}”.")
    for problem in problems:
        say(str(problem.error))


def pull(
    ref: Annotated[str, typer.Argument(help="The id of a catalogue entry.")],
) -> None:
    """Download a model of the catalogue. A broken download goes on where it stopped."""
    catalogue = load_bundled()
    entry = catalogue.entry(ref)
    if entry is None:
        known = ", ".join(entry.id for entry in catalogue.entries)
        raise UnknownModel(f"The catalogue has no model called “{ref}”.", fix=f"It has: {known}.")
    paths = default_paths()
    installation = Installation(entry, paths, SettingsFile(paths.settings_file).load())
    status = StatusLine()
    try:
        with stopping(installation.cancel):
            path = installation.run(
                lambda progress: status.show(_progress_text(entry.name, progress))
            )
    finally:
        status.clear()
    with opened() as services:
        print(services.library.find(str(path)).id)


def import_(
    path: Annotated[Path, typer.Argument(help="A GGUF file. It stays where it is.")],
) -> None:
    """Use a model file on this computer."""
    with opened() as services:
        print(services.library.add_file(path).id)


def remove(
    ref: Annotated[str, typer.Argument(help="An installed model.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Delete a downloaded model, or forget an imported file."""
    with opened() as services:
        try:
            model = services.library.find(ref)
        except CatalogError as unusable:  # it may be an imported file that is gone
            try:
                services.library.remove(ref)
            except CatalogError:
                raise unusable from None
            say(f"Forgotten: {ref}")
            return
        if model.managed and not yes:
            if not sys.stdin.isatty():
                raise typer.BadParameter("This deletes a file: say --yes.")
            typer.confirm(
                f"Delete {model.path} ({bytes_text(model.size_bytes)})?", abort=True, err=True
            )
        services.library.remove(model.id)
    done = "Deleted" if model.managed else "Forgotten, and left where it is:"
    say(f"{done} {model.path}")


def _progress_text(name: str, progress: "DownloadProgress") -> str:
    of_total = f" of {bytes_text(progress.total)}" if progress.total else ""
    parts = [f"{name}: {progress.stage}", f"{bytes_text(progress.done)}{of_total}"]
    if progress.bytes_per_second:
        parts += [speed_text(progress.bytes_per_second), time_left_text(progress.seconds_left)]
    return ", ".join(filter(None, parts))
