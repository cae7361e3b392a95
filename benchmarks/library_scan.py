"""A library of 500 models with headers as large as real ones: the list at the first look and later.

The files lie in our own folder, LM Studio's, Ollama's and the Hub's cache. Their vocabularies are of
the sizes that the families of today have; the weights are holes in the files. Cold means that
nothing is known of the files; that the system has them in memory is left to chance.
"""

import hashlib
import json
import statistics
import struct
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.harness import Row
from catalog.catalogues.bundled import load_bundled
from catalog.library import Library, known_places

N_FILES = 500
N_LAYERS = 28
COLD_SECONDS = 3.0
WARM_SECONDS = 0.1
COLD_ROUNDS, WARM_ROUNDS = 3, 9

# Tokens and merges.
VOCABULARIES = (
    (32_000, 0),
    (49_152, 48_900),
    (50_257, 50_000),
    (128_256, 280_147),
    (151_936, 151_387),
    (262_144, 0),
)


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        write_library(home)
        cold, warm = [], []
        for _ in range(COLD_ROUNDS):
            (home / "library.json").unlink(missing_ok=True)
            cold.append(look(home))
        for _ in range(WARM_ROUNDS):
            warm.append(look(home))
    return [
        _row("warm", statistics.median(warm), WARM_SECONDS, warm),
        _row("cold", statistics.median(cold), COLD_SECONDS, cold),
    ]


def _row(name: str, seconds: float, target: float, runs: list[float]) -> Row:
    return Row(
        f"library of {N_FILES} files listed, {name}",
        seconds * 1000,
        "ms",
        f"≤ {target * 1000:,.0f} ms",
        seconds <= target,
        {"seconds": runs},
    )


def look(home: Path) -> float:
    """Seconds from nothing to the list, as at the start of the program."""
    started = time.perf_counter()
    library = Library(
        home / "models",
        home / "library.json",
        load_bundled(),
        lambda: known_places(home, {}, root=home / "root"),
    )
    models = library.models()
    seconds = time.perf_counter() - started
    assert len(models) == N_FILES, (len(models), library.problems[:3])
    return seconds


def write_library(home: Path) -> None:
    """Seven tenths of it ours, a tenth each other programs'."""
    headers = [_vocabulary(*sizes) for sizes in VOCABULARIES]
    for number in range(N_FILES):
        name = f"model-{number:03}.Q4_K_M.gguf"
        share = number % 10
        if share < 7:
            path = home / "models" / f"owner-{number % 23}" / f"Model-{number // 2}" / name
        elif share == 7:
            path = home / ".lmstudio" / "models" / "owner" / f"Model-{number}" / name
        elif share == 8:
            path = home / ".cache" / "huggingface" / "hub" / f"models--owner--Model-{number}"
            path = path / "snapshots" / ("c" * 40) / name
        else:
            digest = hashlib.sha256(name.encode()).hexdigest()
            path = home / ".ollama" / "models" / "blobs" / f"sha256-{digest}"
            _write_manifest(home / ".ollama" / "models", f"model{number}", digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_model(path, name, headers[number % len(headers)], number)


def _write_manifest(store: Path, name: str, digest: str) -> None:
    path = store / "manifests" / "registry.ollama.ai" / "library" / name / "7b"
    path.parent.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}"}
    path.write_text(json.dumps({"layers": [layer]}))


def _write_model(path: Path, name: str, vocabulary: bytes, number: int) -> None:
    values = (
        _text_value("general.architecture", "llama"),
        _text_value("general.name", name),
        _number_value("general.file_type", 15),
        _number_value("llama.context_length", 8192),
        _number_value("llama.block_count", N_LAYERS),
        _text_value("tokenizer.ggml.model", "gpt2"),
        vocabulary,
        _text_value("tokenizer.chat_template", "{{ messages }}" * 100),
    )
    n_values = len(values) - 1 + 2  # the vocabulary is two
    tensors, offset = [], 0
    for layer in range(N_LAYERS):
        for tensor in range(9):
            tensors.append(
                _text(f"blk.{layer}.tensor_{tensor}.weight")
                + struct.pack("<IQQIQ", 2, 1024, 256 + number % 7, 12, offset)
            )
            offset += 1024 * (256 + number % 7) // 256 * 144
    header = b"".join((b"GGUF", struct.pack("<IQQ", 3, len(tensors), n_values), *values, *tensors))
    with path.open("wb") as file:
        file.write(header + bytes(-len(header) % 32))
        file.truncate(file.tell() + offset)


def _vocabulary(n_tokens: int, n_merges: int) -> bytes:
    seed = f"{n_tokens:x}"
    tokens = (f"{seed}{number:x}"[: 2 + number % 9] for number in range(n_tokens))
    merges = (f"{number % 977:x} {number % 4099:x}" for number in range(n_merges))
    return _texts_value("tokenizer.ggml.tokens", tokens, n_tokens) + _texts_value(
        "tokenizer.ggml.merges", merges, n_merges
    )


def _texts_value(key: str, texts: Iterable[str], count: int) -> bytes:
    return _text(key) + struct.pack("<IIQ", 9, 8, count) + b"".join(_text(text) for text in texts)


def _text_value(key: str, value: str) -> bytes:
    return _text(key) + struct.pack("<I", 8) + _text(value)


def _number_value(key: str, value: int) -> bytes:
    return _text(key) + struct.pack("<II", 4, value)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data
