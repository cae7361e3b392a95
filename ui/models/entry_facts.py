"""The facts of an entry as the small line of a card, a row or a stop of the road."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from app.formatting import bytes_text
from catalog.catalogues.entries import Artifact, Entry
from catalog.catalogues.sizes import expected_bytes
from ui.models.discover_entries import EntryFacts
from ui.models.download_words import percent_words
from ui.models.entry_words import kind_words, obstacle_words
from ui.models.fit_words import INK_ROLES, verdict_words
from ui.models.licence_words import licence_name

Inked = tuple[str, str]
"""Words, and the colour role that they are painted in."""


def meta_words(facts: EntryFacts) -> list[Inked]:
    """Size, how it fits where that is less than well, licence."""
    return [*_size_and_fit(facts), (_licence_words(facts.entry), "text3")]


def stop_words(members: Sequence[EntryFacts]) -> list[Inked]:
    """Of several sizes the smallest: “from 1.1 GB”; “to convert” where none can be run."""
    able = [facts for facts in members if facts.entry.status == "ready" and facts.entry.weights]
    if not able:
        return [(obstacle_words(members[0].entry), "text3")]
    if any(facts.installed for facts in able):
        return [(_tr("installed"), "accent_text")]
    if len(members) == 1:
        return _size_and_fit(able[0], digits=1)
    smallest = min(able, key=lambda facts: _bytes(facts.entry) or 1 << 62)
    words = _size_and_fit(smallest, digits=1)
    if len(able) > 1 and words and _bytes(smallest.entry):
        words[0] = (_tr("from {size}").format(size=words[0][0]), words[0][1])
    return words


def accessible_words(facts: EntryFacts) -> str:
    """All of it, as a screen reader says it."""
    entry = facts.entry
    words = [entry.name, kind_words(entry), entry.summary.rstrip(".")]
    words += [text for text, _ in meta_words(facts)]
    if facts.choice is not None:
        words.append(verdict_words(facts.choice.fit))
    if facts.installed:
        words.append(_tr("Installed"))
    if facts.download is not None:
        words.append(_tr("Downloading {percent}").format(percent=percent_words(facts.download)))
    return ". ".join(word for word in words if word)


def _licence_words(entry: Entry) -> str:
    if entry.licence.id in ("", "not stated"):
        return _tr("licence not stated")
    return licence_name(entry.licence.id)


def _size_and_fit(facts: EntryFacts, digits: int = 2) -> list[Inked]:
    entry = facts.entry
    if entry.status != "ready":
        return [(obstacle_words(entry), "text3")]
    artifact = facts.choice.artifact if facts.choice else _only_artifact(entry)
    if artifact is None:
        return []
    size, exact = expected_bytes(entry, artifact)
    words = bytes_text(size, digits=digits if exact else 1) if size else ""
    fit = facts.choice.fit if facts.choice else None
    role = "text3" if fit is None else INK_ROLES[fit.verdict]
    shown: list[Inked] = [(words, role)] if words else []
    if fit is not None and fit.verdict != "fits":
        shown.append((verdict_words(fit).lower(), role))
    return shown


def _only_artifact(entry: Entry) -> Artifact | None:
    """Of several, one is chosen when it is known what fits: until then no size is told that would
    change under the eyes of who reads.
    """
    return entry.weights[0] if len(entry.weights) == 1 else None


def _bytes(entry: Entry) -> int:
    return min((expected_bytes(entry, artifact)[0] for artifact in entry.weights), default=0)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Entries", text)
