"""`causeway pull`, a real process that fetches from servers of the test's own."""

import hashlib
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.app.cli_process import CommandLine
from tests.catalog.file_server import FileServer
from tests.catalog.hub_server import HubServer
from tests.gguf_files import write_adapter, write_model, write_projector


@pytest.fixture
def causeway(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_model(tmp_path_factory.mktemp("tiny") / "tiny.gguf", says=["Hi"]).read_bytes()


def test_a_quant_of_a_repository_arrives_and_can_chat(causeway: CommandLine, tiny: bytes) -> None:
    with HubServer() as hub:
        hub.add("lab/tiny-GGUF", {"tiny-Q8_0.gguf": tiny, "tiny-Q2_K.gguf": tiny[:-64]})
        causeway.run("settings", "hub_endpoint", hub.url)
        pulled = causeway.json("pull", "hub:lab/tiny-GGUF:Q8_0")
    assert pulled["sha256"] == hashlib.sha256(tiny).hexdigest()
    assert Path(pulled["path"]).read_bytes() == tiny
    assert Path(pulled["path"]).relative_to(causeway.home / "models").parts[:2] == (
        "lab",
        "tiny-GGUF",
    )
    assert causeway.run("chat", "-m", pulled["id"], "hello").stdout.strip() == "Hi"


def test_without_a_quant_the_one_that_show_names_is_pulled(
    causeway: CommandLine, tiny: bytes
) -> None:
    names = ("tiny-Q4_K_M.gguf", "tiny-Q8_0.gguf", "tiny-F16.gguf", "mmproj-F16.gguf")
    with HubServer() as hub:
        hub.add("lab/tiny-GGUF", dict.fromkeys(names, tiny))
        causeway.run("settings", "hub_endpoint", hub.url)
        shown = causeway.json("show", "hub:lab/tiny-GGUF")["quants"]
        pulled = causeway.json("pull", "hub:lab/tiny-GGUF", "--no-projector")
    assert [each["quant"] for each in shown if each["chosen"]] == ["Q8_0"]
    assert Path(pulled["path"]).name == "tiny-Q8_0.gguf"


def test_a_hub_that_asks_for_a_second_gets_it(causeway: CommandLine, tiny: bytes) -> None:
    with HubServer(faults=["429"], fault_at="/api/models/") as hub:
        hub.retry_after = "1"
        hub.add("lab/tiny-GGUF", {"tiny-Q8_0.gguf": tiny})
        causeway.run("settings", "hub_endpoint", hub.url)
        pulled = causeway.json("pull", "hub:lab/tiny-GGUF")
        assert hub.faults == []
    assert Path(pulled["path"]).read_bytes() == tiny


def test_a_projector_comes_along_and_belongs_to_the_model(
    causeway: CommandLine, tiny: bytes, tmp_path: Path
) -> None:
    projector = write_projector(tmp_path / "mmproj.gguf").read_bytes()
    with HubServer() as hub:
        hub.add("lab/see-GGUF", {"see-Q8_0.gguf": tiny, "mmproj-F16.gguf": projector})
        causeway.run("settings", "hub_endpoint", hub.url)
        causeway.run("pull", "hub:lab/see-GGUF")
    (model,) = causeway.json("models")
    assert Path(model["projector"]).read_bytes() == projector


def test_an_adapter_is_pulled_as_one(causeway: CommandLine, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "a.gguf").read_bytes()
    with HubServer() as hub:
        hub.add("lab/lora-GGUF", {"LoRA-tiny-f16.gguf": adapter}, tags=["gguf", "lora"])
        causeway.run("settings", "hub_endpoint", hub.url)
        causeway.run("pull", "hub:lab/lora-GGUF:LoRA-tiny-f16.gguf")
    assert causeway.json("models") == []
    assert len(causeway.json("models", "--adapters")) == 1


def test_an_address_is_pulled_and_its_checksum_recorded(causeway: CommandLine, tiny: bytes) -> None:
    with FileServer({"some/My.gguf": tiny}) as server:
        pulled = causeway.json("pull", f"{server.url}/some/My.gguf")
    assert pulled["sha256"] == hashlib.sha256(tiny).hexdigest()
    (shown,) = causeway.json("show", pulled["id"])["installed"]
    assert shown["checksum_from"] == "recorded on first download"


def test_a_mirror_without_a_listing_serves_a_named_file(causeway: CommandLine, tiny: bytes) -> None:
    with HubServer(listing=False, sizes=False) as mirror:
        mirror.add("lab/tiny-GGUF", {"tiny-Q8_0.gguf": tiny})
        causeway.run("settings", "hub_endpoint", mirror.url)
        assert "Name one" in causeway.error("pull", "hub:lab/tiny-GGUF")
        pulled = causeway.json("pull", "hub:lab/tiny-GGUF:tiny-Q8_0.gguf")
    assert Path(pulled["path"]).read_bytes() == tiny


def test_a_repository_without_such_a_quant_says_which_it_has(
    causeway: CommandLine, tiny: bytes
) -> None:
    with HubServer() as hub:
        hub.add("lab/tiny-GGUF", {"tiny-Q8_0.gguf": tiny})
        hub.add("lab/none", {"README.md": b"no model"})
        causeway.run("settings", "hub_endpoint", hub.url)
        assert "It has Q8_0" in causeway.error("pull", "hub:lab/tiny-GGUF:Q5_K_M")
        assert "no model that can be run" in causeway.error("pull", "hub:lab/none")
        assert causeway.error("pull", "hub:lab/nowhere")


def test_a_licence_is_agreed_to_before_anything_is_fetched(causeway: CommandLine) -> None:
    with HubServer() as hub:
        causeway.run("settings", "hub_endpoint", hub.url)
        assert "--accept-licence" in causeway.error("pull", "llama-7b:Q4_K_M")
        assert hub.requests == []


def test_wrong_bytes_never_get_the_file_s_name(causeway: CommandLine, tiny: bytes) -> None:
    with HubServer(cdn=FileServer({}, faults=["wrong bytes"], always=True)) as hub:
        hub.add("lab/tiny-GGUF", {"tiny-Q8_0.gguf": tiny})
        causeway.run("settings", "hub_endpoint", hub.url)
        causeway.error("pull", "hub:lab/tiny-GGUF")
    assert list((causeway.home / "models").rglob("*.gguf")) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a child")
def test_an_interrupt_pauses_and_the_same_command_goes_on(causeway: CommandLine) -> None:
    content = b"GGUF" + bytes(range(256)) * 40_000
    with FileServer({"x.gguf": content}, bytes_per_second_per_connection=50_000) as server:
        address = f"{server.url}/x.gguf"
        process = causeway.start("pull", address)
        deadline = time.monotonic() + 60
        while not server.bytes_sent:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 1
        assert f"causeway pull {address}" in said
        assert list((causeway.home / "models").glob("*.gguf")) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a child")
def test_an_interrupt_ends_a_search_that_does_not_come_to_an_end(causeway: CommandLine) -> None:
    with HubServer(faults=["drip"], fault_at="/api/models/", always=True) as hub:
        causeway.run("settings", "hub_endpoint", hub.url)
        process = causeway.start("pull", "hub:lab/tiny-GGUF")
        deadline = time.monotonic() + 60
        while not hub.requests:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)  # by itself it takes a minute
    assert (process.returncode, said) == (1, "Stopped.\n")
    assert causeway.json("downloads") == []


def test_files_of_one_name_from_two_servers_are_two(causeway: CommandLine, tmp_path: Path) -> None:
    one, other = (write_model(tmp_path / f"{n}.gguf", seed=n).read_bytes() for n in (1, 2))
    assert len(one) == len(other)
    with FileServer({"model.gguf": one}) as first, FileServer({"model.gguf": other}) as second:
        paths = [
            causeway.json("pull", f"{server.url}/model.gguf")["path"] for server in (first, second)
        ]
    assert [Path(path).read_bytes() for path in paths] == [one, other]


def test_on_a_mirror_without_a_listing_files_of_one_name_are_not_mixed_up(
    causeway: CommandLine, tmp_path: Path
) -> None:
    one, other = (write_model(tmp_path / f"{n}.gguf", seed=n).read_bytes() for n in (1, 2))
    with HubServer(listing=False, sizes=False) as mirror:
        mirror.add("lab/m-GGUF", {"Q4_0/m.gguf": one, "Q8_0/m.gguf": other})
        causeway.run("settings", "hub_endpoint", mirror.url)
        path = causeway.json("pull", "hub:lab/m-GGUF:Q4_0/m.gguf")["path"]
        assert "another file" in causeway.error("pull", "hub:lab/m-GGUF:Q8_0/m.gguf")
    assert Path(path).read_bytes() == one


def test_a_projector_can_be_pulled_by_itself(causeway: CommandLine, tmp_path: Path) -> None:
    projector = write_projector(tmp_path / "mmproj.gguf").read_bytes()
    with HubServer() as hub:
        hub.add("lab/see-GGUF", {"mmproj-F16.gguf": projector, "see-Q8_0.gguf": b"GGUF"})
        causeway.run("settings", "hub_endpoint", hub.url)
        done = causeway.run("pull", "hub:lab/see-GGUF:mmproj-F16.gguf")
    assert Path(done.stdout.strip()).read_bytes() == projector
    assert "projector" in done.stderr
