"""How long the header of a file with a large vocabulary takes to read."""

import statistics
import struct
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Row
from catalog.gguf.files import read_header

_TOKENS = 256_000
_LIMIT_MS = 100.0
_ROUNDS = 7
_U32, _F32, _STRING, _ARRAY = 4, 6, 8, 9


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vocabulary.gguf"
        path.write_bytes(_file())
        rounds = [_milliseconds(path) for _ in range(_ROUNDS)]
    value = statistics.median(rounds)
    return [
        Row(
            "header with 256,000 tokens and as many merges",
            value,
            "ms",
            f"≤ {_LIMIT_MS:.0f} ms",
            value <= _LIMIT_MS,
            {"rounds": rounds},
        )
    ]


def _milliseconds(path: Path) -> float:
    started = time.perf_counter()
    header = read_header(path)
    taken = (time.perf_counter() - started) * 1000
    assert header.n_vocab == _TOKENS
    return taken


def _file() -> bytes:
    tokens = b"".join(_text(f"▁word{number}") for number in range(_TOKENS))
    merges = b"".join(_text(f"▁wo rd{number}") for number in range(_TOKENS))
    pairs = (
        _text("general.architecture") + struct.pack("<I", _STRING) + _text("llama"),
        _list("tokenizer.ggml.tokens", _STRING, tokens),
        _list("tokenizer.ggml.merges", _STRING, merges),
        _list("tokenizer.ggml.scores", _F32, bytes(4 * _TOKENS)),
        _list("tokenizer.ggml.token_type", _U32, bytes(4 * _TOKENS)),
    )
    head = b"GGUF" + struct.pack("<IQQ", 3, 400, len(pairs))
    tensors = b"".join(
        _text(f"blk.{number}.weight") + struct.pack("<IQIQ", 1, 8, 0, 32 * number)
        for number in range(400)
    )
    body = head + b"".join(pairs) + tensors
    return body + bytes(-len(body) % 32) + bytes(32 * 400)


def _list(key: str, item_type: int, items: bytes) -> bytes:
    return _text(key) + struct.pack("<IIQ", _ARRAY, item_type, _TOKENS) + items


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data
