"""Installed models for tests of the window."""

from pathlib import Path

from catalog.library import InstalledModel


def model(name: str, **fields: object) -> InstalledModel:
    known: dict[str, object] = {
        "id": name.casefold(),
        "name": name,
        "path": Path("models") / f"{name}.gguf",
        "size_bytes": 1_920_000_000,
        "quant": "Q4_K_M",
        "architecture": "llama",
        "context_length": 65536,
        "has_template": True,
        "managed": True,
        "entry": None,
        "parameters": 3_100_000_000,
    }
    return InstalledModel(**(known | fields))
