"""`causeway catalog hub`: searching the Hub."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from app.cli.interrupts import stopping
from app.cli.opening import opened
from app.cli.output import print_json, print_table, say
from app.errors import AppError
from catalog.hub.records import FoundRepository, HubQuery, Sort


class ListedRepository(msgspec.Struct, frozen=True, kw_only=True):
    """What `catalog hub --json` prints of each. `ref` is what `pull` and `show` take."""

    ref: str
    downloads: int
    likes: int
    updated: str
    licence: str
    gated: bool
    parameters: int
    architecture: str


def hub(
    query: Annotated[list[str] | None, typer.Argument(help="Words to look for.")] = None,
    adapters: Annotated[bool, typer.Option("--adapters", help="Look for adapters.")] = False,
    author: Annotated[str, typer.Option("--author", help="Only of this account.")] = "",
    licence: Annotated[
        str, typer.Option("--licence", help="Only under this licence, as the Hub calls it.")
    ] = "",
    sort: Annotated[
        str, typer.Option("--sort", help="trending, downloads or newest.")
    ] = "trending",
    pages: Annotated[int, typer.Option("--pages", min=1, max=20, help="How many to fetch.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Search the Hub for GGUF models, or adapters."""
    wanted = HubQuery(
        text=" ".join(query or ()),
        author=author,
        licence=licence,
        adapters=adapters,
        sort=_checked_sort(sort),
    )
    found: list[FoundRepository] = []
    more = ""
    with opened() as services, stopping(services.hub.close):
        for _ in range(pages):
            page = services.hub.search(wanted, more)
            found += page.found
            more = page.more
            if not more:
                break
    rows = [_listed(each) for each in found]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("Ref", "Downloads", "Likes", "Updated", "Licence", "Access"),
        [
            (
                row.ref,
                f"{row.downloads:,}",
                f"{row.likes:,}",
                row.updated,
                row.licence,
                "must be asked for" if row.gated else "",
            )
            for row in rows
        ],
    )
    if not rows:
        say("The Hub has no GGUF model with these words. Try fewer of them.")


def _checked_sort(sort: str) -> Sort:
    try:
        checked: Sort = msgspec.convert(sort, Sort)
    except msgspec.ValidationError:
        raise AppError(
            f"“{sort}” is no order.", fix="It is one of trending, downloads and newest."
        ) from None
    return checked


def _listed(found: FoundRepository) -> ListedRepository:
    day = datetime.fromtimestamp(found.updated, UTC).date().isoformat() if found.updated else ""
    return ListedRepository(
        ref=f"hub:{found.repo}",
        downloads=found.downloads,
        likes=found.likes,
        updated=day,
        licence=found.licence,
        gated=found.gated,
        parameters=found.parameters,
        architecture=found.architecture,
    )
