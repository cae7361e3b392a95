"""What is noted of a GGUF file, and how it is told that the file has changed since."""

import hashlib
import os
import re
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from catalog.errors import BadModelFile
from catalog.gguf.files import GgufHeader, check_gguf_file, parts_of, read_header
from catalog.gguf.known_texts import KnownTexts

FileKind = Literal["chat", "completion", "embedding", "adapter", "projector"]

READER = 2
"""Counts up when more is noted: what an earlier version noted is read again."""

_SAMPLES = 32
_SAMPLE_BYTES = 4096
_START_BYTES = 1 << 16


class FileFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a model file said when it was last read.

    `stamp` tells whether it has changed since; `added`: a person added it where it lies.
    `parameters` are counted over all parts. `fingerprint` is empty until two files are compared.
    """

    id: str = ""
    size_bytes: int
    stamp: str
    name: str
    quant: str
    architecture: str
    context_length: int
    has_template: bool
    n_parts: int = 1
    added: bool = False
    kind: FileKind = "chat"
    parameters: int = 0
    base: str = ""
    fingerprint: str = ""
    reader: int = 0


class FileState(msgspec.Struct, frozen=True):
    """`stamp` changes when any of the files is written again; `identity` is that of the first one."""

    stamp: str
    identity: tuple[int, int]


def read_facts(path: Path, known_texts: KnownTexts | None = None) -> FileFacts:
    """Check a file and note what it says; the id is given later. Raises `BadModelFile`."""
    header = check_gguf_file(path, known_texts)
    if header.kind == "model" and "tokenizer.ggml.model" not in header.metadata:
        raise BadModelFile(
            f"“{path.name}” is not a language model.",
            "It brings no vocabulary, as models for pictures do.",
        )
    parts = file_parts(path, header.split_count)
    state = state_of(str(path), len(parts))
    if state is None:
        raise BadModelFile(f"“{path.name}” is gone.", "Somebody moved or deleted it.")
    later = [read_header(part) for part in parts[1:]]
    return FileFacts(
        size_bytes=sum(part.stat().st_size for part in parts),
        stamp=state.stamp,
        name=header.name,
        quant=header.quant,
        architecture=header.architecture,
        context_length=header.context_length,
        has_template=bool(header.chat_template),
        n_parts=len(parts),
        kind=kind_of(header),
        parameters=sum(each.n_parameters for each in (header, *later)),
        base=header.base,
        reader=READER,
    )


def kind_of(header: GgufHeader) -> FileKind:
    """What a file is for. A model that pools its tokens into one vector is for search.

    One that its makers call a base completes text, even where it brings a template for chats.
    """
    if header.kind != "model":
        return header.kind
    pooling = header.hyper("pooling_type")
    if header.hyper("attention.causal") is False or (isinstance(pooling, int) and pooling > 0):
        return "embedding"
    return "chat" if header.chat_template and not _is_base(header) else "completion"


def _is_base(header: GgufHeader) -> bool:
    last_word = re.split(r"[-_ ]", header.name)[-1]
    return "base" in (header.line("general.finetune").casefold(), last_word.casefold())


def file_parts(path: Path, n_parts: int) -> tuple[Path, ...]:
    return parts_of(path) if n_parts > 1 else (path,)


def state_of(path: str, n_parts: int) -> FileState | None:
    """None where a part is gone."""
    parts = [path] if n_parts == 1 else [str(part) for part in parts_of(Path(path))]
    try:
        states = [os.stat(part) for part in parts]  # noqa: PTH116 (hundreds a scan)
    except (OSError, ValueError):
        return None
    stamp = " ".join(f"{state.st_size}:{state.st_mtime_ns}" for state in states)
    return FileState(stamp, (states[0].st_dev, states[0].st_ino))


def fingerprint(parts: tuple[Path, ...]) -> str:
    """Tells contents of the same size apart without reading all of them; empty where it can't be had.

    It takes in the start of each part and samples from all over it. Two trainings of one model
    differ in nearly every weight, so that samples are enough to tell them apart, but no proof.
    """
    digest = hashlib.sha256()
    try:
        for part in parts:
            with part.open("rb", buffering=0) as file:
                _take_in(file, digest)
    except (OSError, ValueError):
        return ""
    return digest.hexdigest()


def _take_in(file: BinaryIO, digest: "hashlib._Hash") -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    digest.update(f"{size}:".encode())
    digest.update(file.read(_START_BYTES) or b"")
    left = max(0, size - _START_BYTES - _SAMPLE_BYTES)
    for sample in range(_SAMPLES if size > _START_BYTES else 0):
        file.seek(min(_START_BYTES, size) + left * sample // max(1, _SAMPLES - 1))
        digest.update(file.read(_SAMPLE_BYTES) or b"")
