"""`causeway merge` and `causeway quantize`: new models made of those that are here."""

import threading
from typing import Annotated

import msgspec
import typer

from app.cli.adapter_arguments import parse_adapters
from app.cli.interrupts import stopping
from app.cli.listed_model import listed
from app.cli.opening import opened
from app.cli.output import print_json, print_table, say
from app.cli.work_screen import shown_progress
from app.fits import ReportedFit, reported_fit
from app.formatting import bytes_text
from app.making import QuantChoice, not_quantizable
from app.services import Services
from catalog.library import InstalledModel


class ListedQuant(msgspec.Struct, frozen=True):
    """What `quantize MODEL --json` prints of each. `size_bytes` is an estimate."""

    quant: str
    size_bytes: int
    bits: float
    help: str
    fit: ReportedFit


def merge(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="An installed model.")],
    adapters: Annotated[
        list[str],
        typer.Option("-a", "--adapter", metavar="ADAPTER[:SCALE]", help="Repeatable."),
    ],
    name: Annotated[str, typer.Option(help="What to call the new model.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Add adapters to a model's weights for good, as one new file."""
    with opened() as services:
        base = services.library.find(model)
        stack = parse_adapters(adapters, services.library)
        cancelled = threading.Event()
        with shown_progress("Merging") as on_progress, stopping(cancelled.set):
            made = services.making.merge(
                base, stack, name=name, on_progress=on_progress, cancelled=cancelled
            )
    _print_made(made, as_json)


def quantize(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model in F16, BF16 or F32.")],
    quant: Annotated[
        str, typer.Argument(metavar="[QUANT]", help="Such as Q4_K_M. Left out: list them.")
    ] = "",
    name: Annotated[str, typer.Option(help="What to call the new model.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Store a model's weights in fewer bits, as a new file."""
    with opened() as services:
        source = services.library.find(model)
        if not quant:
            _print_quants(services, source, as_json)
            return
        cancelled = threading.Event()
        with shown_progress("Quantizing") as on_progress, stopping(cancelled.set):
            made = services.making.quantize(
                source, quant, name=name, on_progress=on_progress, cancelled=cancelled
            )
        if not as_json:
            before, after = services.fitting.of_model(source), services.fitting.of_model(made)
            say(
                f"{bytes_text(source.size_bytes)} became {bytes_text(made.size_bytes)}."
                f" {reported_fit(before).words} became {reported_fit(after).words}:"
                f" {reported_fit(after).sum}"
            )
    _print_made(made, as_json)


def _print_made(made: InstalledModel, as_json: bool) -> None:
    if as_json:
        print_json(listed(made))
    else:
        print(made.id)


def _print_quants(services: Services, model: InstalledModel, as_json: bool) -> None:
    choices = services.making.quants_for(model)
    if not choices:
        raise not_quantizable(model)
    quants = [_listed_quant(services, model, choice) for choice in choices]
    if as_json:
        print_json(quants)
    else:
        rows = [
            (each.quant, f"about {bytes_text(each.size_bytes)}", each.fit.words, each.help)
            for each in quants
        ]
        print_table(("Quant", "Size", "Fits", "What it is"), rows)


def _listed_quant(services: Services, model: InstalledModel, choice: QuantChoice) -> ListedQuant:
    fit = services.fitting.of_size(model, choice.size_bytes)
    return ListedQuant(choice.name, choice.size_bytes, choice.bits, choice.help, reported_fit(fit))
