"""Every fault that a server can have ends in the right bytes or in a clear error."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from catalog.catalogues.entries import HubFile
from catalog.downloads.fetch import fetched_bytes
from catalog.errors import DownloadError
from catalog.progress import DownloadProgress
from catalog.remote_file import RemoteFile
from tests.catalog.downloads.files import NAME, get, left_in, starts, wanted_from
from tests.catalog.file_server import Content, Fault, FileServer, Generated

SMALL = os.urandom(300_001)
SMALL_SHA256 = hashlib.sha256(SMALL).hexdigest()
BIG = Generated(24_000_001)
BIG_SHA256 = BIG.sha256

PASSING: list[list[Fault]] = [
    ["reset"],
    ["cut"],
    ["stall"],
    ["mute"],
    ["drip"],
    ["429"],
    ["500", "503"],
    ["wrong bytes"],
    ["longer"],
    ["shorter"],
    ["no range"],
    ["wrong range"],
    ["wrong size"],
    ["416"],
    ["new etag"],
    ["overlong"],
    ["endless"],
    ["cut", "no range"],
    ["cut", "wrong range"],
    ["cut", "wrong size"],
    ["cut", "416"],
    ["cut", "new etag"],
    ["reset", "new etag", "cut"],
    ["drip", "drip", "stall"],
    ["503", "429", "reset", "500"],
]

LASTING: list[tuple[Fault, str]] = [
    ("reset", "broke off|broke"),
    ("cut", "broke off"),
    ("stall", "stopped sending"),
    ("mute", "stopped sending"),
    ("drip", "broke off"),
    ("400", "did not understand the request"),
    ("401", r"refuses access \(status 401\)"),
    ("403", r"refuses access \(status 403\)"),
    ("404", "does not have the file"),
    ("410", "does not have the file"),
    ("429", r"can't answer now \(status 429\)"),
    ("500", r"can't answer now \(status 500\)"),
    ("503", r"can't answer now \(status 503\)"),
    ("wrong bytes", "arrived damaged, twice.*SHA-256 begins with"),
    ("longer", "arrived damaged, twice.* bytes where .* were expected"),
    ("shorter", "arrived damaged, twice.* bytes where .* were expected"),
    ("redirect loop", "sends in circles"),
    ("endless", "arrived damaged, twice.*sends more than"),
]


@pytest.mark.parametrize("content", [SMALL, BIG], ids=["one connection", "several connections"])
@pytest.mark.parametrize("faults", PASSING, ids=" then ".join)
def test_gets_over_what_passes(tmp_path: Path, faults: list[Fault], content: Content) -> None:
    sha256, size = (
        (SMALL_SHA256, len(SMALL)) if isinstance(content, bytes) else (BIG_SHA256, BIG.size)
    )
    with FileServer({NAME: content}, faults=faults) as server:
        fetched = get(wanted_from(server, sha256=sha256, size=size), tmp_path)
        assert not server.faults
    assert fetched.sha256 == sha256
    assert left_in(tmp_path) == [NAME]


@pytest.mark.parametrize(
    "faults", [["reset"], ["cut", "no range"], ["drip"], ["cut", "new etag"]], ids=" then ".join
)
def test_gets_over_it_knowing_neither_size_nor_checksum(
    tmp_path: Path, faults: list[Fault]
) -> None:
    with FileServer({NAME: BIG}, faults=faults) as server:
        assert get(wanted_from(server), tmp_path).sha256 == BIG_SHA256
        assert not server.faults


@pytest.mark.parametrize("content", [SMALL, BIG], ids=["one connection", "several connections"])
@pytest.mark.parametrize(("fault", "words"), LASTING, ids=[fault for fault, _ in LASTING])
def test_what_lasts_ends_in_words_and_never_under_the_final_name(
    tmp_path: Path, fault: Fault, words: str, content: Content
) -> None:
    sha256, size = (
        (SMALL_SHA256, len(SMALL)) if isinstance(content, bytes) else (BIG_SHA256, BIG.size)
    )
    with (
        FileServer({NAME: content}, faults=[fault], always=True) as server,
        pytest.raises(DownloadError, match=words) as caught,
    ):
        get(wanted_from(server, sha256=sha256, size=size), tmp_path)
    assert "http" not in str(caught.value)
    assert NAME not in left_in(tmp_path)


@pytest.mark.parametrize("fault", ["new etag", "no range", "slow"])
def test_servers_that_are_only_odd_serve(tmp_path: Path, fault: Fault) -> None:
    with FileServer({NAME: SMALL}, faults=[fault], always=True) as server:
        assert get(wanted_from(server), tmp_path).sha256 == SMALL_SHA256


@pytest.mark.parametrize("fault", ["wrong range", "416"])
def test_a_server_whose_ranges_are_wrong_is_read_without_them(tmp_path: Path, fault: Fault) -> None:
    faults: list[Fault] = [fault]
    with FileServer({NAME: BIG}, faults=faults) as server:
        assert get(wanted_from(server, size=BIG.size), tmp_path).sha256 == BIG_SHA256
        assert server.ranges_asked[-1] == ""


def test_an_answer_without_end_stops_when_the_disk_would_fill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)

    def shrinking(path: Path) -> object:
        used = sum(each.stat().st_size for each in tmp_path.rglob("*.part"))
        return usage._replace(free=100_000_000 - used)

    monkeypatch.setattr(shutil, "disk_usage", shrinking)
    with (
        FileServer({NAME: SMALL}, faults=["endless"], always=True) as server,
        pytest.raises(DownloadError, match="not enough room"),
    ):
        get(wanted_from(server), tmp_path)


def test_a_file_that_changes_on_the_server_is_begun_anew_and_that_is_said(tmp_path: Path) -> None:
    seen: list[DownloadProgress] = []
    with FileServer({NAME: BIG}, bytes_per_second_per_connection=10e6) as server:

        def change(progress: DownloadProgress) -> None:
            seen.append(progress)
            if progress.done and not changed:
                changed.append(True)
                server.files[NAME] = SMALL
                server.etag = "second"

        changed: list[bool] = []
        fetched = get(wanted_from(server), tmp_path, on_progress=change)
    assert fetched.path.read_bytes() == SMALL
    assert any("has changed" in each.note for each in seen)


def test_a_part_of_a_file_that_has_changed_since_is_not_gone_on_with(tmp_path: Path) -> None:
    with FileServer({NAME: BIG}, faults=["cut", "400"]) as server:
        with pytest.raises(DownloadError, match="did not understand"):
            get(wanted_from(server), tmp_path)
        assert fetched_bytes(wanted_from(server), tmp_path) > 0
        server.files[NAME] = SMALL
        server.etag = "second"
        assert get(wanted_from(server), tmp_path).path.read_bytes() == SMALL


def test_a_break_costs_no_byte(tmp_path: Path) -> None:
    faults: list[Fault] = ["cut", "stall", "cut"]
    with FileServer({NAME: SMALL}, faults=faults) as server:
        get(wanted_from(server, sha256=SMALL_SHA256, size=len(SMALL)), tmp_path)
        half = len(SMALL) // 2
        quarter = half + (len(SMALL) - half) // 2
        assert starts(server.ranges_asked)[:3] == [0, half, quarter]
        assert server.bytes_sent == len(SMALL)


def test_a_drip_can_not_hold_a_download_for_ever(tmp_path: Path) -> None:
    with (
        FileServer({NAME: BIG}, faults=["drip"], always=True) as server,
        pytest.raises(DownloadError, match="broke off"),
    ):
        get(wanted_from(server), tmp_path)
    assert len(server.requests) < 20
    assert fetched_bytes(wanted_from(server), tmp_path) > 0


def test_a_line_that_keeps_breaking_gets_there_while_it_brings_something(tmp_path: Path) -> None:
    faults: list[Fault] = ["cut", "reset"] * 4
    with FileServer({NAME: BIG}, faults=faults) as server:
        fetched = get(
            wanted_from(server, sha256=BIG_SHA256, size=BIG.size), tmp_path, connections=1
        )
        assert fetched.sha256 == BIG_SHA256
        assert not server.faults


def test_signed_addresses_that_expire_again_and_again_are_renewed(tmp_path: Path) -> None:
    with FileServer({NAME: BIG}, signed=True, faults=["cut", "expired"] * 4) as server:
        fetched = get(
            wanted_from(HubFile("owner/name", NAME)),
            tmp_path,
            resolve=lambda file: RemoteFile(
                url=server.sign(NAME), sha256=BIG_SHA256, size=BIG.size
            ),
            connections=1,
        )
        assert fetched.sha256 == BIG_SHA256
        assert not server.faults
