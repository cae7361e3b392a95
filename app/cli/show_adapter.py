"""What `causeway show` tells of an adapter."""

import msgspec

from app.services import Services
from catalog.library import InstalledModel


class ShownFit(msgspec.Struct, frozen=True, kw_only=True):
    model: str
    fits: bool
    reason: str


class ShownAdapter(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers are 0 and texts empty where the file doesn't say. `models` are those installed."""

    rank: int
    lowest_rank: int
    alpha: float
    base: str
    task: str
    trigger_words: str
    models: tuple[ShownFit, ...]
    rank_words: str

    def lines(self) -> dict[str, str]:
        """For people: names and values, empty ones too."""
        return {
            "Rank": self.rank_words,
            "Alpha": f"{self.alpha:g}" if self.alpha else "",
            "Made for": self.base,
            "Task": self.task,
            "Trigger words": self.trigger_words,
            "Fits": ", ".join(each.model for each in self.models if each.fits) or "no model here",
        }

    def reasons(self) -> tuple[str, ...]:
        """Why it doesn't fit the others, a line each."""
        return tuple(f"Not {each.model}: {each.reason}" for each in self.models if not each.fits)


def shown_adapter(services: Services, adapter: InstalledModel) -> ShownAdapter:
    """Raises `CatalogError` where the file can't be read."""
    facts = services.adapters.facts(adapter)
    return ShownAdapter(
        rank=facts.rank,
        lowest_rank=facts.lowest_rank,
        rank_words=facts.rank_text,
        alpha=facts.alpha,
        base=facts.base,
        task=facts.task,
        trigger_words=facts.trigger_words,
        models=tuple(
            ShownFit(model=model.id, fits=fit.fits, reason=fit.reason)
            for model, fit in services.adapters.models_for(adapter)
        ),
    )
