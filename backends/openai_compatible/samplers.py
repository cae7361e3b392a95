"""How a service is to choose its words: the fields of `Sampling` by the names that it has for them."""

from collections.abc import Callable, Mapping
from typing import Any

from backends.openai_compatible.provider import Provider
from backends.protocol import SAMPLERS, ChatRequest, Sampling

# What takes nothing away, and so need not be said to a service without defaults of its own.
_OFF: Mapping[str, Callable[[Sampling], bool]] = {
    "top_p": lambda sampling: sampling.top_p >= 1,
    "top_k": lambda sampling: sampling.top_k <= 0,
    "min_p": lambda sampling: sampling.min_p <= 0,
    "repeat_penalty": lambda sampling: sampling.repeat_penalty == 1,
    "frequency_penalty": lambda sampling: sampling.frequency_penalty == 0,
    "presence_penalty": lambda sampling: sampling.presence_penalty == 0,
}
# What means nothing, as the sampler that it belongs to is off in every service.
_UNUSED: Mapping[str, Callable[[Sampling], bool]] = {
    "dynamic_range": lambda sampling: sampling.dynamic_range == 0,
    "dynamic_exponent": lambda sampling: sampling.dynamic_range == 0,
    "typical_p": lambda sampling: sampling.typical_p == 1,
    "top_n_sigma": lambda sampling: sampling.top_n_sigma <= 0,
    "xtc_probability": lambda sampling: sampling.xtc_probability == 0,
    "xtc_threshold": lambda sampling: sampling.xtc_probability == 0,
    "repeat_last_n": lambda sampling: (
        sampling.repeat_penalty == 1
        and sampling.frequency_penalty == 0
        and sampling.presence_penalty == 0
    ),
    "dry_multiplier": lambda sampling: sampling.dry_multiplier == 0,
    "dry_base": lambda sampling: sampling.dry_multiplier == 0,
    "dry_allowed_length": lambda sampling: sampling.dry_multiplier == 0,
    "dry_last_n": lambda sampling: sampling.dry_multiplier == 0,
    "mirostat": lambda sampling: sampling.mirostat == 0,
    "mirostat_tau": lambda sampling: sampling.mirostat == 0,
    "mirostat_eta": lambda sampling: sampling.mirostat == 0,
}


def sampling_fields(request: ChatRequest, provider: Provider) -> dict[str, Any]:
    """Of the samplers, those that somebody chose: in the others a service has its own ways."""
    sampling = request.sampling
    fields: dict[str, Any] = {
        theirs: getattr(sampling, ours)
        for ours, theirs in provider.samplers.items()
        if _is_wanted(ours, request, provider)
    }
    if "temperature" in fields:
        fields["temperature"] = min(max(0.0, sampling.temperature), provider.max_temperature)
    if "mirostat" in provider.samplers and sampling.order != SAMPLERS:
        fields["samplers"] = list(sampling.order)
    if fields.get("top_p") == 0:
        fields["top_p"] = 1e-6  # which services take for a mistake, though it has a meaning
    return fields


def _is_wanted(field: str, request: ChatRequest, provider: Provider) -> bool:
    sampling = request.sampling
    if field == "dry_last_n" and sampling.dry_last_n < 0:
        return False  # some refuse a -1 for the whole context, which is what they do unasked
    if request.chosen is not None:
        return field in request.chosen
    if field in _UNUSED:
        return not _UNUSED[field](sampling)
    return provider.explicit or field not in _OFF or not _OFF[field](sampling)
