"""How much slower an answer comes that must be JSON of a schema."""

import json
import statistics
from pathlib import Path

import msgspec

from backends.llama_cpp.loaded_model import default_threads
from backends.protocol import Grammar
from benchmarks.engine_path import request_for, session_on, timed
from benchmarks.engine_peers import Task
from benchmarks.harness import Row, alternate, ratio
from benchmarks.starter import starter_model

ROUNDS = 15
TARGET = 0.85
N_GENERATE = 128
TEXT = (
    "List twenty people of a harbour town as JSON, each with a name, an age, a job and two hobbies."
)
SCHEMA = {
    "type": "array",
    "minItems": 20,
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 2, "maxLength": 40},
            "age": {"type": "integer", "minimum": 0, "maximum": 120},
            "job": {"type": "string", "enum": ["sailor", "baker", "teacher", "pilot", "doctor"]},
            "hobbies": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
        },
        "required": ["name", "age", "job", "hobbies"],
        "additionalProperties": False,
    },
}


def run(model: Path | None = None) -> list[Row]:
    n_threads = default_threads()
    free = request_for(Task(TEXT, N_GENERATE), TEXT)
    bound = msgspec.structs.replace(free, grammar=Grammar("json_schema", json.dumps(SCHEMA)))
    with session_on(model or starter_model(), n_threads) as session:
        speeds = alternate(
            {
                "bound": lambda: timed(session, bound).tokens_per_second,
                "free": lambda: timed(session, free).tokens_per_second,
            },
            rounds=ROUNDS,
        )
    value = ratio(speeds["bound"], speeds["free"])
    detail: dict[str, object] = {
        "n_threads": n_threads,
        "tokens_per_second": speeds,
        "medians": {name: statistics.median(each) for name, each in speeds.items()},
    }
    measure = "decode speed held to a JSON schema / free"
    return [Row(measure, value, "×", f"≥ {TARGET}", value >= TARGET, detail)]
