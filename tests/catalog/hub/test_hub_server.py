"""The Hub stand-in, as the Hub's own client sees it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import HfApi, close_session, hf_hub_download, set_client_factory
from huggingface_hub.errors import (
    GatedRepoError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import tqdm

from tests.catalog.hub_server import HubServer

CONTENT = b"GGUF" + bytes(range(256)) * 64


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    monkeypatch.setattr(tqdm, "monitor_interval", 0)  # a thread that would never end
    set_client_factory(lambda: httpx2.Client(follow_redirects=True, timeout=10))
    with HubServer(tokens={"hf_right": "ada"}) as server:
        yield server
        close_session()


def test_the_client_pages_through_a_search(hub: HubServer) -> None:
    for number in range(70):
        hub.add(f"maker/model-{number}-GGUF", {}, downloads=number)
    found = list(HfApi(hub.url, token=False).list_models(filter="gguf", sort="downloads"))
    assert [each.id for each in found] == [
        f"maker/model-{number}-GGUF" for number in range(69, -1, -1)
    ]
    assert len(hub.asked("/api/models")) == 3


def test_the_client_reads_a_repository(hub: HubServer) -> None:
    hub.add("maker/tiny-GGUF", {"tiny-Q4_0.gguf": CONTENT}, card="# Tiny", parameters=7)
    api = HfApi(hub.url, token=False)
    info = api.model_info("maker/tiny-GGUF", files_metadata=True)
    weights = next(each for each in info.siblings or [] if each.rfilename == "tiny-Q4_0.gguf")
    assert (weights.size, weights.lfs and weights.lfs.sha256) == (
        len(CONTENT),
        hashlib.sha256(CONTENT).hexdigest(),
    )
    assert {each.path for each in api.list_repo_tree("maker/tiny-GGUF")} == {
        "tiny-Q4_0.gguf",
        "README.md",
    }
    [entry] = api.get_paths_info("maker/tiny-GGUF", ["tiny-Q4_0.gguf"])
    assert entry.path == "tiny-Q4_0.gguf"
    assert api.list_repo_refs("maker/tiny-GGUF").branches[0].target_commit == info.sha


def test_the_client_downloads_from_the_cdn_without_the_token(
    hub: HubServer, tmp_path: Path
) -> None:
    hub.add("maker/tiny-GGUF", {"tiny-Q4_0.gguf": CONTENT}, gated=True, readers=["ada"])
    path = hf_hub_download(
        "maker/tiny-GGUF",
        "tiny-Q4_0.gguf",
        endpoint=hub.url,
        token="hf_right",
        local_dir=tmp_path,
    )
    assert Path(path).read_bytes() == CONTENT
    assert hub.cdn.gets()
    sent = {name.lower() for each in hub.cdn.requests for name in each.headers}
    assert "authorization" not in sent


def test_refusals_are_those_that_the_client_knows(hub: HubServer, tmp_path: Path) -> None:
    hub.add("maker/gated-GGUF", {"a.gguf": CONTENT}, gated="manual", readers=["grace"])
    hub.add("maker/open-GGUF", {"a.gguf": CONTENT})
    api, known = HfApi(hub.url, token=False), HfApi(hub.url, token="hf_right")
    with pytest.raises(GatedRepoError):
        api.auth_check("maker/gated-GGUF")
    with pytest.raises(GatedRepoError):
        known.auth_check("maker/gated-GGUF")
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("maker/missing")
    with pytest.raises(RevisionNotFoundError):
        api.model_info("maker/open-GGUF", revision="v9")
    with pytest.raises(RemoteEntryNotFoundError):
        api.hf_hub_download("maker/open-GGUF", "b.gguf", local_dir=tmp_path)
    assert known.whoami()["name"] == "ada"
