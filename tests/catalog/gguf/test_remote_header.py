"""Headers are read from a real server, in pieces, and only as far as needed."""

import struct
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import BadModelFile, DownloadCancelled, DownloadError
from catalog.gguf.files import GgufHeader, read_header
from catalog.gguf.remote_header import read_remote_header
from catalog.network import Network
from catalog.remote_file import RemoteFile
from catalog.retries import Patience
from tests.catalog.file_server import Fault, FileServer
from tests.catalog.gguf.test_gguf import ARRAY, LLAMA, STRING, U32, array, file, pair, tensor, text
from tests.gguf_files import CORRUPTIONS, corrupt, write_model

MB = 1 << 20
PIECE = 2 * MB
QUICK = Patience(connect_seconds=2, read_seconds=0.5, attempts=3, pause_seconds=0.01)

Read = Callable[..., GgufHeader]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads the header of a file on a server."""

    def read(
        server: FileServer, name: str = "model.gguf", *, offline: bool = False, **remote: object
    ) -> GgufHeader:
        fields = {"url": server.address(name), "sha256": None, "size": None} | remote
        return read_remote_header(
            RemoteFile(**fields),  # type: ignore[arg-type]
            tmp_path / "headers",
            network=Network(offline=offline),
            cancelled=threading.Event(),
            patience=QUICK,
        )

    return read


def large(vocabulary: int = 200_000, weights: int = 8 * MB) -> bytes:
    """A model whose header takes several pieces, with scores that need not be read."""
    tokens = b"".join(text(f"a rather long token {i:06}") for i in range(vocabulary))
    return file(
        LLAMA,
        pair("tokenizer.ggml.tokens", ARRAY, array(STRING, vocabulary, tokens)),
        pair("tokenizer.ggml.scores", ARRAY, array(U32, 2_000_000, bytes(8_000_000))),
        pair("llama.block_count", U32, struct.pack("<I", 7)),
        tensors=(tensor("w", (weights // 4,)),),
        data=bytes(weights),
    )


LARGE = large()


def test_is_the_same_as_that_of_the_local_file(tmp_path: Path, read: Read) -> None:
    path = write_model(tmp_path / "model.gguf")
    with FileServer({"model.gguf": path}) as server:
        assert read(server) == read_header(path)


def test_only_the_pieces_that_matter_are_fetched(tmp_path: Path, read: Read) -> None:
    with FileServer({"model.gguf": LARGE}) as server:
        header = read(server, size=len(LARGE))
        starts = [
            int(asked.removeprefix("bytes=").partition("-")[0]) for asked in server.ranges_asked
        ]
        assert server.bytes_sent <= len(server.ranges_asked) * PIECE
    path = tmp_path / "model.gguf"
    path.write_bytes(LARGE)
    assert header == read_header(path)
    assert header.n_layers == 7
    data_at = header.data_offset
    # The vocabulary takes three pieces and the end of the header one; the scores are passed over.
    assert len(starts) == 5
    assert starts[-1] == data_at // PIECE * PIECE
    assert sum(starts) < sum(range(0, data_at, PIECE))


def test_a_server_without_ranges_is_read_from_the_beginning(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(LARGE)
    with FileServer({"model.gguf": LARGE}, ranges=False) as server:
        assert read(server) == read_header(path)
        assert len(server.requests) == 1


def test_a_header_is_fetched_once(read: Read, tmp_path: Path) -> None:
    path = write_model(tmp_path / "model.gguf")
    with FileServer({"model.gguf": path, "other.gguf": path}) as server:
        first = read(server, sha256="ab" * 32)
        assert read(server, "elsewhere.gguf", sha256="AB" * 32, offline=True) == first
        assert read(server, etag='"one"', size=path.stat().st_size) == first
        assert read(server, etag='"one"', size=path.stat().st_size, offline=True) == first
        assert len(server.requests) == 2
        read(server, etag='"two"', size=path.stat().st_size)
        read(server)
        read(server)
        assert len(server.requests) == 5


def test_a_signature_in_the_address_is_no_other_file(read: Read, tmp_path: Path) -> None:
    path = write_model(tmp_path / "model.gguf")
    with FileServer({"model.gguf": path}, signed=True) as server:
        first = read(server, url=server.sign("model.gguf"), etag="e")
        server.expire()
        assert read(server, url=server.sign("model.gguf"), etag="e") == first
        assert len(server.requests) == 1


def test_a_damaged_cache_is_read_anew(read: Read, tmp_path: Path) -> None:
    path = write_model(tmp_path / "model.gguf")
    with FileServer({"model.gguf": path}) as server:
        first = read(server, sha256="ab" * 32)
        (kept,) = (tmp_path / "headers").iterdir()
        kept.write_bytes(kept.read_bytes()[:-100])
        assert read(server, sha256="ab" * 32) == first
        assert len(server.requests) == 2


def test_the_cache_is_bounded(read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.gguf.header_cache._MOST_HEADERS", 3)
    path = write_model(tmp_path / "model.gguf")
    with FileServer({"model.gguf": path}) as server:
        for number in range(6):
            read(server, sha256=f"{number:064}")
    assert len(list((tmp_path / "headers").iterdir())) == 3


@pytest.mark.parametrize("fault", ["reset", "cut", "drip", "500", "429", "wrong range"])
def test_what_passes_is_tried_again(read: Read, fault: Fault) -> None:
    with FileServer({"model.gguf": LARGE}, faults=[fault]) as server:
        assert read(server, size=len(LARGE)).n_layers == 7


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("404", "not there any more"),
        ("403", "refuses access"),
        ("wrong size", "not the file that it should be"),
        ("500", "can't answer now"),
        ("wrong range", "another part of the file"),
        ("redirect loop", "circles"),
        ("stall", "stopped sending"),
    ],
)
def test_what_does_not_pass_is_said(read: Read, fault: Fault, words: str) -> None:
    with (
        FileServer({"model.gguf": LARGE}, faults=[fault], always=True) as server,
        pytest.raises(DownloadError, match=words),
    ):
        read(server, size=len(LARGE))


def test_an_answer_without_end_is_read_as_far_as_the_cap(read: Read) -> None:
    with (
        FileServer({"model.gguf": LARGE}, faults=["endless"], always=True) as server,
        pytest.raises((BadModelFile, DownloadError)),
    ):
        read(server)


def test_a_stream_that_breaks_off_is_said(read: Read) -> None:
    with (
        FileServer({"model.gguf": LARGE}, ranges=False, faults=["reset"]) as server,
        pytest.raises(DownloadError, match="broke off"),
    ):
        read(server)


def test_a_header_without_end_is_refused_at_32_mb(read: Read) -> None:
    endless = b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + text("x")
    endless += struct.pack("<I", ARRAY) + array(STRING, 1_000_000, text("y" * 80) * 500_000)
    with (
        FileServer({"model.gguf": endless}) as server,
        pytest.raises(BadModelFile, match="larger than 32 MB"),
    ):
        read(server, size=len(endless))


@pytest.mark.parametrize("how", sorted(set(CORRUPTIONS) - {"truncated"}))  # cut in its weights
def test_hostile_headers_are_refused_in_words(read: Read, tmp_path: Path, how: str) -> None:
    source = write_model(tmp_path / "tiny.gguf")
    path = corrupt(source, tmp_path / "model.gguf", how)  # type: ignore[arg-type]
    with FileServer({"model.gguf": path}) as server, pytest.raises(BadModelFile) as caught:
        read(server)
    assert "model.gguf" in caught.value.what


def test_the_token_stays_with_its_server(read: Read, tmp_path: Path) -> None:
    path = write_model(tmp_path / "model.gguf")
    with FileServer({"cdn.gguf": path}) as cdn:
        elsewhere = {"/model.gguf": cdn.address("cdn.gguf")}
        with FileServer({}, redirects=elsewhere, authorization="Bearer secret") as server:
            read(server, authorization="Bearer secret")
            assert server.requests[-1].headers["Authorization"] == "Bearer secret"
        assert "Authorization" not in cdn.requests[-1].headers


def test_offline_nothing_is_fetched(read: Read) -> None:
    with (
        FileServer({"model.gguf": LARGE}) as server,
        pytest.raises(DownloadError, match="offline"),
    ):
        read(server, offline=True)
    assert not server.requests


def test_a_cancel_ends_it(tmp_path: Path) -> None:
    cancelled = threading.Event()
    timer = threading.Timer(0.1, cancelled.set)
    with FileServer({"model.gguf": LARGE}, faults=["mute"]) as server:
        remote = RemoteFile(url=server.address("model.gguf"), sha256=None, size=None)
        timer.start()
        with pytest.raises(DownloadCancelled):
            read_remote_header(remote, tmp_path, network=Network(), cancelled=cancelled)
    timer.join()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = write_model(tmp_path_factory.mktemp("fuzz") / "tiny.gguf", n_layers=1)
    return path.read_bytes()


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    at=st.integers(0, 9000), piece=st.binary(min_size=1, max_size=9), length=st.integers(1, 9000)
)
def test_any_mutation_is_judged_as_the_local_file_is(
    read: Read, tmp_path: Path, sound: bytes, at: int, piece: bytes, length: int
) -> None:
    data = bytearray(sound)
    data[at : at + len(piece)] = piece
    path = tmp_path / "model.gguf"
    path.write_bytes(data[:length])

    def outcome(reader: Callable[[], GgufHeader]) -> object:
        try:
            return reader()
        except BadModelFile as error:
            return error.what, error.why

    with FileServer({"model.gguf": path}) as server:
        assert outcome(lambda: read(server)) == outcome(lambda: read_header(path))
