"""How what a person wants changes the list of downloads. Nothing here touches a file."""

import time
from collections.abc import Callable, Sequence

import msgspec

from catalog.downloads.queue_file import QueuedDownload, Wish
from catalog.downloads.run import Outcome
from catalog.downloads.wanted import DownloadRequest

Change = Callable[[list[QueuedDownload]], None]


def find(downloads: Sequence[QueuedDownload], download_id: str) -> QueuedDownload | None:
    return next((each for each in downloads if each.id == download_id), None)


def ask_for(
    request: DownloadRequest, *, paused: bool, is_still_there: Callable[[QueuedDownload], bool]
) -> Change:
    """Queue it at the end; what is asked for again goes on where it is, unless it is done and there."""

    def change(downloads: list[QueuedDownload]) -> None:
        known = find(downloads, request.id)
        wish: Wish = "paused" if paused else "waiting"
        if known is not None and known.wish in ("waiting", "paused", "failed"):
            again = msgspec.structs.replace(known, request=request)
            if not paused:
                again = msgspec.structs.replace(again, wish=wish, problem=None)
            downloads[downloads.index(known)] = again
            return
        fetched: tuple[str, ...] = ()
        if known is not None:
            if known.wish == "done" and known.request.files == request.files:
                if is_still_there(known):
                    return
            elif known.wish == "cancelled":
                fetched = known.fetched
            downloads.remove(known)
        downloads.append(
            QueuedDownload(request=request, wish=wish, added_at=time.time(), fetched=fetched)
        )

    return change


def turn(wish: Wish, *, of: tuple[Wish, ...], only: str | None = None) -> Change:
    """Give downloads that have one of the wishes `of` another one: all, or that with the id `only`."""

    def change(downloads: list[QueuedDownload]) -> None:
        for index, each in enumerate(downloads):
            if each.wish in of and only in (None, each.id):
                downloads[index] = msgspec.structs.replace(each, wish=wish, problem=None)

    return change


def cancel(download_id: str) -> Change:
    """Mark it for the deletion of what it brought; one that is done is only forgotten."""

    def change(downloads: list[QueuedDownload]) -> None:
        forget(lambda each: each.id == download_id and each.wish == "done")(downloads)
        turn("cancelled", of=("waiting", "paused", "failed"), only=download_id)(downloads)

    return change


def move(download_id: str, position: int) -> Change:
    """Put it at `position` of those that a person sees."""

    def change(downloads: list[QueuedDownload]) -> None:
        moved = find(downloads, download_id)
        if moved is None:
            return
        seen = [each for each in downloads if each.wish != "cancelled" and each is not moved]
        unseen = [each for each in downloads if each.wish == "cancelled" and each is not moved]
        seen.insert(max(0, position), moved)
        downloads[:] = seen + unseen

    return change


def forget(is_forgotten: Callable[[QueuedDownload], bool]) -> Change:
    """Take downloads off the list. What they brought is then no one's to delete any more."""

    def change(downloads: list[QueuedDownload]) -> None:
        kept = {target for each in downloads if is_forgotten(each) for target in each.fetched}
        downloads[:] = [
            msgspec.structs.replace(
                each, fetched=tuple(target for target in each.fetched if target not in kept)
            )
            for each in downloads
            if not is_forgotten(each)
        ]

    return change


def note_fetched(download_id: str, target: str) -> Change:
    """Remember that the download brought this file here."""

    def change(downloads: list[QueuedDownload]) -> None:
        for index, each in enumerate(downloads):
            if each.id == download_id and target not in each.fetched:
                downloads[index] = msgspec.structs.replace(each, fetched=(*each.fetched, target))

    return change


def settle(run_of: QueuedDownload, outcome: Outcome, total: int | None) -> Change:
    """Keep how a run ended, unless a person wants something else of the download by now."""

    def change(downloads: list[QueuedDownload]) -> None:
        known = find(downloads, run_of.id)
        if known is None or known.wish not in ("waiting", "paused"):
            return
        settled = msgspec.structs.replace(known, total=total)
        if outcome.is_done and known.request.files == run_of.request.files:
            settled = msgspec.structs.replace(
                settled,
                wish="done",
                total=sum(file.size_bytes for file in outcome.fetched),
                path=str(outcome.fetched[0].path),
                finished_at=time.time(),
            )
        elif outcome.problem is not None and known.wish == "waiting":
            settled = msgspec.structs.replace(settled, wish="failed", problem=outcome.problem)
        downloads[downloads.index(known)] = settled

    return change
