"""The JSON Schema of a catalogue file, made from its types.

`python -m catalog.catalogues.catalogue_schema > resources/catalog.schema.json` writes it anew.
"""

import inspect
import json
import sys
from typing import Any

import msgspec

from catalog.catalogues.catalogue_file import SCHEMA_VERSION
from catalog.catalogues.entries import Catalogue


def schema_text() -> str:
    """The schema as it lies in `resources/`: plain ASCII, with a line end at its end."""
    schema = msgspec.json.schema(Catalogue)
    schema["$defs"]["Catalogue"]["properties"]["schema_version"]["const"] = SCHEMA_VERSION
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A catalogue of Causeway, version {SCHEMA_VERSION}",
    }
    return json.dumps(_flush_left(described | schema), indent=2) + "\n"


def _flush_left(value: Any) -> Any:
    """Descriptions come from docstrings, whose indentation Python keeps up to 3.12 only."""
    if isinstance(value, dict):
        return {
            key: inspect.cleandoc(each)
            if key == "description" and isinstance(each, str)
            else _flush_left(each)
            for key, each in value.items()
        }
    return [_flush_left(each) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    sys.stdout.write(schema_text())
