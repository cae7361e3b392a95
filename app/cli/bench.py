"""`causeway bench`: how fast a model is here."""

from typing import Annotated

import typer

from app.cli.opening import opened
from app.cli.output import StatusLine, print_json, print_table


def bench(
    model: Annotated[
        str, typer.Option("-m", "--model", help="An installed model, or a file.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure prompt and generation speed, beside a bare llama.cpp loop."""
    from app.speed_test import speed_test

    with opened() as services:
        chosen = services.library.find(model) if model else services.chats.installed_model()
        status = StatusLine()
        try:
            result = speed_test(services.engines, chosen, status.show)
        finally:
            status.clear()
    if as_json:
        print_json(result)
        return
    print_table(
        ("Tokens per second", "Causeway", "Bare loop", "Ratio"),
        [
            (
                f"Prompt of {result.prompt_tokens} tokens",
                *_row(
                    result.causeway.prompt_tokens_per_second, result.bare.prompt_tokens_per_second
                ),
            ),
            ("Generation", *_row(result.causeway.tokens_per_second, result.bare.tokens_per_second)),
        ],
    )


def _row(ours: float, bare: float) -> tuple[str, str, str]:
    return f"{ours:.1f}", f"{bare:.1f}", f"{ours / bare:.2f}×" if bare else "—"
