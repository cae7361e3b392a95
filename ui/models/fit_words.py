"""Whether something fits this computer, in words."""

from PySide6.QtCore import QCoreApplication

from app.formatting import bytes_text
from catalog.fit.fit import Fit, Verdict
from ui.kit.chips import ChipKind

CHIP_KINDS: dict[Verdict, ChipKind] = {"fits": "ok", "tight": "warn", "too_large": "danger"}
INK_ROLES: dict[Verdict, str] = {"fits": "text3", "tight": "warn", "too_large": "danger"}

_GIGABYTE = 1e9


def verdict_words(fit: Fit) -> str:
    """What its chip says."""
    return {"fits": _tr("Fits"), "tight": _tr("Tight"), "too_large": _tr("Too large")}[fit.verdict]


def need_words(fit: Fit) -> str:
    """“Needs 5.5 GB”, and what that leaves where it is little."""
    needed = bytes_text(fit.needed)
    if fit.verdict == "fits" or not fit.free:
        return _tr("Needs {needed}").format(needed=needed)
    left = fit.free - fit.needed
    if left > 0:
        return _tr("Needs {needed}, leaves {left}").format(needed=needed, left=bytes_text(left))
    return _tr("Needs {needed}, only {free} free").format(needed=needed, free=bytes_text(fit.free))


def share_words(fit: Fit) -> str:
    """“5.5 of 9.8 GB free”."""
    return _tr("{needed} of {free} GB free").format(
        needed=_gigabytes(fit.needed, fit), free=f"{fit.free / _GIGABYTE:.1f}"
    )


def part_words(fit: Fit) -> tuple[str, str, str]:
    """“Weights 4.7”, “8k context 0.5”, “Working 0.3”: gigabytes each."""
    parts = fit.parts
    return (
        _tr("Weights {size}").format(size=_gigabytes(parts.weights, fit)),
        _tr("{length} context {size}").format(
            length=context_words(fit.n_ctx), size=_gigabytes(parts.kv_cache, fit)
        ),
        _tr("Working {size}").format(size=_gigabytes(parts.compute, fit)),
    )


def sum_words(fit: Fit) -> str:
    """The whole sum, for a tooltip."""
    sum_ = _tr("{parts} = {needed} GB of memory").format(
        parts=" + ".join(part_words(fit)), needed=_gigabytes(fit.needed, fit)
    )
    source = _tr("Read from the file's header.") if fit.exact else _tr("Reckoned from its size.")
    return f"{sum_}\n{source}"


def room_words(fit: Fit) -> str:
    """The longest context that fits, and how quickly it would answer; what is unknown is left out."""
    words = []
    if fit.largest_context:
        words.append(
            _tr("Up to {length} context").format(length=context_words(fit.largest_context))
        )
    match fit.speed:
        case "fast":
            words.append(_tr("answers quickly"))
        case "readable":
            words.append(_tr("about as fast as one reads"))
        case "slow":
            words.append(_tr("slow on this computer"))
    sentence = " · ".join(words)
    return sentence[:1].upper() + sentence[1:]


def context_words(n_ctx: int) -> str:
    """Tokens as people write them: “8k”, “128k”, “1M”."""
    if n_ctx >= 1 << 20:
        return f"{n_ctx / (1 << 20):.3g}M"
    return f"{round(n_ctx / 1024)}k" if n_ctx >= 1024 else str(n_ctx)


def _gigabytes(size: int, fit: Fit) -> str:
    """All numbers of a sum have the same decimals: two where the sum is small."""
    return f"{size / _GIGABYTE:.{2 if fit.needed < _GIGABYTE else 1}f}"


def _tr(text: str) -> str:
    return QCoreApplication.translate("Fit", text)
