"""Model files that were moved or copied: known by their content, so that they keep their ids."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from catalog.library.facts import FileFacts, file_parts, fingerprint
from catalog.library.scan import Looked

Sampled = Callable[[str], str]


def found_again(looked: Looked, known: Mapping[str, FileFacts], sampled: Sampled) -> dict[str, str]:
    """Where such files are now, each with the path that it had before.

    A file that was written again in its place, with the same content, has the same path twice.
    `sampled` gives a fingerprint and is asked only for files that may be the same.
    """
    gone = {
        path: facts
        for path, facts in known.items()
        if facts.id and (path not in looked.found or not os.path.exists(path))  # noqa: PTH110
    }
    again: dict[str, str] = {}
    for path, facts in looked.facts.items():
        before = known.get(path)
        if before is None or not before.id:
            old = known_before(path, facts, gone, sampled)
            if old:
                again[path] = old
                del gone[old]
        elif (
            before.stamp != facts.stamp
            and before.size_bytes == facts.size_bytes
            and before.fingerprint
            and before.fingerprint == sampled(path)
        ):
            again[path] = path
    return again


def known_before(
    path: str, facts: FileFacts, gone: Mapping[str, FileFacts], sampled: Sampled
) -> str:
    """Which of the files that are gone this one is; empty where it is none of them."""
    alike = [old for old, each in gone.items() if _says(each) == _says(facts)]
    if not alike:
        return ""
    mine = sampled(path)
    same = [old for old in alike if mine and gone[old].fingerprint == mine]
    if same:
        return max(same, key=lambda old: _has_same_name(old, path))
    # An earlier version took samples only of files that it compared.
    unsampled = [old for old in alike if not gone[old].fingerprint]
    named = [old for old in unsampled if _has_same_name(old, path)]
    stamped = [old for old in unsampled if gone[old].stamp == facts.stamp]
    for candidates in ([old for old in named if old in stamped], named, stamped):
        if len(candidates) == 1:
            return candidates[0]
    return ""


def id_from_before(path: Path, facts: FileFacts, files: dict[str, FileFacts]) -> str:
    """The id that a file had where it lay before, which is forgotten; empty where it is new."""
    gone = {old: each for old, each in files.items() if not os.path.exists(old)}  # noqa: PTH110
    parts = file_parts(path, facts.n_parts)
    old = known_before(str(path), facts, gone, lambda _: fingerprint(parts))
    return files.pop(old).id if old else ""


def _says(facts: FileFacts) -> tuple[object, ...]:
    return (
        facts.size_bytes,
        facts.n_parts,
        facts.architecture,
        facts.quant,
        facts.name,
        facts.context_length,
    )


def _has_same_name(one: str, other: str) -> bool:
    return Path(one).name == Path(other).name
