"""`causeway profiles`: settings that suit a model, under a name."""

from typing import Annotated

import typer

from app.cli.adapter_arguments import adapter_option
from app.cli.default_group import DefaultGroup
from app.cli.opening import opened
from app.cli.option_values import SET_HELP, option_values
from app.cli.output import print_json, print_table, say
from app.errors import AppError
from app.profiles import Profile
from app.services import Services

commands = typer.Typer(cls=DefaultGroup, help="List the profiles of a model, or change them.")

Model = Annotated[str, typer.Argument(metavar="MODEL", help="An installed model.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of a profile.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help=SET_HELP),
]


@commands.command("list")
def list_(
    model: Model, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List the profiles of a model; the one in use has a star."""
    with opened() as services:
        profiles = services.profiles.of(services.library.find(model).id)
    if as_json:
        print_json(profiles)
        return
    print_table(
        ("", "Name", "Settings"),
        [
            (
                "*" if profile.in_use else "",
                profile.name,
                ", ".join(f"{key}={value}" for key, value in profile.options.items()),
            )
            for profile in profiles
        ],
    )
    if not profiles:
        say("The model has no profile. “causeway profiles save MODEL NAME --set …” makes one.")


@commands.command()
def save(
    model: Model,
    name: Name,
    values: Set = None,
    adapters: Annotated[
        list[str] | None,
        typer.Option("-a", "--adapter", metavar="ADAPTER[:SCALE]", help="Repeatable."),
    ] = None,
) -> None:
    """Make a profile, or give the one of that name other settings."""
    options = option_values(values or [])
    with opened() as services:
        model_id = services.library.find(model).id
        options |= adapter_option(adapters, services.library)
        known = _by_name(services, model_id, name)
        if known is None:
            services.profiles.create(model_id, name, options)
        else:
            services.profiles.save(known.id, options)


@commands.command()
def use(model: Model, name: Annotated[str, typer.Argument(metavar="[NAME]")] = "") -> None:
    """Use a profile for the model's chats; without a name, none."""
    with opened() as services:
        model_id = services.library.find(model).id
        profile = _existing(services, model_id, name) if name else None
        services.profiles.use(model_id, profile.id if profile else None)


@commands.command()
def duplicate(
    model: Model, name: Name, copy: Annotated[str, typer.Argument(metavar="[COPY]")] = ""
) -> None:
    """Copy a profile, under the name COPY."""
    with opened() as services:
        model_id = services.library.find(model).id
        print(services.profiles.duplicate(_existing(services, model_id, name).id, copy).name)


@commands.command()
def rename(model: Model, name: Name, to: Annotated[str, typer.Argument(metavar="TO")]) -> None:
    """Give a profile another name."""
    with opened() as services:
        model_id = services.library.find(model).id
        services.profiles.rename(_existing(services, model_id, name).id, to)


@commands.command()
def remove(model: Model, name: Name) -> None:
    """Remove a profile."""
    with opened() as services:
        model_id = services.library.find(model).id
        services.profiles.remove(_existing(services, model_id, name).id)


def _by_name(services: Services, model_id: str, name: str) -> Profile | None:
    wanted = name.casefold().split()
    return next(
        (each for each in services.profiles.of(model_id) if each.name.casefold().split() == wanted),
        None,
    )


def _existing(services: Services, model_id: str, name: str) -> Profile:
    profile = _by_name(services, model_id, name)
    if profile is None:
        names = ", ".join(each.name for each in services.profiles.of(model_id))
        raise AppError(
            f"{model_id} has no profile “{name}”.", fix=f"It has {names}." if names else ""
        )
    return profile
