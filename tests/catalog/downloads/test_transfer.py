"""One file comes whole and verified, from whichever server, or an error says why not."""

import hashlib
import os
import socket
import threading
import time
from pathlib import Path

import msgspec
import pytest

from catalog.catalogues.entries import HubFile, Url
from catalog.downloads.fetch import discard_partial, fetched_bytes
from catalog.errors import DownloadCancelled, DownloadError
from catalog.hub.errors import HubError
from catalog.network import Network
from catalog.progress import DownloadProgress
from catalog.remote_file import RemoteFile
from catalog.retries import Patience
from tests.catalog.downloads.files import HASTY, NAME, get, left_in, starts, wanted_from
from tests.catalog.file_server import FileServer, Generated

CONTENT = os.urandom(300_001)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
BIG = Generated(40_000_003)
BIG_SHA256 = BIG.sha256
FILE = HubFile("owner/name", f"folder/{NAME}")


def test_what_arrives_is_hashed_and_lies_at_its_target(tmp_path: Path) -> None:
    with FileServer({NAME: CONTENT}) as server:
        fetched = get(wanted_from(server), tmp_path)
    assert fetched.path == tmp_path / "owner/name" / NAME
    assert fetched.path.read_bytes() == CONTENT
    assert (fetched.sha256, fetched.size_bytes) == (SHA256, len(CONTENT))
    assert left_in(tmp_path) == [NAME]


def test_a_big_file_comes_over_several_connections(tmp_path: Path) -> None:
    with FileServer({NAME: BIG}, latency=0.02, bytes_per_second_per_connection=20e6) as server:
        fetched = get(wanted_from(server), tmp_path)
        assert fetched.sha256 == BIG_SHA256
        assert server.open_most > 1
        assert server.bytes_sent == BIG.size  # nothing twice


def test_one_connection_asks_once(tmp_path: Path) -> None:
    with FileServer({NAME: BIG}) as server:
        assert get(wanted_from(server), tmp_path, connections=1).sha256 == BIG_SHA256
        assert server.ranges_asked == [""]


@pytest.mark.parametrize("sizes", [True, False], ids=["with a length", "without a length"])
def test_a_server_without_ranges_is_read_in_one_stream(tmp_path: Path, sizes: bool) -> None:
    with FileServer({NAME: BIG}, ranges=False, sizes=sizes) as server:
        assert get(wanted_from(server), tmp_path).sha256 == BIG_SHA256
        assert len(server.requests) == 1


def test_a_file_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    with FileServer({NAME: CONTENT}) as server:
        wanted = wanted_from(server, sha256=SHA256, size=len(CONTENT))
        assert get(wanted, tmp_path) == get(wanted, tmp_path)
        assert len(server.requests) == 1


@pytest.mark.parametrize("there", [b"mine", CONTENT[::-1]], ids=["other size", "other content"])
def test_a_person_s_own_file_of_that_name_is_not_written_over(tmp_path: Path, there: bytes) -> None:
    target = tmp_path / "owner/name" / NAME
    target.parent.mkdir(parents=True)
    target.write_bytes(there)
    with (
        FileServer({NAME: CONTENT}) as server,
        pytest.raises(DownloadError, match="already there, but it is another file"),
    ):
        get(wanted_from(server, sha256=SHA256, size=len(CONTENT)), tmp_path)
    assert target.read_bytes() == there
    assert server.requests == []


@pytest.mark.parametrize(
    "target", ["../model.bin", "/model.bin", "a/../../b", "C:model.bin", "a\\b", "a//b", "", "con"]
)
def test_no_path_leaves_the_folder(tmp_path: Path, target: str) -> None:
    with FileServer({NAME: CONTENT}) as server:
        wanted = msgspec.structs.replace(wanted_from(server), target=target)
        with pytest.raises(DownloadError, match="name that can't be kept"):
            get(wanted, tmp_path / "models")
    assert left_in(tmp_path) == []


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "models/owner").symlink_to(tmp_path / "elsewhere")
    with FileServer({NAME: CONTENT}) as server, pytest.raises(DownloadError, match="A link leads"):
        get(wanted_from(server), tmp_path / "models")
    assert left_in(tmp_path) == []


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    folder = tmp_path / "models/owner/name"
    folder.mkdir(parents=True)
    (folder / f"{NAME}.part").symlink_to(victim)
    with FileServer({NAME: CONTENT}) as server:
        assert get(wanted_from(server), tmp_path / "models").sha256 == SHA256
    assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize("url", ["http://files.invalid/model.bin", "ftp://files.invalid/model.bin"])
def test_only_encrypted_addresses_are_fetched(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="not a safe one"):
        get(wanted_from(Url(url)), tmp_path)


def test_a_redirect_to_an_unencrypted_host_is_refused(tmp_path: Path) -> None:
    with (
        FileServer({}, redirects={f"/{NAME}": "http://files.invalid/model.bin"}) as server,
        pytest.raises(DownloadError, match="without encryption"),
    ):
        get(wanted_from(server), tmp_path)


def test_offline_asks_nothing_of_anyone(tmp_path: Path) -> None:
    with (
        FileServer({NAME: CONTENT}) as server,
        pytest.raises(DownloadError, match="set to stay offline"),
    ):
        get(wanted_from(server, FILE), tmp_path, network=Network(offline=True))
    assert server.requests == []


def test_going_offline_ends_a_running_download_and_coming_back_resumes_it(tmp_path: Path) -> None:
    network = Network()
    with FileServer({NAME: BIG}, bytes_per_second_per_connection=4e6) as server:

        def switch_off(progress: DownloadProgress) -> None:
            nonlocal network
            if progress.done > 2_000_000:
                network = Network(offline=True)

        with pytest.raises(DownloadError, match="set to stay offline"):
            get(wanted_from(server), tmp_path, network=lambda: network, on_progress=switch_off)
        kept = fetched_bytes(wanted_from(server), tmp_path)
        assert kept > 2_000_000
        network = Network()
        server.bytes_per_second = 0
        already = len(server.requests)
        assert get(wanted_from(server), tmp_path).sha256 == BIG_SHA256
        assert sum(each.sent for each in server.requests[already:]) == BIG.size - kept


def test_a_proxy_from_the_settings_is_used(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with (
        FileServer({NAME: CONTENT}) as server,
        pytest.raises(DownloadError, match="no connection"),
    ):
        get(wanted_from(server), tmp_path, network=Network(proxy=f"http://127.0.0.1:{port}"))
    assert server.requests == []


def test_a_proxy_that_makes_no_sense_is_said(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"proxy.*Correct it in the settings"):
        get(
            wanted_from(Url("https://files.invalid/a")),
            tmp_path,
            network=Network(proxy="nonsense://x"),
        )


def test_the_next_source_serves_where_the_first_does_not(tmp_path: Path) -> None:
    with (
        FileServer({}) as empty,
        FileServer({NAME: bytes(len(CONTENT))}) as wrong,
        FileServer({NAME: CONTENT}) as right,
    ):
        wanted = wanted_from(empty, wrong, right, sha256=SHA256)
        assert get(wanted, tmp_path).path.read_bytes() == CONTENT
        assert len(wrong.requests) == 2


def test_bytes_from_one_source_are_gone_on_with_from_the_next(tmp_path: Path) -> None:
    with (
        FileServer({NAME: CONTENT}, faults=["cut", "404"], always=True) as breaking,
        FileServer({NAME: CONTENT}) as right,
    ):
        wanted = wanted_from(breaking, right, sha256=SHA256, size=len(CONTENT))
        assert get(wanted, tmp_path).path.read_bytes() == CONTENT
        assert starts(right.ranges_asked) == [len(CONTENT) // 2]


def test_where_no_source_works_the_first_one_s_error_is_told(tmp_path: Path) -> None:
    with (
        FileServer({}) as empty,
        FileServer({NAME: CONTENT}, faults=["400"]) as refusing,
        pytest.raises(DownloadError, match="does not have the file"),
    ):
        get(wanted_from(empty, refusing), tmp_path)
    assert left_in(tmp_path) == []


def test_the_hub_s_record_is_what_counts_where_the_catalogue_knows_nothing(tmp_path: Path) -> None:
    with (
        FileServer({NAME: bytes(len(CONTENT))}) as server,
        pytest.raises(DownloadError, match=f"begins with “.*”, and “{SHA256[:8]}” was expected"),
    ):
        get(
            wanted_from(FILE),
            tmp_path,
            resolve=lambda file: RemoteFile(
                url=server.address(NAME), sha256=SHA256, size=len(CONTENT)
            ),
        )
    assert left_in(tmp_path) == []


def test_a_hub_that_has_another_file_by_now_is_not_downloaded_from(tmp_path: Path) -> None:
    with FileServer({NAME: CONTENT}) as server:
        with pytest.raises(DownloadError, match="another file by now"):
            get(
                wanted_from(FILE, sha256="0" * 64),
                tmp_path,
                resolve=lambda file: RemoteFile(url=server.address(NAME), sha256=SHA256, size=None),
            )
        assert server.requests == []


def test_a_mirror_without_sizes_and_checksums_still_serves(tmp_path: Path) -> None:
    with FileServer({NAME: CONTENT}, sizes=False, ranges=False, heads=False) as server:
        fetched = get(
            wanted_from(FILE),
            tmp_path,
            resolve=lambda file: RemoteFile(url=server.address(NAME), sha256=None, size=None),
        )
    assert fetched.sha256 == SHA256


def test_an_address_that_expires_is_asked_for_anew_and_no_byte_is_lost(tmp_path: Path) -> None:
    asked = 0
    with FileServer({NAME: BIG}, signed=True, bytes_per_second_per_connection=10e6) as server:

        def resolve(file: HubFile) -> RemoteFile:
            nonlocal asked
            asked += 1
            return RemoteFile(url=server.sign(NAME), sha256=BIG_SHA256, size=BIG.size)

        expiring = threading.Timer(0.4, server.expire)
        expiring.start()
        assert get(wanted_from(FILE), tmp_path, resolve=resolve).sha256 == BIG_SHA256
        expiring.join()
        assert asked == 2
        assert server.bytes_sent == BIG.size


def test_an_expired_address_behind_a_redirect_is_got_from_there_again(tmp_path: Path) -> None:
    with (
        FileServer({NAME: BIG}, signed=True, bytes_per_second_per_connection=10e6) as store,
        FileServer({}) as front,
    ):
        front.redirects = {f"/{NAME}": store.sign(NAME)}

        def expire() -> None:
            store.expire()
            front.redirects = {f"/{NAME}": store.sign(NAME)}

        expiring = threading.Timer(0.6, expire)
        expiring.start()
        assert get(wanted_from(front), tmp_path).sha256 == BIG_SHA256
        expiring.join()
        assert store.bytes_sent == BIG.size
        assert len(front.requests) < len(store.requests) / 2  # most go past the redirect


def test_an_address_that_never_works_is_not_asked_for_for_ever(tmp_path: Path) -> None:
    asked = 0
    with FileServer({NAME: CONTENT}, faults=["expired"], always=True) as server:

        def resolve(file: HubFile) -> RemoteFile:
            nonlocal asked
            asked += 1
            return RemoteFile(url=server.address(NAME), sha256=SHA256, size=None)

        with pytest.raises(DownloadError, match="refuses access"):
            get(wanted_from(FILE), tmp_path, resolve=resolve)
    assert asked == 3


def test_a_hub_that_can_not_answer_just_now_is_asked_again(tmp_path: Path) -> None:
    asked = 0
    with FileServer({NAME: CONTENT}) as server:

        def resolve(file: HubFile) -> RemoteFile:
            nonlocal asked
            asked += 1
            if asked < 3:
                raise HubError("The Hub is busy.", may_pass=True)
            return RemoteFile(url=server.address(NAME), sha256=SHA256, size=None)

        assert get(wanted_from(FILE), tmp_path, resolve=resolve).sha256 == SHA256


def test_what_the_hub_refuses_is_passed_on_at_once(tmp_path: Path) -> None:
    def resolve(file: HubFile) -> RemoteFile:
        raise HubError("“owner/name” is gated.", fix="Agree to its terms first.")

    with pytest.raises(HubError, match="gated"):
        get(wanted_from(FILE), tmp_path, resolve=resolve)


def test_no_address_with_a_signature_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with FileServer({NAME: CONTENT}, signed=True) as server:
        get(
            wanted_from(FILE),
            tmp_path,
            resolve=lambda file: RemoteFile(url=server.sign(NAME), sha256=SHA256, size=None),
        )
    assert "signature" not in caplog.text


def test_the_token_goes_to_no_other_origin_and_into_no_file(tmp_path: Path) -> None:
    with (
        FileServer({NAME: CONTENT}, faults=["cut", "400"]) as store,
        FileServer(
            {}, authorization="Bearer s3cret", redirects={f"/{NAME}": store.address(NAME)}
        ) as front,
    ):

        def resolve(file: HubFile) -> RemoteFile:
            return RemoteFile(
                url=front.address(NAME),
                sha256=SHA256,
                size=len(CONTENT),
                authorization="Bearer s3cret",
            )

        with pytest.raises(DownloadError) as caught:
            get(wanted_from(FILE), tmp_path, resolve=resolve)
        kept = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert kept
        assert not any(b"s3cret" in path.read_bytes() for path in kept)
        assert "s3cret" not in str(caught.value)
        assert get(wanted_from(FILE), tmp_path, resolve=resolve).sha256 == SHA256
        assert {each.headers["Authorization"] for each in front.requests} == {"Bearer s3cret"}
        assert not any("Authorization" in each.headers for each in store.requests)


def test_a_web_page_in_the_model_s_place_is_refused(tmp_path: Path) -> None:
    with (
        FileServer({NAME: b"\n<!DOCTYPE html><p>Log in first"}) as server,
        pytest.raises(DownloadError, match="It is a web page"),
    ):
        get(wanted_from(server), tmp_path)
    assert left_in(tmp_path) == []


def test_a_cancel_keeps_what_came_and_discarding_frees_it(tmp_path: Path) -> None:
    cancelled = threading.Event()
    with FileServer({NAME: BIG}, bytes_per_second_per_connection=5e6) as server:
        wanted = wanted_from(server)

        def cancel(progress: DownloadProgress) -> None:
            if progress.done > 3_000_000:
                cancelled.set()

        with pytest.raises(DownloadCancelled):
            get(wanted, tmp_path, cancelled=cancelled, on_progress=cancel)
    assert fetched_bytes(wanted, tmp_path) > 3_000_000
    discard_partial(wanted, tmp_path)
    assert fetched_bytes(wanted, tmp_path) == 0
    assert left_in(tmp_path) == []


def test_progress_ends_at_the_whole_and_never_goes_back(tmp_path: Path) -> None:
    seen: list[DownloadProgress] = []
    with FileServer({NAME: BIG}, bytes_per_second_per_connection=10e6) as server:
        get(wanted_from(server), tmp_path, on_progress=seen.append)
    done = [each.done for each in seen if each.stage == "downloading"]
    assert done == sorted(done)
    assert done[-1] == BIG.size
    assert len(done) > 5
    assert {each.total for each in seen if each.stage == "downloading"} <= {None, BIG.size}


def test_waiting_for_a_server_is_said(tmp_path: Path) -> None:
    seen: list[DownloadProgress] = []
    with FileServer({NAME: CONTENT}, faults=["429"]) as server:
        server.retry_after = "1"
        started = time.monotonic()
        get(wanted_from(server), tmp_path, on_progress=seen.append)
        assert time.monotonic() - started >= 1
    assert any("can't answer now (status 429). Trying again in 1 s." in each.note for each in seen)


def test_a_server_that_asks_for_an_hour_is_not_waited_for(tmp_path: Path) -> None:
    with FileServer({NAME: CONTENT}, faults=["503"]) as server:
        server.retry_after = "3600"
        with pytest.raises(DownloadError, match="left alone for 60 minutes"):
            get(wanted_from(server), tmp_path)


def test_a_second_download_of_the_same_file_waits_and_shows_the_first_one_s(tmp_path: Path) -> None:
    seen: list[DownloadProgress] = []
    with FileServer({NAME: BIG}, bytes_per_second_per_connection=8e6) as server:
        first = threading.Thread(target=get, args=(wanted_from(server), tmp_path))
        first.start()
        while fetched_bytes(wanted_from(server), tmp_path) == 0:
            time.sleep(0.02)
        assert get(wanted_from(server), tmp_path, on_progress=seen.append).sha256 == BIG_SHA256
        first.join()
        assert server.bytes_sent == BIG.size
    assert any(each.elsewhere and 0 < each.done < BIG.size for each in seen)


def test_a_server_that_bears_few_connections_is_downloaded_from_with_those(tmp_path: Path) -> None:
    with FileServer(
        {NAME: BIG}, faults=["503", "503"], bytes_per_second_per_connection=20e6
    ) as server:
        server.faults = []
        refusals = threading.Timer(0.0, lambda: server.faults.extend(["503", "503"]))
        refusals.start()
        assert get(wanted_from(server), tmp_path).sha256 == BIG_SHA256
        refusals.join()
        assert server.bytes_sent == BIG.size


def test_a_drip_is_given_up_on_but_a_slow_line_is_not(tmp_path: Path) -> None:
    patience = msgspec.structs.replace(HASTY, read_seconds=0.3)
    with FileServer({NAME: CONTENT}, bytes_per_second_per_connection=300_000) as slow:
        assert get(wanted_from(slow), tmp_path / "a", patience=patience).sha256 == SHA256
    with FileServer({NAME: CONTENT}, bytes_per_second_per_connection=60) as drip:
        drip_patience = Patience(read_seconds=1, attempts=2, pause_seconds=0.01)
        with pytest.raises(DownloadError, match=r"hardly sends|stopped sending"):
            get(wanted_from(drip), tmp_path / "b", patience=drip_patience)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with FileServer({NAME: b""}) as server, pytest.raises(DownloadError, match="is empty"):
        get(wanted_from(server), tmp_path)
    assert left_in(tmp_path) == []


def test_a_disk_that_gets_too_full_in_the_middle_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    usage = shutil.disk_usage(tmp_path)
    with FileServer({NAME: BIG}, bytes_per_second_per_connection=4e6) as server:

        def fill(progress: DownloadProgress) -> None:
            if progress.done > 2_000_000:
                monkeypatch.setattr(
                    shutil, "disk_usage", lambda path: usage._replace(free=20_000_000)
                )

        with pytest.raises(DownloadError, match=r"not enough room .* 20 MB are free"):
            get(wanted_from(server), tmp_path, on_progress=fill)
        monkeypatch.undo()
        assert fetched_bytes(wanted_from(server), tmp_path) > 2_000_000
