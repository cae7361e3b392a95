"""A group of commands that takes plain arguments too: `causeway catalog qwen` lists, as `catalog list qwen` does."""

from typing import Any

from typer.core import TyperGroup

DEFAULT = "list"


class DefaultGroup(TyperGroup):
    """Where the first argument names no command, everything belongs to the command `list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        first = next((each for each in args if not each.startswith("-")), "")
        if first not in self.commands and "--help" not in args:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)
