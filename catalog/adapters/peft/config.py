"""What the settings of a PEFT adapter say, and whether a GGUF adapter can say the same."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeGuard

import msgspec

from catalog.adapters.peft_names import CONFIG_FILE, WEIGHTS_FILE
from catalog.errors import CatalogError
from catalog.safe_names import is_repository

_MOST_BYTES = 1 << 20
_MOST_RANK = 1 << 16
_MOST_ALPHA = 1e9
_USUAL_STARTS = (True, False, None, "gaussian", "eva", "orthogonal")
"""Ways to begin a training that leave the model's own weights as they were."""


class PeftConfig(msgspec.Struct, frozen=True):
    """`ranks_differ`: some of its changes have another rank than `rank`.

    The changes are added at `alpha` / rank, or with `by_root` at `alpha` / √rank. `base` is the
    model that it was trained on, "OWNER/NAME" or a name; empty where it does not say.
    """

    rank: int
    alpha: float
    by_root: bool
    ranks_differ: bool
    base: str


def is_peft_folder(folder: Path) -> bool:
    """Whether a PEFT adapter lies there whose weights can be read."""
    return (folder / CONFIG_FILE).is_file() and (folder / WEIGHTS_FILE).is_file()


def read_config(folder: Path) -> PeftConfig:
    """Raises `CatalogError` where it is missing, no settings, or of what GGUF can't hold."""
    settings = _settings(folder)
    _check(settings)
    alpha, rank = settings.get("lora_alpha"), settings.get("r")
    if not _is_number(rank) or rank != int(rank) or not 0 < rank <= _MOST_RANK:
        raise _damaged("It names no rank (r).")
    if not _is_number(alpha) or not abs(alpha) <= _MOST_ALPHA:
        raise _damaged("It names no strength (lora_alpha).")
    if alpha == 0:
        raise _refused("Its strength (lora_alpha) is 0, so that it changes nothing.")
    alphas = _pattern(settings, "alpha_pattern")
    if any(value != alpha for value in alphas.values()):
        raise _refused(
            "It has a strength of their own for some layers (alpha_pattern), and a GGUF adapter has "
            "one for all."
        )
    return PeftConfig(
        int(rank),
        float(alpha),
        settings.get("use_rslora") is True,
        bool(_pattern(settings, "rank_pattern")),
        _base(settings.get("base_model_name_or_path")),
    )


def _settings(folder: Path) -> Mapping[str, Any]:
    path = folder / CONFIG_FILE
    try:
        if not path.is_file():
            raise CatalogError(
                f"There is no adapter in “{folder.name}”.",
                f"A PEFT adapter is a folder with {CONFIG_FILE} and {WEIGHTS_FILE}.",
                "Choose such a folder.",
            )
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise _damaged("It is larger than any settings.")
        settings = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged("It is not JSON, or not an object.") from error
    except OSError as error:
        raise CatalogError(
            f"“{CONFIG_FILE}” can't be read.", f"{error.strerror}.", "Check the disk."
        ) from error
    return settings


def _check(settings: Mapping[str, Any]) -> None:
    kind = settings.get("peft_type")
    if kind != "LORA":
        named = (
            f"It is of the kind “{_shown(kind)}”" if kind else "It does not say of what kind it is"
        )
        raise _refused(f"{named}, and only LoRA adapters can be converted.")
    for key, is_usual, why in _DEMANDS:
        if not is_usual(settings.get(key)):
            raise _refused(why)
    for key, value in settings.items():
        if key.startswith("use_") and key != "use_rslora" and value:
            raise _refused(
                f"It is of a special kind of LoRA (“{_shown(key)}”), which GGUF does not know."
            )


def _is_empty(value: object) -> bool:
    return not value


_DEMANDS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    (
        "use_dora",
        _is_empty,
        "It is a DoRA: it also changes how large weights are, which a GGUF adapter can't hold.",
    ),
    (
        "modules_to_save",
        _is_empty,
        "It brings whole layers along (modules_to_save), and a GGUF adapter holds only changes.",
    ),
    (
        "bias",
        lambda value: value in (None, "none"),
        "It also changes biases (bias), which a GGUF adapter can't hold.",
    ),
    (
        "lora_bias",
        _is_empty,
        "Its changes have biases (lora_bias), which a GGUF adapter can't hold.",
    ),
    (
        "layer_replication",
        _is_empty,
        "It is for a model some of whose layers are repeated (layer_replication).",
    ),
    (
        "target_parameters",
        _is_empty,
        "It changes single parameters (target_parameters), which can't be converted yet.",
    ),
    (
        "trainable_token_indices",
        _is_empty,
        "It teaches the model tokens (trainable_token_indices), which a GGUF adapter can't hold.",
    ),
    (
        "alora_invocation_tokens",
        _is_empty,
        "It is an activated LoRA (alora_invocation_tokens), which works only after certain words; "
        "here it would change the whole text.",
    ),
    (
        "init_lora_weights",
        lambda value: value in _USUAL_STARTS,
        "Its training began by changing the model itself (init_lora_weights), so that it fits no "
        "usual copy of it.",
    ),
)


def _pattern(settings: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = settings.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _damaged(f"Its “{key}” is no list of layers.")
    return value


def _base(value: object) -> str:
    """The end of a path on somebody's own computer is all of it that may mean something here."""
    if not isinstance(value, str):
        return ""
    if not is_repository(value):
        value = value.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return _shown(value)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _refused(why: str) -> CatalogError:
    return CatalogError(
        "The adapter can't be converted.", why, "Look for a plain LoRA, or one in the GGUF format."
    )


def _damaged(why: str) -> CatalogError:
    return CatalogError(f"“{CONFIG_FILE}” is damaged.", why, "Download or copy the adapter again.")


def _shown(value: object) -> str:
    return "".join(char for char in str(value)[:100] if char.isprintable())
