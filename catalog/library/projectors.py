"""Which projector belongs to which model."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence

from catalog.library.found import FoundFile

_PROJECTOR_WORDS = re.compile(r"(^|[-_.])(mmproj|projector|model|vision)(?=[-_.]|$)")
_QUANT = re.compile(
    r"[-_.]((ud-)?i?q\d(_[a-z0-9]+)*|[bf](f|p)?(16|32)|fp?(16|32)|mxfp4(_moe)?)(?=[-_.]|$)"
)
_PRECISIONS = ("f16", "bf16", "q8_0", "f32")
_SHORTEST_STEM = 4


def projectors_of(
    models: Sequence[FoundFile], projectors: Iterable[FoundFile]
) -> Mapping[str, str]:
    """The projector of each model that has one, by the models' paths.

    One that the place names comes first; else it lies in the model's folder. In a folder where all
    sorts of models lie, its name must be the model's as well. Of several, one whose name fits is
    taken, then the precision that is usual.
    """
    by_folder: dict[str, list[FoundFile]] = {}
    for projector in projectors:
        by_folder.setdefault(projector.folder, []).append(projector)
    found: dict[str, str] = {}
    for model in models:
        beside = by_folder.get(model.folder, [])
        if model.projector and any(each.path == model.projector for each in beside):
            found[model.path] = model.projector
            continue
        fitting = [each for each in beside if _is_namesake(model, each)]
        if not fitting and not model.loose:
            fitting = [each for each in beside if not _stem(each)] or beside
        if fitting:
            found[model.path] = min(fitting, key=_preference).path
    return found


def _is_namesake(model: FoundFile, projector: FoundFile) -> bool:
    stem, other = _stem(projector), _stem(model)
    return len(stem) >= _SHORTEST_STEM and (stem == other or other.startswith(f"{stem}-"))


def _stem(file: FoundFile) -> str:
    """The model that a file's name speaks of, without quant and role: empty where of none."""
    name = os.path.splitext(file.file_name.lower())[0]  # noqa: PTH122
    bare = _QUANT.sub("", f"-{name}")
    return re.sub(r"[-_.]+", "-", _PROJECTOR_WORDS.sub("", bare)).strip("-")


def _preference(projector: FoundFile) -> tuple[int, str]:
    name = projector.file_name.lower()
    words = re.split(r"[-.]|(?<!q8)_", name)
    ranks = [rank for rank, precision in enumerate(_PRECISIONS) if precision in words]
    return (ranks[0] if ranks else len(_PRECISIONS)), name
