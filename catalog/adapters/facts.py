"""What a GGUF LoRA adapter says of itself."""

import math

import msgspec

from catalog.adapters.pairs import pairs_of
from catalog.gguf.header import ArraySummary, GgufHeader

_MOST_TRIGGER_WORDS = 2000


class AdapterFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers are 0 and texts empty where the file does not say.

    `rank` is the largest of its pairs, `lowest_rank` the smallest. Its change is added at
    `alpha` / rank, or as it is where `alpha` is 0. `base` is what it was trained on. `trigger_words`
    are to stand in the prompt, `task` is what it is for. `invocation_tokens` of an activated LoRA
    say from where in a text on it works. `parameters` are its own weights.
    """

    architecture: str
    base: str
    rank: int
    lowest_rank: int
    alpha: float
    n_tensors: int
    parameters: int
    size_bytes: int
    quant: str
    trigger_words: str = ""
    task: str = ""
    invocation_tokens: tuple[int, ...] = ()

    @property
    def rank_text(self) -> str:
        """ "16", or "8–16" where its pairs differ; empty where there are none."""
        if not self.rank:
            return ""
        return (
            str(self.rank) if self.rank == self.lowest_rank else f"{self.lowest_rank}–{self.rank}"
        )


def adapter_facts(header: GgufHeader) -> AdapterFacts:
    ranks = [pair.rank for pair in pairs_of(header).whole]
    return AdapterFacts(
        architecture=header.architecture,
        base=header.base,
        rank=max(ranks, default=0),
        lowest_rank=min(ranks, default=0),
        alpha=_alpha(header),
        n_tensors=len(header.tensors),
        parameters=header.n_parameters,
        size_bytes=header.end,
        quant=header.quant,
        trigger_words=header.text("adapter.lora.prompt_prefix")[:_MOST_TRIGGER_WORDS].strip(),
        task=header.line("adapter.lora.task_name"),
        invocation_tokens=_invocation_tokens(header),
    )


def _alpha(header: GgufHeader) -> float:
    value = header.metadata.get("adapter.lora.alpha", 0.0)
    return value if isinstance(value, float) and math.isfinite(value) else 0.0


def _invocation_tokens(header: GgufHeader) -> tuple[int, ...]:
    value = header.metadata.get("adapter.alora.invocation_tokens", ())
    if isinstance(value, ArraySummary) or not isinstance(value, tuple):
        return ()
    return tuple(token for token in value if isinstance(token, int))
