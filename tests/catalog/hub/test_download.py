"""A download through the Hub: resolved, redirected, verified, resolved anew when it must be."""

import hashlib
import threading
from pathlib import Path

import pytest

from catalog.catalogues.entries import HubFile
from catalog.downloads.fetch import fetch_file
from catalog.downloads.rate_limit import RateLimiter
from catalog.downloads.wanted import WantedFile
from catalog.hub.errors import GatedRepository
from catalog.hub.hub import Hub
from catalog.network import Network
from catalog.remote_file import RemoteFile
from tests.catalog.file_server import Fault, Generated
from tests.catalog.hub_server import HubServer

SOURCE = HubFile("maker/tiny-GGUF", "tiny-Q4_0.gguf")
CONTENT = Generated(3_000_000, seed=7)


def fetch(server: HubServer, folder: Path, *, token: str = "") -> tuple[str, list[RemoteFile]]:
    """The SHA-256 of the file that was fetched, and what it was resolved to on the way."""
    network = Network(hub_endpoint=server.url, hub_token=token)
    hub = Hub(lambda: network)
    resolved: list[RemoteFile] = []

    def resolve(source: HubFile) -> RemoteFile:
        resolved.append(hub.resolve(source))
        return resolved[-1]

    fetched = fetch_file(
        WantedFile(sources=(SOURCE,), target=SOURCE.path),
        folder,
        network=network,
        resolve=resolve,
        limiter=RateLimiter(lambda: 0),
        on_progress=lambda progress: None,
        cancelled=threading.Event(),
    )
    with fetched.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), resolved


@pytest.mark.parametrize("faults", [[], ["expired"], ["wrong bytes"]])
def test_the_right_bytes_arrive(tmp_path: Path, faults: list[Fault]) -> None:
    with HubServer() as server:
        server.add(SOURCE.repo, {SOURCE.path: CONTENT})
        server.cdn.faults = list(faults)
        digest, resolved = fetch(server, tmp_path)
    assert digest == CONTENT.sha256
    assert len({each.url for each in resolved}) == (2 if faults == ["expired"] else 1)


def test_a_gated_file_is_fetched_with_the_token_which_the_cdn_never_sees(tmp_path: Path) -> None:
    with HubServer(tokens={"hf_right": "ada"}) as server:
        server.add(SOURCE.repo, {SOURCE.path: CONTENT}, gated=True, readers=["ada"])
        with pytest.raises(GatedRepository):
            fetch(server, tmp_path)
        assert list(tmp_path.rglob("*.gguf")) == []
        digest, _ = fetch(server, tmp_path, token="hf_right")
        sent = {name.lower() for each in server.cdn.requests for name in each.headers}
    assert digest == CONTENT.sha256
    assert "authorization" not in sent


def test_a_mirror_that_only_serves_files_is_enough(tmp_path: Path) -> None:
    with HubServer(listing=False, heads=False) as server:
        server.add(SOURCE.repo, {SOURCE.path: CONTENT})
        digest, _ = fetch(server, tmp_path)
    assert digest == CONTENT.sha256
