"""Reading and checking GGUF files without loading them."""

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import TypeVar

from catalog.errors import BadModelFile
from catalog.gguf.header import ArraySummary, GgufHeader, MetadataValue, TensorInfo
from catalog.gguf.known_texts import KnownTexts
from catalog.gguf.reader import HeaderReader

__all__ = [
    "ArraySummary",
    "GgufHeader",
    "MetadataValue",
    "TensorInfo",
    "check_gguf_file",
    "check_model_file",
    "is_later_part",
    "model_stem",
    "part_name",
    "parts_of",
    "read_header",
]

AnyPath = TypeVar("AnyPath", bound=PurePath)

_MAX_LAYERS = 4096
_MOST_PARTS = 1000
_SPLIT_NAME = re.compile(r"(?P<stem>.+)-(?P<part>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)


def read_header(path: Path, known_texts: KnownTexts | None = None) -> GgufHeader:
    """Read what comes before the weights. Raises `BadModelFile` where that is not sound.

    `known_texts` make it quick where many files with the same vocabulary are read.
    """
    try:
        _check_name(path)
        mode = path.stat()
        if stat.S_ISDIR(mode.st_mode):
            raise BadModelFile(f"“{path.name}” is a folder, not a model file.")
        if not stat.S_ISREG(mode.st_mode):
            raise BadModelFile(f"“{path.name}” is a device or a pipe, not a model file.")
        if not mode.st_size:
            raise BadModelFile(f"“{path.name}” is empty.", fix="Download or copy it again.")
        with path.open("rb") as file:
            return HeaderReader(file, path.name, mode.st_size, known_texts).read()
    except FileNotFoundError:
        raise BadModelFile(
            f"There is no file “{path}”.", fix="Check the name, or whether the disk is connected."
        ) from None
    except PermissionError:
        raise BadModelFile(
            f"“{path.name}” can't be read.", "This account may not open it."
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BadModelFile(f"“{path.name}” can't be read.", f"{reason}.") from error


def check_model_file(path: Path) -> GgufHeader:
    """Check that a model can be loaded from here: sound, whole, all its parts there, and a model.

    Returns the header of the first part. Raises `BadModelFile`.
    """
    return _checked(path, _check_kind)


def check_gguf_file(path: Path, known_texts: KnownTexts | None = None) -> GgufHeader:
    """Check that a file is sound, whole and of some use: a model of any kind, an adapter, a projector.

    Returns the header of the first part. Raises `BadModelFile`.
    """
    return _checked(path, _check_use, known_texts)


def _checked(
    path: Path,
    check: Callable[[Path, GgufHeader], None],
    known_texts: KnownTexts | None = None,
) -> GgufHeader:
    header = read_header(path, known_texts)
    if header.split_count > 1:
        _check_first_part(path, header)
    check(path, header)
    _check_complete(path, header)
    if header.split_count > 1:
        _check_other_parts(path, header)
    return header


def parts_of(path: AnyPath) -> tuple[AnyPath, ...]:
    """The files of a split model, by their names, in order; the file alone where it is whole.

    A name that speaks of no part there can be, or of parts without number, is that of a whole file.
    """
    match = _SPLIT_NAME.fullmatch(path.name)
    if match is None:
        return (path,)
    stem, count = match["stem"], int(match["count"])
    if not 1 <= int(match["part"]) <= count <= _MOST_PARTS:
        return (path,)
    return tuple(path.with_name(part_name(stem, part, count)) for part in range(1, count + 1))


def is_later_part(path: Path) -> bool:
    """Whether the name is that of a part which is not the first of its model."""
    match = _SPLIT_NAME.fullmatch(path.name)
    return match is not None and int(match["part"]) > 1


def model_stem(path: Path) -> str:
    """The file's name without its suffix, and without the number of a part."""
    match = _SPLIT_NAME.fullmatch(path.name)
    return path.stem if match is None else match["stem"]


def part_name(stem: str, part: int, count: int) -> str:
    return f"{stem}-{part:05}-of-{count:05}.gguf"


def _check_name(path: Path) -> None:
    """A name that is no text can be opened, but neither stored nor told to the engine."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path.name).decode(errors="replace")
        raise BadModelFile(
            f"“{shown}” can't be used.",
            "The name of the file or of a folder above it is not valid UTF-8.",
            "Rename it.",
        ) from None


def _check_kind(path: Path, header: GgufHeader) -> None:
    if header.kind == "adapter":
        raise BadModelFile(
            f"“{path.name}” is an adapter, not a model.",
            "An adapter changes a model and can't answer without it.",
            "Choose the model that it was made for.",
        )
    if header.kind == "projector":
        raise BadModelFile(
            f"“{path.name}” is a projector, not a model.",
            "A projector gives a model eyes or ears and can't answer without it.",
            "Choose the model that it was made for.",
        )
    if header.hyper("attention.causal") is False:
        raise BadModelFile(
            f"“{path.name}” can't chat.",
            "It reads a text as a whole, as models for search do, and writes none word by word.",
            "Choose a chat model.",
        )
    _check_use(path, header)


def _check_use(path: Path, header: GgufHeader) -> None:
    if header.kind == "model" and not header.architecture:
        raise BadModelFile(
            f"“{path.name}” is not a language model.", "It names no model architecture."
        )
    layers = header.hyper("block_count")
    if layers is not None and not (isinstance(layers, int) and 0 < layers <= _MAX_LAYERS):
        raise BadModelFile(
            f"“{path.name}” is damaged.",
            f"It claims {layers:,} layers."
            if isinstance(layers, int)
            else "Its layers are no number.",
            "Download or copy it again.",
        )
    if not header.tensors and header.split_count == 1:
        raise BadModelFile(f"“{path.name}” holds no weights.", "It may be a vocabulary on its own.")


def _check_complete(path: Path, header: GgufHeader) -> None:
    size = path.stat().st_size
    if size < header.end:
        raise BadModelFile(
            f"“{path.name}” is cut short: {size:,} of {header.end:,} bytes are there.",
            fix="Download or copy it again.",
        )


def _check_first_part(path: Path, header: GgufHeader) -> None:
    count = header.split_count
    match = _SPLIT_NAME.fullmatch(path.name)
    if match is None or int(match["count"]) != count:
        raise BadModelFile(
            f"“{path.name}” is part {header.split_number} of {count}, but its name does not say so.",
            "The other parts are found by their names.",
            f"Give the parts their first names back, such as {part_name('NAME', 1, count)}.",
        )
    if header.split_number != 1:
        first = part_name(match["stem"], 1, count)
        raise BadModelFile(
            f"“{path.name}” is part {header.split_number} of {count}.", fix=f"Choose “{first}”."
        )


def _check_other_parts(path: Path, header: GgufHeader) -> None:
    count = header.split_count
    n_tensors = len(header.tensors)
    for number, part in enumerate(parts_of(path)[1:], start=2):
        if not part.exists():
            raise BadModelFile(
                f"A part of “{path.name}” is missing: “{part.name}”.",
                fix=f"Put all {count} parts into the same folder.",
            )
        part_header = read_header(part)
        if (part_header.split_count, part_header.split_number) != (count, number):
            raise BadModelFile(
                f"“{part.name}” is not part {number} of “{path.name}”.",
                fix="Download or copy the parts again.",
            )
        _check_complete(part, part_header)
        n_tensors += len(part_header.tensors)
    expected = header.integer("split.tensors.count", n_tensors)
    if n_tensors != expected:
        raise BadModelFile(
            f"The parts of “{path.name}” do not belong together.",
            f"They hold {n_tensors:,} tensors instead of {expected:,}.",
            "Download or copy the parts again.",
        )
