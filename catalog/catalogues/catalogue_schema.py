"""The JSON Schema of a catalogue file, made from its types.

`python -m catalog.catalogues.catalogue_schema > resources/catalog.schema.json` writes it anew.
"""

import json
import sys

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
    return json.dumps(described | schema, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
