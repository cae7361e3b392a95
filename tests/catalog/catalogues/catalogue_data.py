"""Catalogues for tests: a small sound one as plain data, to be spoiled."""

import json
from importlib.resources import files
from typing import Any


def entry_data(entry_id: str = "one", **changes: Any) -> dict[str, Any]:
    """A sound entry with one file on the Hub."""
    entry: dict[str, Any] = {
        "id": entry_id,
        "name": f"Model {entry_id}",
        "family": "Models",
        "kind": "chat",
        "licence": {"id": "MIT", "url": "https://opensource.org/license/mit"},
        "summary": "A model",
        "artifacts": [
            {
                "role": "weights",
                "quant": "Q4_K_M",
                "size_bytes": 1_000,
                "sources": [{"type": "hub", "repo": "owner/name", "path": f"{entry_id}.gguf"}],
            }
        ],
    }
    return entry | changes


def catalogue_data(*entries: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A sound catalogue of these entries."""
    return {
        "schema_version": 1,
        "id": "test",
        "revision": 1,
        "published": "2026-11-24",
        "entries": list(entries),
    } | changes


def bundled_data() -> dict[str, Any]:
    return json.loads(files("resources").joinpath("catalog.json").read_bytes())


def encoded(data: object) -> bytes:
    return json.dumps(data).encode()
