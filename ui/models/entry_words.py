"""What cards and panels say of an entry of a catalogue."""

from datetime import date

from PySide6.QtCore import QCoreApplication

from catalog.catalogues.entries import Entry, HubFile

CAPABILITY_ICONS = {
    "reasoning": "brain",
    "tools": "wrench",
    "vision": "eye",
    "audio": "ear",
    "code": "code",
}


def capability_words(capability: str) -> str:
    """The name of a capability, also of one that a catalogue made up."""
    known = {
        "reasoning": _tr("Reasoning"),
        "tools": _tr("Calls tools"),
        "vision": _tr("Sees pictures"),
        "audio": _tr("Hears"),
        "code": _tr("Code"),
        "moe": _tr("Mixture of experts"),
    }
    return known.get(capability, capability)


def kind_words(entry: Entry) -> str:
    """What it is, where it isn't something to chat with."""
    return {
        "chat": "",
        "vision": "",
        "completion": _tr("Completes text"),
        "embedding": _tr("Finds passages"),
        "adapter": _tr("Adapter"),
        "reference": _tr("To read about"),
    }[entry.kind]


def parameter_words(parameters: int) -> str:
    """“7.6 B”, “135 M”: the number of parameters, “1 B” where it is a little short of that."""
    if parameters >= 999_500_000:
        return f"{parameters / 1e9:.3g} B" if parameters < 1e12 else f"{parameters / 1e12:.3g} T"
    return f"{parameters / 1e6:.0f} M" if parameters >= 999_500 else f"{parameters / 1e3:.0f} k"


def obstacle_words(entry: Entry) -> str:
    """Why it can't be had, in a word or two."""
    return _tr("to convert") if entry.status == "needs_conversion" else _tr("to read about")


def maker_of(entry: Entry) -> str:
    """Who put its files on the Hub; empty where they come from elsewhere."""
    for artifact in entry.weights:
        for source in artifact.sources:
            if isinstance(source, HubFile):
                return source.repo.partition("/")[0]
    return ""


def day_words(published: str) -> str:
    """“24 Feb”, with the year where it isn't the one that the road is about."""
    try:
        day = date.fromisoformat(published)
    except ValueError:
        return published
    return f"{day.day} {day:%b}"


def month_words(published: str) -> str:
    """“Jan 2025”."""
    try:
        return f"{date.fromisoformat(published):%b %Y}"
    except ValueError:
        return published


def full_day_words(published: str) -> str:
    """“24 February 2023”."""
    try:
        day = date.fromisoformat(published)
    except ValueError:
        return published
    return f"{day.day} {day:%B %Y}"


def _tr(text: str) -> str:
    return QCoreApplication.translate("Entries", text)
