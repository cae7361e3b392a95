"""More catalogues: fetched, kept apart from the bundled one, and never worse than the last good copy."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.catalogues.bundled import STARTER_ID, load_bundled
from catalog.catalogues.catalogues import Catalogues, KnownCatalogue
from catalog.http import Patience
from catalog.network import Network
from tests.catalog.catalogues.catalogue_data import catalogue_data, encoded, entry_data
from tests.catalog.catalogues.catalogue_server import CatalogueServer

HASTY = Patience(connect_seconds=2, read_seconds=2, attempts=2, pause_seconds=0.01)
BUNDLED = load_bundled()


def published(entry_id: str = "one", **changes: Any) -> bytes:
    return encoded(catalogue_data(entry_data(entry_id), **changes))


class Desk:
    """A person's settings, and the catalogues that follow them."""

    def __init__(self, folder: Path, *addresses: str) -> None:
        self.folder = folder
        self.addresses = list(addresses)
        self.network = Network()
        self.catalogues = self.reopened()

    def reopened(self) -> Catalogues:
        """As after a restart of the program."""
        return Catalogues(BUNDLED, self.folder, lambda: self.addresses, lambda: self.network, HASTY)

    def refresh(self) -> tuple[KnownCatalogue, ...]:
        return self.catalogues.refresh()[1:]


@pytest.fixture
def server() -> Iterator[CatalogueServer]:
    with CatalogueServer(published()) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, server: CatalogueServer) -> Desk:
    return Desk(tmp_path / "cache", server.url)


def ids(catalogues: Catalogues) -> list[str]:
    """Of the entries that are not bundled."""
    return [entry.id for entry in catalogues.entries()[len(BUNDLED.entries) :]]


def test_alone_the_bundled_one_is_known(tmp_path: Path) -> None:
    catalogues = Desk(tmp_path).catalogues
    (known,) = catalogues.known()
    assert (known.address, known.catalogue, known.problem) == ("", BUNDLED, None)
    assert catalogues.entries() == BUNDLED.entries
    assert catalogues.collections() == BUNDLED.collections
    assert catalogues.entry(STARTER_ID) == BUNDLED.entries[0]
    assert not list(tmp_path.iterdir())


def test_nothing_goes_online_before_a_refresh(desk: Desk, server: CatalogueServer) -> None:
    assert desk.catalogues.known()[1].catalogue is None
    assert ids(desk.catalogues) == []
    assert server.requests == []


def test_a_refresh_brings_the_entries_under_the_name_of_their_catalogue(
    desk: Desk, server: CatalogueServer
) -> None:
    server.data = encoded(
        catalogue_data(
            entry_data("one", collection="best", template="plain"),
            entry_data(STARTER_ID, name="Not the starter"),
            collections=[{"id": "best", "title": "Best"}],
            templates={"plain": "PLAIN", "alpaca": "NOT OURS"},
        )
    )
    (known,) = desk.refresh()
    assert known.problem is None
    assert known.refreshed_at > 0
    assert ids(desk.catalogues) == ["test/one", f"test/{STARTER_ID}"]
    entry = desk.catalogues.entry("test/one")
    assert entry is not None
    assert entry.collection == "test/best"
    assert desk.catalogues.collections()[-1].id == "test/best"
    assert desk.catalogues.template_of(entry) == "PLAIN"
    assert desk.catalogues.entry(STARTER_ID) == BUNDLED.entries[0]


def test_the_bundled_entries_keep_their_templates(desk: Desk, server: CatalogueServer) -> None:
    server.data = published(templates={"alpaca": "NOT OURS"})
    desk.refresh()
    alpaca = desk.catalogues.entry("alpaca-7b")
    assert alpaca is not None
    assert desk.catalogues.template_of(alpaca) == BUNDLED.templates["alpaca"]
    assert desk.catalogues.template_of(BUNDLED.entries[0]) == ""


def test_what_is_unchanged_is_not_sent_again(desk: Desk, server: CatalogueServer) -> None:
    (first,) = desk.refresh()
    (second,) = desk.refresh()
    assert [request.if_none_match for request in server.requests] == ["", server.etag]
    assert second.catalogue == first.catalogue
    assert second.refreshed_at > first.refreshed_at


def test_what_changed_takes_the_place_of_the_old(desk: Desk, server: CatalogueServer) -> None:
    desk.refresh()
    server.data = published("two")
    desk.refresh()
    assert ids(desk.catalogues) == ["test/two"]
    assert ids(desk.reopened()) == ["test/two"]


def test_the_last_copy_is_there_after_a_restart_without_network(
    desk: Desk, server: CatalogueServer
) -> None:
    desk.refresh()
    desk.network = Network(offline=True)
    reopened = desk.reopened()
    assert ids(reopened) == ["test/one"]
    assert len(server.requests) == 1


def test_offline_nothing_is_fetched_and_what_is_there_has_no_problem(
    desk: Desk, server: CatalogueServer
) -> None:
    desk.refresh()
    desk.network = Network(offline=True)
    (known,) = desk.refresh()
    assert (known.problem, len(server.requests)) == (None, 1)
    assert ids(desk.catalogues) == ["test/one"]


def test_offline_the_first_time_is_said(desk: Desk, server: CatalogueServer) -> None:
    desk.network = Network(offline=True)
    (known,) = desk.refresh()
    assert known.problem is not None
    assert "offline" in known.problem.what
    assert server.requests == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ({"data": b"not json"}, "can't be read"),
        ({"data": published(schema_version=9)}, "is of version 9"),
        ({"data": published() + b" " * (17 << 20)}, "too large"),
        ({"never_ends": True}, "too large"),
        ({"status": 404}, "no catalogue at this address"),
        ({"status": 403}, "refuses access"),
        ({"status": 500}, "status 500"),
        ({"data": published(id="causeway")}, "can't be used"),
    ],
)
def test_the_last_good_copy_stays_whatever_comes(
    desk: Desk, server: CatalogueServer, spoil: dict[str, Any], words: str
) -> None:
    desk.refresh()
    for name, value in spoil.items():
        setattr(server, name, value)
    if "data" not in spoil:
        server.data += b" "
    (known,) = desk.refresh()
    assert known.problem is not None
    assert words in known.problem.what
    assert ids(desk.catalogues) == ["test/one"]
    assert ids(desk.reopened()) == ["test/one"]


def test_a_broken_entry_is_left_out_and_named(desk: Desk, server: CatalogueServer) -> None:
    server.data = encoded(catalogue_data(entry_data("one"), entry_data("two", kind="wizard")))
    (known,) = desk.refresh()
    assert known.problem is None
    assert [error.what for error in known.left_out] == [
        f"The catalogue “{server.url}”, entry 2 (“two”), is left out."
    ]
    assert ids(desk.catalogues) == ["test/one"]


@pytest.mark.parametrize("catalogue_id", ["causeway", "test"])
def test_an_id_that_is_taken_is_refused_in_words(
    desk: Desk, tmp_path: Path, catalogue_id: str
) -> None:
    mine = tmp_path / "mine.json"
    mine.write_bytes(published("other", id=catalogue_id))
    desk.addresses.append(str(mine))
    _, second = desk.refresh()
    assert second.catalogue is None
    assert second.problem is not None
    assert f"“{catalogue_id}”" in second.problem.why
    assert ids(desk.catalogues) == ["test/one"]


def test_a_file_is_there_without_a_refresh_and_follows_its_changes(tmp_path: Path) -> None:
    mine = tmp_path / "mine.json"
    mine.write_bytes(published("one"))
    desk = Desk(tmp_path / "cache", str(mine))
    assert ids(desk.catalogues) == ["test/one"]
    mine.write_bytes(published("another"))
    desk.refresh()
    assert ids(desk.catalogues) == ["test/another"]


def test_the_last_good_copy_of_a_file_stays(tmp_path: Path) -> None:
    mine = tmp_path / "mine.json"
    mine.write_bytes(published("one"))
    desk = Desk(tmp_path / "cache", str(mine))
    assert ids(desk.catalogues) == ["test/one"]
    mine.write_bytes(b"half a catal")
    for catalogues in (desk.catalogues, desk.reopened()):
        (known,) = catalogues.refresh()[1:]
        assert known.problem is not None
        assert ids(catalogues) == ["test/one"]
    mine.unlink()
    reopened = desk.reopened()
    assert ids(reopened) == ["test/one"]
    problem = reopened.known()[1].problem
    assert problem is not None
    assert str(mine) in problem.what


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    for address in (str(tmp_path), str(tmp_path / "none"), "a\0b", "~nobody-at-all/x.json"):
        desk = Desk(tmp_path / "cache", address)
        (known,) = desk.refresh()
        assert known.problem is not None
        assert known.problem.fix == "Check its address in the settings."


@pytest.mark.parametrize(
    "address",
    ["http://example.org/c.json", "ftp://example.org/c.json", "file:///etc/passwd", "https://"],
)
def test_only_https_is_fetched(tmp_path: Path, address: str) -> None:
    (known,) = Desk(tmp_path, address).refresh()
    assert known.problem is not None
    assert "neither a file nor an https address" in known.problem.why


@pytest.mark.parametrize("damage", [b"", b"\xff" * 100, None])
def test_a_damaged_copy_is_ignored_and_fetched_anew(
    desk: Desk, server: CatalogueServer, damage: bytes | None
) -> None:
    desk.refresh()
    (copy,) = desk.folder.iterdir()
    whole = copy.read_bytes()
    copy.write_bytes(whole.replace(b"Model one", b"Model 0ne") if damage is None else damage)
    reopened = desk.reopened()
    assert ids(reopened) == []
    reopened.refresh()
    assert ids(reopened) == ["test/one"]
    assert server.requests[-1].if_none_match == ""


def test_name_and_password_are_used_but_never_written_or_said(
    desk: Desk, server: CatalogueServer
) -> None:
    desk.addresses[:] = [server.url.replace("://", "://me:secret@") + "?key=hidden"]
    (known,) = desk.refresh()
    assert server.requests[0].authorization == "Basic bWU6c2VjcmV0"
    assert ids(desk.catalogues) == ["test/one"]
    assert "secret" not in known.shown_address
    server.data = b"broken"
    (known,) = desk.refresh()
    assert known.problem is not None
    for said in (str(known.problem), repr(known)):
        assert "secret" not in said
    assert "hidden" not in str(known.problem)
    (copy,) = desk.folder.iterdir()
    for secret in (b"secret", b"hidden"):
        assert secret not in copy.read_bytes()


def test_a_catalogue_that_is_removed_is_gone_at_once_and_its_copy_at_the_next_refresh(
    desk: Desk,
) -> None:
    desk.refresh()
    desk.addresses.clear()
    assert len(desk.catalogues.known()) == 1
    assert ids(desk.catalogues) == []
    desk.refresh()
    assert list(desk.folder.iterdir()) == []


def test_a_cancel_ends_a_refresh_at_once_and_leaves_what_there_was(
    desk: Desk, server: CatalogueServer
) -> None:
    desk.refresh()
    server.never_ends = True
    server.data = b" "
    server.pause = 30
    cancelled = threading.Event()
    thread = threading.Thread(target=desk.catalogues.refresh, args=(cancelled,))
    thread.start()
    while len(server.requests) < 2:
        time.sleep(0.01)
    cancelled.set()
    thread.join(60)
    assert not thread.is_alive()
    assert ids(desk.catalogues) == ["test/one"]
    assert desk.catalogues.known()[1].problem is None


def test_a_cache_that_cannot_be_written_does_not_hide_the_catalogue(
    desk: Desk, tmp_path: Path
) -> None:
    desk.folder.write_bytes(b"a file where the folder should be")
    (known,) = desk.refresh()
    assert known.problem is not None
    assert "can't be kept" in known.problem.what
    assert ids(desk.catalogues) == ["test/one"]


def test_readers_see_one_state_or_the_other_while_it_is_refreshed(
    desk: Desk, server: CatalogueServer
) -> None:
    desk.refresh()
    stop = threading.Event()
    seen: set[tuple[str, ...]] = set()

    def read() -> None:
        while not stop.is_set():
            seen.add(tuple(ids(desk.catalogues)))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(6):
        server.data = published("one" if turn % 2 else "two")
        desk.refresh()
    stop.set()
    for reader in readers:
        reader.join()
    assert seen <= {("test/one",), ("test/two",)}
