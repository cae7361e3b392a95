"""All catalogues together: the bundled one, and those that the person added."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from catalog.catalogues.catalogue_copies import (
    Copy,
    CopyFolder,
    fetch_copy,
    is_on_the_web,
    read_file,
    shown_address,
)
from catalog.catalogues.catalogue_file import decode_catalogue
from catalog.catalogues.entries import Catalogue, Collection, Entry
from catalog.errors import CatalogError, DownloadCancelled
from catalog.network import Network

if TYPE_CHECKING:
    from catalog.http import Patience


class KnownCatalogue(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue that is in use, or why it is not.

    `address` is empty for the bundled one. `catalogue` is None as long as nothing sound was fetched;
    with both it and a `problem`, the last good copy is in use. `left_out` names what was wrong in
    it. `refreshed_at` is in Unix seconds, 0 for never.
    """

    address: str
    catalogue: Catalogue | None = None
    problem: CatalogError | None = None
    left_out: tuple[CatalogError, ...] = ()
    refreshed_at: float = 0.0

    @property
    def shown_address(self) -> str:
        """Without name and password."""
        return shown_address(self.address)

    def __repr__(self) -> str:
        return f"KnownCatalogue({self.shown_address!r}, problem={self.problem!r})"


class _Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at one moment, so that a reader needs no lock."""

    loaded: Mapping[str, KnownCatalogue]
    known: tuple[KnownCatalogue, ...]
    entries: Mapping[str, Entry]
    collections: tuple[Collection, ...]
    templates: Mapping[str, Mapping[str, str]]


class Catalogues:
    """The bundled catalogue and the person's own, which are files or addresses on the web.

    Any thread may use it. What `addresses` and `network` give is asked anew each time, so that a
    change of the settings counts at once. Nothing but `refresh` goes online.
    """

    def __init__(
        self,
        bundled: Catalogue,
        cache_folder: Path,
        addresses: Callable[[], Sequence[str]],
        network: Callable[[], Network],
        patience: "Patience | None" = None,
    ) -> None:
        self._bundled = bundled
        self._copies = CopyFolder(cache_folder)
        self._addresses = addresses
        self._network = network
        self._patience = patience
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()
        self._snapshot = _compose(bundled, {})

    def known(self) -> tuple[KnownCatalogue, ...]:
        """The bundled one first, the others as the person ordered them.

        Reads the disk for those that are new since the last call.
        """
        return self._current().known

    def entries(self) -> tuple[Entry, ...]:
        """All entries; the ids of those not bundled are `CATALOGUE/ENTRY`."""
        return tuple(self._current().entries.values())

    def collections(self) -> tuple[Collection, ...]:
        return self._current().collections

    def entry(self, entry_id: str) -> Entry | None:
        return self._current().entries.get(entry_id)

    def template_of(self, entry: Entry) -> str:
        """The Jinja text of the entry's prompt template; empty: the file's own."""
        catalogue_id = entry.id.rpartition("/")[0] or self._bundled.id
        return self._current().templates.get(catalogue_id, {}).get(entry.template, "")

    def refresh(self, cancelled: threading.Event | None = None) -> tuple[KnownCatalogue, ...]:
        """Fetch what is new and return what is known then. Blocks.

        What fails is said in the catalogue's `problem`, and its last good copy stays. After a cancel
        the rest is left as it was.
        """
        from catalog.http import HttpClient, Patience

        patience = self._patience or Patience(attempts=2)
        cancelled = cancelled or threading.Event()
        with self._refreshing:
            for known in self._current().known:
                if not known.address:
                    continue
                try:
                    last = self._copies.load(known.address)
                    if is_on_the_web(known.address):
                        with HttpClient(cancelled, patience, self._network()) as client:
                            copy = fetch_copy(known.address, last, client, patience, cancelled)
                    else:
                        copy = read_file(known.address, last)
                    self._take(self._store(known.address, copy, last))
                except DownloadCancelled:
                    break
                except CatalogError as error:
                    self._take(self._failed(known.address, error))
            self._copies.keep_only(self._addresses())
        return self.known()

    def _current(self) -> _Snapshot:
        addresses = tuple(dict.fromkeys(filter(None, self._addresses())))
        with self._lock:
            if tuple(self._snapshot.loaded) != addresses:
                loaded = {
                    address: self._snapshot.loaded.get(address) or self._load(address)
                    for address in addresses
                }
                self._snapshot = _compose(self._bundled, loaded)
            return self._snapshot

    def _take(self, fresh: KnownCatalogue) -> None:
        with self._lock:
            if fresh.address in self._snapshot.loaded:
                loaded = {**self._snapshot.loaded, fresh.address: fresh}
                self._snapshot = _compose(self._bundled, loaded)

    def _load(self, address: str) -> KnownCatalogue:
        """What the disk has of it."""
        last = self._copies.load(address)
        try:
            if is_on_the_web(address):
                return _decoded(address, last) if last else KnownCatalogue(address=address)
            return self._store(address, read_file(address, last), last)
        except CatalogError as error:
            known = KnownCatalogue(address=address)
            if last and not is_on_the_web(address):
                with suppress(CatalogError):
                    known = _decoded(address, last)
            return _with_problem(known, error)

    def _store(self, address: str, copy: Copy, last: Copy | None) -> KnownCatalogue:
        """The catalogue of a copy, which is kept if it is sound. Raises `CatalogError` if not."""
        known = _decoded(address, copy)
        if known.catalogue and known.catalogue.id == self._bundled.id:
            raise _id_taken(known, "the bundled one")
        try:
            if last != copy:
                self._copies.save(address, copy)
        except OSError as error:
            why = error.strerror or str(error)
            return _with_problem(
                known, CatalogError(f"{_title(address)} can't be kept for later.", f"{why}.")
            )
        return known

    def _failed(self, address: str, error: CatalogError) -> KnownCatalogue:
        from catalog.http import Offline

        with self._lock:
            known = self._snapshot.loaded.get(address) or KnownCatalogue(address=address)
        if isinstance(error, Offline) and known.catalogue:
            return known
        return _with_problem(known, error)


def _decoded(address: str, copy: Copy) -> KnownCatalogue:
    """Raises `CatalogError`."""
    decoded = decode_catalogue(copy.data, _title(address))
    return KnownCatalogue(
        address=address,
        catalogue=decoded.catalogue,
        left_out=decoded.problems,
        refreshed_at=copy.refreshed_at,
    )


def _with_problem(known: KnownCatalogue, problem: CatalogError) -> KnownCatalogue:
    return msgspec.structs.replace(known, problem=problem)


def _title(address: str) -> str:
    # What follows a question mark may be a key.
    return f"The catalogue “{shown_address(address).partition('?')[0]}”"


def _compose(bundled: Catalogue, loaded: Mapping[str, KnownCatalogue]) -> _Snapshot:
    """All catalogues as one; of two that have the same id, the first counts."""
    known = [KnownCatalogue(address="", catalogue=bundled)]
    taken = {bundled.id: bundled}
    entries = {entry.id: entry for entry in bundled.entries}
    collections = list(bundled.collections)
    for each in loaded.values():
        catalogue = each.catalogue
        if catalogue is not None and catalogue.id in taken:
            taken_by = "the bundled one" if catalogue.id == bundled.id else "another one of yours"
            each = msgspec.structs.replace(each, catalogue=None, problem=_id_taken(each, taken_by))
        elif catalogue is not None:
            taken[catalogue.id] = catalogue
            entries |= {entry.id: entry for entry in _named_apart(catalogue)}
            collections += [
                msgspec.structs.replace(collection, id=f"{catalogue.id}/{collection.id}")
                for collection in catalogue.collections
            ]
        known.append(each)
    return _Snapshot(
        loaded=loaded,
        known=tuple(known),
        entries=entries,
        collections=tuple(collections),
        templates={catalogue_id: catalogue.templates for catalogue_id, catalogue in taken.items()},
    )


def _named_apart(catalogue: Catalogue) -> list[Entry]:
    return [
        msgspec.structs.replace(
            entry,
            id=f"{catalogue.id}/{entry.id}",
            collection=entry.collection and f"{catalogue.id}/{entry.collection}",
        )
        for entry in catalogue.entries
    ]


def _id_taken(each: KnownCatalogue, whose: str) -> CatalogError:
    assert each.catalogue is not None
    return CatalogError(
        f"{_title(each.address)} can't be used.",
        f"Its id is “{each.catalogue.id}”, as is that of {whose}.",
        "Ask its author for another id, or remove one of the two in the settings.",
    )
