"""Ready-made ways of sampling, by what a person wants."""

from collections.abc import Mapping

import msgspec

from app.errors import AppError
from app.options import Value


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """What it sets; whatever else a preset can set goes back to the model's own default."""

    key: str
    title: str
    help: str
    options: dict[str, Value] = {}


PRESETS: tuple[Preset, ...] = (
    Preset(
        key="precise",
        title="Precise",
        help="For facts, code and extraction: nearly always the likeliest words.",
        options={"temperature": 0.2, "top_k": 20, "top_p": 0.9, "min_p": 0.1},
    ),
    Preset(
        key="balanced",
        title="Balanced",
        help="As the model's makers advise, else Causeway's own defaults.",
    ),
    Preset(
        key="creative",
        title="Creative",
        help="For stories and ideas: rarer words, and no phrase twice.",
        options={
            "temperature": 1.1,
            "top_k": 0,
            "top_p": 1.0,
            "min_p": 0.08,
            "dry_multiplier": 0.8,
        },
    ),
)

_KEYS = frozenset(key for preset in PRESETS for key in preset.options)


def with_preset(options: Mapping[str, Value], key: str) -> dict[str, Value]:
    """A chat's own options with those of a preset. Raises `AppError` for one that there is not."""
    kept = {name: value for name, value in options.items() if name not in _KEYS}
    return {**kept, **_preset(key).options}


def preset_of(values: Mapping[str, Value], defaults: Mapping[str, Value]) -> str:
    """The key of the preset that the values in force are; empty where they are none."""
    for preset in PRESETS:
        wanted = {**defaults, **preset.options}
        if all(values.get(name) == wanted.get(name) for name in _KEYS):
            return preset.key
    return ""


def _preset(key: str) -> Preset:
    for preset in PRESETS:
        if preset.key == key:
            return preset
    names = ", ".join(preset.key for preset in PRESETS)
    raise AppError(f"There is no preset called “{key}”.", fix=f"The presets are {names}.")
