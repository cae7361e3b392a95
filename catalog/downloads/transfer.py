"""Bringing a remote file here, whole and verified, through whatever befalls the connection."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import msgspec

from catalog.downloads.answers import Anew, Gone, WrongContent
from catalog.downloads.crew import Crew, Destination
from catalog.downloads.followers import Hasher, Keeper
from catalog.downloads.part_file import Identity, PartFile, discard
from catalog.downloads.rate_limit import RateLimiter
from catalog.errors import DownloadCancelled, DownloadError
from catalog.http import HttpClient, Offline, Refused, host_of
from catalog.hub.errors import HubError
from catalog.network import Network
from catalog.progress import Stage
from catalog.remote_file import RemoteFile
from catalog.retries import Interrupted, Patience, Retries

_TRY_LATER = "What was fetched is kept: try again to go on from there."
_REAL_PROGRESS = 256 << 10  # less than that is a server that drips and drops
_LOOK_SECONDS = 0.5
_VERIFY_SECONDS = 0.02
_FRUITLESS_LOOKUPS = 2


class Locator(msgspec.Struct, frozen=True, kw_only=True):
    """Finds a source's file, again where its address expires.

    `locate` raises a `CatalogError` where it can't. `name` is what the sidecar calls the source: no
    credentials, no signature. `can_expire` says whether asking again can give another address.
    """

    locate: Callable[[], RemoteFile]
    name: Callable[[RemoteFile], str]
    can_expire: bool


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
        self._remote: RemoteFile | None = None
        self._direct = ""
        self._furthest = 0
        self._lookups = 0
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
                self._remote = None
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
                    self._send_crew(remote, part, (hasher, keeper))
                except Interrupted as interruption:
                    self._count_progress(part)
                    self._direct = ""
                    self._wait(part, interruption)
                except (Refused, Gone):
                    self._count_progress(part)
                    if not self._can_look_again():
                        raise
            size = part.size or 0
            self._watch.report("downloading", size, size, "")
            while hasher.done < size:
                self._circumstances.check_cancelled()
                hasher.check()
                self._watch.report("verifying", hasher.done, size, "")
                time.sleep(_VERIFY_SECONDS)
        return hasher.sha256

    def _send_crew(
        self, remote: RemoteFile, part: PartFile, followers: tuple[Hasher, Keeper]
    ) -> None:
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
                self._destination(remote),
                connections=self._connections,
                limit=self._limit,
                limiter=circumstances.limiter,
                patience=circumstances.patience,
            )
            try:
                crew.run(tick)
            finally:
                if crew.reached:
                    self._direct = crew.reached

    def _destination(self, remote: RemoteFile) -> Destination:
        """Past the redirects of the last time, to which the authorization does not go along."""
        if not self._direct or self._direct == remote.url:
            return Destination(remote.url, remote.authorization)
        same = httpx2.URL(self._direct).origin == httpx2.URL(remote.url).origin
        return Destination(self._direct, remote.authorization if same else "")

    def _located(self) -> RemoteFile:
        if self._remote is None:
            self._circumstances.check_cancelled()
            if self._circumstances.network().offline:
                raise Offline
            while self._remote is None:
                try:
                    self._remote = self._locator.locate()
                except HubError as error:
                    if not error.may_pass:
                        raise
                    self._retries.wait_after(
                        Interrupted(error.what, error.why, error.pause_seconds), error.fix
                    )
                    self._circumstances.check_cancelled()
        return self._remote

    def _can_look_again(self) -> bool:
        """Whether the address may only have expired; then it is asked for anew."""
        self._lookups += 1
        is_worth_it = self._locator.can_expire or bool(self._direct)
        self._direct = ""
        if self._locator.can_expire:
            self._remote = None
        return is_worth_it and self._lookups <= _FRUITLESS_LOOKUPS

    def _count_progress(self, part: PartFile) -> None:
        """After a restart the same bytes come again: only new ones are progress, and not a few."""
        covered = part.written().covered
        least = _REAL_PROGRESS if part.size is None else min(_REAL_PROGRESS, part.size // 16 + 1)
        if covered >= self._furthest + least:
            self._furthest = covered
            self._lookups = 0
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
