"""What a model's weights are told by, without reading gigabytes."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

_START_BYTES = 2**20
_SAMPLES = 1024
_SAMPLE_BYTES = 4096


def model_fingerprint(paths: Sequence[Path]) -> str:
    """The same for the same content, wherever it lies; `paths` are all parts. Raises OSError.

    It takes in the size and the start of each part, and so many samples all over it that hardly a
    matrix of weights is without one; a small file is read whole. That takes some milliseconds when
    the model has just been loaded, since what is read still lies in memory.
    """
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            digest.update(f"{size}:".encode())
            for offset, length in _samples(size):
                file.seek(offset)
                digest.update(file.read(length) or b"")
    return digest.hexdigest()


def _samples(size: int) -> list[tuple[int, int]]:
    sampled = _START_BYTES + _SAMPLES * _SAMPLE_BYTES
    if size <= sampled:
        return [(0, size)]
    between = size - _START_BYTES - _SAMPLE_BYTES
    places = (_START_BYTES + between * i // (_SAMPLES - 1) for i in range(_SAMPLES))
    return [(0, _START_BYTES), *((place, _SAMPLE_BYTES) for place in places)]
