"""Whether a model fits, as the command line tells it."""

import msgspec

from app.formatting import bytes_text
from catalog.fit.fit import Fit, SpeedClass, Verdict

WORDS: dict[Verdict, str] = {"fits": "fits", "tight": "tight", "too_large": "too large"}


class ReportedFit(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes, and tokens. `exact`: computed from the file's header, not from its size alone."""

    verdict: Verdict
    needed_bytes: int
    weights_bytes: int
    kv_cache_bytes: int
    compute_bytes: int
    free_bytes: int
    n_ctx: int
    largest_context: int
    speed: SpeedClass | None
    tokens_per_second: float
    exact: bool

    @property
    def words(self) -> str:
        return WORDS[self.verdict]

    @property
    def sum(self) -> str:
        """The sum in words: “5.5 GB of 9.8 GB free: weights 4.7 GB, context …”."""
        return (
            f"{bytes_text(self.needed_bytes)} of {bytes_text(self.free_bytes)} free:"
            f" weights {bytes_text(self.weights_bytes)},"
            f" context of {self.n_ctx:,} tokens {bytes_text(self.kv_cache_bytes)},"
            f" working memory {bytes_text(self.compute_bytes)}"
        )


def reported_fit(fit: Fit) -> ReportedFit:
    return ReportedFit(
        verdict=fit.verdict,
        needed_bytes=fit.needed,
        weights_bytes=fit.parts.weights,
        kv_cache_bytes=fit.parts.kv_cache,
        compute_bytes=fit.parts.compute,
        free_bytes=fit.free,
        n_ctx=fit.n_ctx,
        largest_context=fit.largest_context,
        speed=fit.speed,
        tokens_per_second=round(fit.tokens_per_second, 1),
        exact=fit.exact,
    )
