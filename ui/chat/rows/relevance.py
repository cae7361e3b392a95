"""Which settings mean something, given the others."""

from collections.abc import Mapping

from app.options import Value

_NEEDS = {
    "dynamic_exponent": "dynamic_range",
    "xtc_threshold": "xtc_probability",
    "dry_base": "dry_multiplier",
    "dry_allowed_length": "dry_multiplier",
    "dry_last_n": "dry_multiplier",
    "mirostat_tau": "mirostat",
    "mirostat_eta": "mirostat",
}
"""The setting that must be on."""

_FORMATS = {"answer_schema": "json_schema", "answer_grammar": "grammar"}


def matters(key: str, values: Mapping[str, Value]) -> bool:
    """Whether a setting changes anything as the others stand."""
    if key in _FORMATS:
        return values.get("answer_format") == _FORMATS[key]
    needed = _NEEDS.get(key)
    return needed is None or bool(values.get(needed))
