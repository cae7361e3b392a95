"""Bringing a remote file here, whole and verified, through whatever befalls the connection."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from catalog.downloads.answers import Anew, WrongContent
from catalog.downloads.crew import Crew
from catalog.downloads.followers import Hasher, Keeper
from catalog.downloads.part_file import Identity, PartFile, discard
from catalog.downloads.rate_limit import RateLimiter
from catalog.downloads.whereabouts import Locator, Whereabouts
from catalog.errors import DownloadCancelled, DownloadError
from catalog.http import HttpClient, Offline, host_of
from catalog.network import Network
from catalog.progress import Stage
from catalog.remote_file import RemoteFile
from catalog.retries import Interrupted, Patience, Retries

_TRY_LATER = "What was fetched is kept: try again to go on from there."
_REAL_PROGRESS = 256 << 10  # less than that is a server that drips and drops
_LOOK_SECONDS = 0.5
_VERIFY_SECONDS = 0.02


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a whole download, whichever source and file it is at."""

    network: Callable[[], Network]
    limiter: RateLimiter
    patience: Patience
    cancelled: threading.Event
    connections: int

    def check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise DownloadCancelled(
                "The download was cancelled.", fix="Start it again to go on from there."
            )


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told how it goes: `report` gets the stage, the bytes done, those in all where known, and
    what there is to say; `check_room` the bytes that are still to come, and raises where they don't fit.
    """

    report: Callable[[Stage, int, int | None, str], None]
    check_room: Callable[[int | None], None]


class Transfer:
    """Downloads one file to `path`, going on from what is there. Use it once.

    `limit`: bytes after which a file of unknown size is refused.

    Attributes:
        is_verified: Whether somebody knew the SHA-256 that the file has to have.
    """

    def __init__(
        self,
        path: Path,
        locator: Locator,
        circumstances: Circumstances,
        watch: Watch,
        *,
        limit: int | None = None,
    ) -> None:
        self._path = path
        self._locator = locator
        self._circumstances = circumstances
        self._watch = watch
        self._limit = limit
        self._retries = Retries(circumstances.cancelled, circumstances.patience)
        self._connections = circumstances.connections
        self._whereabouts = Whereabouts(locator)
        self._furthest = 0
        self._looked_at = 0.0
        self.is_verified = False

    def run(self) -> str:
        """Blocks until the file is whole, and returns its SHA-256.

        Raises `CatalogError`s; a part that can be gone on with stays, wrong content does not.
        """
        tries = 2
        while True:
            tries -= 1
            try:
                return self._bring()
            except WrongContent as wrong:
                discard(self._path)
                self._whereabouts.forget()
                if not tries:
                    raise DownloadError(
                        "The download arrived damaged, twice.",
                        str(wrong),
                        "Try again later: nothing of it was kept.",
                    ) from wrong
                self._note(0, None, f"{wrong} It is fetched once more.")

    def _bring(self) -> str:
        """One life of the part: it ends whole, or with the content refused."""
        while True:
            remote = self._located()
            identity = Identity(
                source=self._locator.name(remote), sha256=remote.sha256, size=remote.size
            )
            with PartFile(self._path, identity) as part:
                self._furthest = max(self._furthest, part.written().covered)
                try:
                    digest = self._fill(part, identity)
                except Anew as anew:
                    self._connections = 1
                    part.restart()
                    self._wait(part, Interrupted(str(anew)))
                    continue
                if digest is None:
                    continue  # the source names another file by now
                if remote.sha256 not in (None, digest):
                    part.restart()
                    raise WrongContent(
                        f"What {host_of(remote.url)} sends has another checksum: its SHA-256 begins"
                        f" with “{digest[:8]}”, and “{(remote.sha256 or '')[:8]}” was expected."
                    )
                part.save()
                self.is_verified = remote.sha256 is not None
                return digest

    def _fill(self, part: PartFile, identity: Identity) -> str | None:
        """Bring what is missing; the SHA-256 of it all, or None where the source has changed."""
        hasher, keeper = Hasher(part), Keeper(part)
        with hasher, keeper:
            while not part.is_whole:
                remote = self._located()
                if remote.sha256 != identity.sha256 or remote.size != identity.size:
                    return None
                try:
                    self._send_crew(part, (hasher, keeper))
                except Interrupted as interruption:
                    self._count_progress(part)
                    self._whereabouts.take_the_long_way()
                    self._wait(part, interruption)
            size = part.size
            if not size:
                raise DownloadError(f"The file on {host_of(self._located().url)} is empty.")
            self._watch.report("downloading", size, size, "")
            while hasher.done < size:
                self._circumstances.check_cancelled()
                hasher.check()
                self._watch.report("verifying", hasher.done, size, "")
                time.sleep(_VERIFY_SECONDS)
        return hasher.sha256

    def _send_crew(self, part: PartFile, followers: tuple[Hasher, Keeper]) -> None:
        circumstances = self._circumstances
        network = circumstances.network()
        covered = part.written().covered
        self._watch.check_room(None if part.size is None else part.size - covered)
        self._watch.report("downloading", covered, part.size, "")

        def tick() -> None:
            circumstances.check_cancelled()
            for follower in followers:
                follower.check()
            covered = part.written().covered
            self._watch.report("downloading", covered, part.size, "")
            if time.monotonic() - self._looked_at < _LOOK_SECONDS:
                return
            self._looked_at = time.monotonic()
            self._watch.check_room(None if part.size is None else part.size - covered)
            now = circumstances.network()
            if (now.offline, now.proxy) != (network.offline, network.proxy):
                raise Interrupted("The settings of the network have changed.")

        with HttpClient(circumstances.cancelled, circumstances.patience, network) as client:
            crew = Crew(
                client,
                part,
                self._whereabouts,
                connections=self._connections,
                limit=self._limit,
                limiter=circumstances.limiter,
                patience=circumstances.patience,
            )
            crew.run(tick)

    def _located(self) -> RemoteFile:
        while True:
            self._circumstances.check_cancelled()
            if self._circumstances.network().offline:
                raise Offline
            try:
                return self._whereabouts.remote()
            except Interrupted as interruption:
                self._retries.wait_after(interruption, "Try again later.")

    def _count_progress(self, part: PartFile) -> None:
        """After a restart the same bytes come again: only new ones are progress, and not a few."""
        covered = part.written().covered
        least = _REAL_PROGRESS if part.size is None else min(_REAL_PROGRESS, part.size // 16 + 1)
        if covered >= self._furthest + least:
            self._furthest = covered
            self._retries.reset()

    def _wait(self, part: PartFile, interruption: Interrupted) -> None:
        covered, size = part.written().covered, part.size
        self._retries.wait_after(
            interruption,
            _TRY_LATER,
            lambda left: self._note(
                covered, size, f"{interruption.what} Trying again in {left:.0f} s."
            ),
        )
        self._circumstances.check_cancelled()

    def _note(self, done: int, size: int | None, note: str) -> None:
        self._watch.report("downloading", done, size, note)
