"""A download in words: for its row, and for the tooltip of the rail."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from PySide6.QtCore import QCoreApplication

from app.formatting import bytes_text, speed_text, time_left_text
from catalog.catalogues.entries import HubFile, Package, Url
from catalog.downloads.wanted import DownloadState, WantedFile


def fraction_of(state: DownloadState) -> float | None:
    """The part of one that is here; None while nobody knows how much there is."""
    return min(state.done / state.total, 1.0) if state.total else None


def amount_words(state: DownloadState) -> str:
    """“2.90 GB of 4.68 GB”, or what is being done instead of fetching."""
    if state.phase == "waiting":
        return _tr("Waits its turn")
    if state.elsewhere:
        return _tr("Another Causeway is fetching it")
    if state.phase == "running":
        match state.stage:
            case "finding":
                return _tr("Looking for the file…")
            case "verifying":
                return _tr("Checking the file…")
            case "unpacking":
                return _tr("Unpacking…")
    done, total = state.file_amounts
    here = bytes_text(done, digits=2)
    if total:
        words = _tr("{done} of {total}")
        here = words.format(done=here, total=bytes_text(total, digits=2))
    return _tr("Paused at {amount}").format(amount=here) if state.phase == "paused" else here


def pace_words(state: DownloadState) -> str:
    """“18.4 MB/s · 1 min 37 s left”, or what holds it up; of a paused one, that nothing is lost."""
    if state.phase == "paused":
        return _tr("Goes on from there, even after a restart") if state.done else ""
    if state.phase == "running" and state.note:
        return state.note.rstrip(".")
    if state.phase != "running" or state.stage != "downloading" or state.bytes_per_second <= 0:
        return ""
    words = (speed_text(state.bytes_per_second), time_left_text(state.seconds_left))
    return " · ".join(word for word in words if word)


def percent_words(state: DownloadState) -> str:
    fraction = fraction_of(state)
    # Not rounded: 100 % is only said when it is all here.
    return "" if fraction is None else _tr("{percent} %").format(percent=int(fraction * 100))


def kind_words(state: DownloadState) -> str:
    """What stands behind the name: “Q4_K_M + projector”."""
    request = state.request
    if request.kind == "adapter":
        return " · ".join(word for word in (request.quant, _tr("adapter")) if word)
    if any(file.role == "projector" for file in request.files):
        return _tr("{quant} + projector").format(quant=request.quant).strip(" +")
    return request.quant


def finished_words(state: DownloadState) -> str:
    """“98 MB · checked · ready to use”."""
    size = bytes_text(state.total or state.done, digits=2)
    known = all(file.sha256 for file in state.request.files)
    checked = _tr("checked") if known else _tr("checksum recorded")
    return " · ".join((size, checked, _tr("ready to use")))


def detail_words(state: DownloadState) -> str:
    """Where it was fetched from, and how far it got: what a question to somebody else needs."""
    lines = [_tr("Asked for: {ref}").format(ref=state.request.ref)]
    for file in state.request.files:
        name = PurePosixPath(file.target).name
        for source in _source_words(file):
            lines.append(_tr("{file}: {source}").format(file=name, source=source))
    if state.done:
        words = _tr("Here so far: {size}")
        lines.append(words.format(size=bytes_text(state.done, digits=2)))
    return "\n".join(lines)


def summary_words(states: Sequence[DownloadState]) -> str:
    """What runs now, a line each; empty where nothing does."""
    lines = []
    for state in states:
        if state.phase == "running":
            words = (state.request.title, percent_words(state), pace_words(state))
            lines.append(" · ".join(word for word in words if word))
    waiting = sum(state.phase == "waiting" for state in states)
    if waiting:
        one = _tr("1 more waits") if waiting == 1 else _tr("{count} more wait")
        lines.append(one.format(count=waiting))
    return "\n".join(lines)


def _source_words(file: WantedFile) -> list[str]:
    words = []
    for source in file.sources:
        match source:
            case HubFile():
                words.append(f"{source.repo}/{source.path} ({source.revision})")
            case Package():
                words.append(f"{source.project} {source.version}, {source.member}")
            case Url():
                words.append(source.url.partition("?")[0])
    return words


def _tr(text: str) -> str:
    return QCoreApplication.translate("Downloads", text)
