from collections.abc import Iterator

import pytest

from catalog.hub.errors import HubError
from catalog.hub.hub import Hub
from catalog.hub.peft_files import peft_files
from catalog.hub.records import Repository
from catalog.network import Network
from tests.catalog.hub_server import HubServer

REPO = "maker/pirate-lora"
CONFIG, WEIGHTS = b'{"peft_type": "LORA"}', bytes(400)


@pytest.fixture
def server() -> Iterator[HubServer]:
    with HubServer() as server:
        yield server


def shown(server: HubServer) -> Repository:
    return Hub(lambda: Network(hub_endpoint=server.url)).repository(REPO)


def test_a_trained_adapter_is_told_by_its_files(server: HubServer) -> None:
    added = server.add(
        REPO,
        {
            "adapter_config.json": CONFIG,
            "adapter_model.safetensors": WEIGHTS,
            "adapter_model.bin": b"",
            "tokenizer.json": b"{}",
            "checkpoint-10/adapter_model.safetensors": WEIGHTS,
        },
    )

    files = peft_files(shown(server))

    assert files is not None
    assert [(each.source.path, each.size_bytes) for each in files] == [
        ("adapter_config.json", len(CONFIG)),
        ("adapter_model.safetensors", len(WEIGHTS)),
    ]
    assert {each.source.revision for each in files} == {added.commit}
    assert shown(server).groups == ()


@pytest.mark.parametrize(
    "files",
    [
        {"model-Q4_0.gguf": b"x"},
        {"adapter_config.json": CONFIG},
        {"adapter_model.safetensors": WEIGHTS},
        {"below/adapter_config.json": CONFIG, "below/adapter_model.safetensors": WEIGHTS},
    ],
)
def test_other_repositories_hold_none(server: HubServer, files: dict[str, bytes]) -> None:
    server.add(REPO, files)
    assert peft_files(shown(server)) is None


def test_a_pickle_is_not_to_be_fetched(server: HubServer) -> None:
    server.add(REPO, {"adapter_config.json": CONFIG, "adapter_model.bin": b"x"})
    repository = shown(server)

    assert repository.peft is not None
    assert repository.peft.pickle == "adapter_model.bin"
    with pytest.raises(HubError, match="its weights are a pickle"):
        peft_files(repository)


def test_a_mirror_that_lists_no_files_is_asked_for_their_names() -> None:
    files = peft_files(Repository(repo=REPO, commit="", url="", listed=False))

    assert files is not None
    assert [(each.source.path, each.source.revision) for each in files] == [
        ("adapter_config.json", "main"),
        ("adapter_model.safetensors", "main"),
    ]
