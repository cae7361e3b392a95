"""`causeway models`, `import` and `remove`: what is installed."""

import os
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from app.cli.converting import convert
from app.cli.listed_model import listed
from app.cli.opening import opened
from app.cli.output import print_json, print_table, say
from app.errors import AppError
from app.formatting import bytes_text, count_text
from app.removal import remove_model
from catalog.adapters.peft_names import CONFIG_FILE
from catalog.catalogues.bundled import STARTER_ID
from catalog.errors import CatalogError
from catalog.library import InstalledModel, Library


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What `remove --json` prints. Not `deleted`: forgotten, and left where it is."""

    id: str
    path: str = ""
    deleted: bool = False
    freed_bytes: int = 0


def models(
    adapters: Annotated[bool, typer.Option("--adapters", help="List the adapters.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the installed models, wherever they lie."""
    with opened() as services:
        installed = services.library.adapters() if adapters else services.library.models()
        problems = services.library.problems
    if as_json:
        print_json([listed(model) for model in installed])
    else:
        print_table(
            ("ID", "Name", "Quant", "Size", "Place", "Path"),
            [
                (
                    model.id,
                    model.name,
                    model.quant,
                    bytes_text(model.size_bytes),
                    model.place.replace("_", " "),
                    str(model.path),
                )
                for model in installed
            ],
        )
        if not installed and adapters:
            say("No adapter is installed. “causeway catalog --kind adapter” lists some.")
        elif not installed:
            say(f"No model is installed. Get one with “causeway pull {STARTER_ID}”.")
    for problem in problems:
        say(str(problem.error))


def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...",
            help="GGUF files, or folders of them. They stay there. With --base: the folder of a"
            " PEFT adapter, or OWNER/NAME of one on the Hub.",
        ),
    ],
    base: Annotated[
        str, typer.Option(metavar="MODEL", help="Convert a PEFT adapter for this model.")
    ] = "",
    name: Annotated[str, typer.Option(help="With --base: what to call the adapter.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Use model files, or a folder of them, where they lie; or convert a PEFT adapter."""
    if base and len(paths) > 1:
        raise typer.BadParameter("--base converts one adapter at a time.")
    if name and not base:
        raise typer.BadParameter("--name goes with --base.")
    added: list[InstalledModel] = []
    with opened() as services:
        for path in paths:
            if base:
                added.append(convert(services, path, base, name))
                if not as_json:
                    print(added[-1].id)
            elif (path / CONFIG_FILE).is_file():
                raise AppError(
                    f"“{path}” is a PEFT adapter, which must be converted for a model.",
                    fix="Say which one with --base MODEL.",
                )
            elif path.is_dir():
                folder = Path(os.path.abspath(path))  # noqa: PTH100 (links are kept)
                known = services.settings.current.model_folders
                services.settings.update(model_folders=(*known, str(folder)))
                found = _below(folder, services.library)
                say(f"{folder}: {count_text(len(found), 'model', 'models')}")
                added += found
            else:
                model = services.library.add_file(path)
                added.append(model)
                if not as_json:
                    print(model.id)
    if as_json:
        print_json([listed(model) for model in added])


def _below(folder: Path, library: Library) -> list[InstalledModel]:
    return [
        model
        for model in library.everything()
        if any(path.is_relative_to(folder) for path in (model.path, *model.also_at))
    ]


def remove(
    ref: Annotated[str, typer.Argument(help="An installed model.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    for_good: Annotated[
        bool, typer.Option("--for-good", help="Delete it instead of moving it into the trash.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Move a downloaded model into the trash, or forget an imported file."""
    with opened() as services:
        try:
            model = services.library.find(ref)
        except CatalogError as unusable:  # it may be an imported file that is gone
            try:
                services.library.remove(ref)
            except CatalogError:
                raise unusable from None
            if as_json:
                print_json(Removed(id=ref))
            say(f"Forgotten: {ref}")
            return
        if model.managed and not yes:
            if not sys.stdin.isatty():
                raise typer.BadParameter("This removes a file: say --yes.")
            what = "Delete" if for_good else "Move into the trash"
            size = bytes_text(model.size_bytes)
            typer.confirm(f"{what}: {model.path} ({size})?", abort=True, err=True)
        freed = remove_model(services.library, services.engines, model, for_good=for_good)
    if as_json:
        deleted = model.managed
        print_json(Removed(id=model.id, path=str(model.path), deleted=deleted, freed_bytes=freed))
    if model.managed:
        done = "Deleted" if for_good else "Moved into the trash:"
        say(f"{done} {model.path} ({bytes_text(freed)})")
    else:
        say(f"Forgotten, and left where it is: {model.path}")
