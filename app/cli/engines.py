"""`causeway engines`: what answers, and what is wrong with it."""

from typing import Annotated

import typer

from app.cli.opening import opened
from app.cli.output import print_json, print_table


def engines(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the plug-ins that are installed, with the errors of those that don't work."""
    with opened() as services:
        plugins = services.plugins.all()
    if as_json:
        print_json(plugins)
        return
    print_table(
        ("Engine", "Package", "Where", "Models", "Error"),
        [
            ("llama_cpp", "causeway", "on this computer", "your files", ""),
            *(
                (
                    each.name,
                    each.package,
                    "on this computer" if each.local else "leaves this computer",
                    ", ".join(model.id for model in each.models[:10]),
                    each.error,
                )
                for each in plugins
            ),
        ],
    )
