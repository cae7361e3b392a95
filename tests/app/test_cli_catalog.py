"""`causeway catalog` and `show`, each a real process, beside a Hub of the test's own."""

import json
import os
from pathlib import Path

import pytest

from tests.app.cli_process import CommandLine
from tests.catalog.hub_server import HubServer
from tests.gguf_files import write_adapter, write_model


@pytest.fixture
def causeway(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home")


def ids(listed: list[dict[str, object]]) -> list[object]:
    return [entry["id"] for entry in listed]


def test_the_whole_catalogue_is_listed_offline(causeway: CommandLine) -> None:
    causeway.run("settings", "offline", "on")
    listed = causeway.json("catalog")
    assert ids(listed)[0] == "smollm2-135m-instruct"
    assert len(listed) > 70
    starter = listed[0]
    assert starter["size_bytes"] == 98_362_432
    assert starter["size_is_exact"] is True
    assert starter["fit"]["verdict"] in ("fits", "tight", "too_large")
    assert starter["installed"] is False


def test_words_and_kinds_narrow_the_list(causeway: CommandLine) -> None:
    assert "koala-13b" in ids(causeway.json("catalog", "koala"))
    assert ids(causeway.json("catalog", "no", "such", "thing")) == []
    assert {each["kind"] for each in causeway.json("catalog", "--kind", "embedding")} == {
        "embedding"
    }
    assert "There are chat" in causeway.error("catalog", "--kind", "carrier pigeon")


def test_what_can_t_be_run_says_why(causeway: CommandLine) -> None:
    shown = causeway.json("show", "cerebras-gpt-111m")
    assert shown["status"] == "needs_conversion"
    assert shown["obstacle"]
    assert shown["obstacle"] in causeway.error("pull", "cerebras-gpt-111m")


def test_an_entry_is_shown_with_what_it_showed_and_what_it_needs(causeway: CommandLine) -> None:
    shown = causeway.json("show", "vicuna-13b-v1.5")
    assert shown["published"] == "2023-03-19"
    assert shown["showed"]
    assert shown["must_accept"] is True
    for quant in shown["quants"]:
        fit = quant["fit"]
        parts = fit["weights_bytes"] + fit["kv_cache_bytes"] + fit["compute_bytes"]
        assert fit["needed_bytes"] == parts
        assert quant["checksum_from"] == (
            "catalogue" if quant["sha256"] else "recorded on first download"
        )
    assert "Vicuna" in causeway.run("show", "vicuna-13b-v1.5").stdout


def test_an_unknown_id_is_answered_with_what_is_like_it(causeway: CommandLine) -> None:
    assert "koala-13b" in causeway.error("show", "koala-13")
    assert "causeway catalog" in causeway.error("pull", "zzzzzzzz")


def test_a_catalogue_of_one_s_own_is_checked(causeway: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    entry = {
        "id": "mine",
        "name": "Mine",
        "family": "Mine",
        "kind": "chat",
        "licence": {"id": "MIT"},
        "summary": "A model",
        "artifacts": [
            {
                "role": "weights",
                "quant": "Q8_0",
                "sources": [{"type": "url", "url": "https://example.org/mine.gguf"}],
            }
        ],
    }
    content = {"schema_version": 1, "id": "lab", "revision": 1, "published": "2026-01-01"}
    file.write_text(json.dumps(content | {"entries": [entry]}))
    report = causeway.json("catalog", "validate", str(file))
    assert (report["id"], report["entries"], report["problems"]) == ("lab", 1, [])
    bad = entry | {"id": "bad", "kind": "wizard"}
    file.write_text(json.dumps(content | {"entries": [entry, bad]}))
    report = causeway.json("catalog", "validate", str(file), code=1)
    assert report["entries"] == 1
    assert "bad" in report["problems"][0]
    file.write_text("{")
    assert "can't be read" in causeway.error("catalog", "validate", str(file))
    assert "can't be read" in causeway.error("catalog", "validate", str(tmp_path / "none.json"))


def test_an_added_catalogue_is_listed_beside_the_bundled_one(
    causeway: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "lab.json"
    entry = {
        "id": "smollm2-135m-instruct",
        "name": "An impostor",
        "family": "Lab",
        "kind": "chat",
        "licence": {"id": "MIT"},
        "summary": "A model",
        "artifacts": [
            {
                "role": "weights",
                "quant": "Q8_0",
                "sources": [{"type": "url", "url": "https://example.org/x.gguf"}],
            }
        ],
    }
    file.write_text(
        json.dumps(
            {
                "schema_version": 1,
                "id": "lab",
                "revision": 1,
                "published": "2026-01-01",
                "entries": [entry],
            }
        )
    )
    causeway.run("settings", "catalogues", str(file))
    assert "1 entry" in causeway.run("catalog", "refresh").stdout
    listed = ids(causeway.json("catalog"))
    assert "lab/smollm2-135m-instruct" in listed
    assert causeway.json("show", "smollm2-135m-instruct")["name"] == "SmolLM2 135M Instruct"
    assert causeway.json("show", "lab/smollm2-135m-instruct")["name"] == "An impostor"


def test_a_repository_of_the_hub_is_shown_with_its_quants(
    causeway: CommandLine, tmp_path: Path
) -> None:
    model = write_model(tmp_path / "tiny.gguf").read_bytes()
    with HubServer() as hub:
        hub.add("lab/tiny-GGUF", {"tiny-Q8_0.gguf": model, "README.md": b"# Tiny"}, licence="mit")
        causeway.run("settings", "hub_endpoint", hub.url)
        shown = causeway.json("show", "hub:lab/tiny-GGUF")
    (quant,) = shown["quants"]
    assert (quant["quant"], quant["size_bytes"]) == ("Q8_0", len(model))
    assert quant["checksum_from"] == "Hub"
    assert quant["fit"]["exact"] is True
    assert shown["licence"] == "mit"


def test_a_hub_that_is_not_there_is_said_in_words(causeway: CommandLine) -> None:
    causeway.run("settings", "hub_endpoint", "http://127.0.0.1:9")
    assert causeway.error("show", "hub:lab/tiny")
    causeway.run("settings", "offline", "on")
    assert "offline" in causeway.error("show", "hub:lab/tiny")


def test_an_installed_model_is_shown_with_its_file(causeway: CommandLine, model_file: Path) -> None:
    causeway.run("import", str(model_file))
    (shown,) = causeway.json("show", "polite")["installed"]
    assert shown["path"] == str(model_file)
    assert shown["sha256"] == ""
    (checked,) = causeway.json("show", "polite", "--sha256")["installed"]
    assert len(checked["sha256"]) == 64


def test_what_a_load_took_is_kept_beside_what_was_expected(
    causeway: CommandLine, model_file: Path
) -> None:
    causeway.run("import", str(model_file))
    causeway.run("chat", "-m", "polite", "hello")
    (shown,) = causeway.json("show", "polite")["installed"]
    (allocation,) = shown["allocations"]
    assert allocation["allocated_bytes"] > 0
    assert 0.9 <= allocation["ratio"] <= 1.1


def test_adapters_are_listed_apart_from_models(causeway: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    write_adapter(folder / "lora.gguf")
    write_model(folder / "tiny.gguf")
    causeway.run("import", str(folder))
    assert [model["id"] for model in causeway.json("models")] == ["tiny"]
    assert [each["id"] for each in causeway.json("models", "--adapters")] == ["lora"]
    assert "changes a model" in causeway.error("chat", "-m", "lora", "hello")


def added(folder: Path, *entries: dict[str, object]) -> str:
    """A catalogue of these entries; what they lack is what every entry needs."""
    usual = {"name": "A", "family": "F", "kind": "chat", "summary": "", "licence": {"id": "MIT"}}
    source = {"type": "hub", "repo": "lab/a-GGUF", "path": "a-Q4_0.gguf"}
    weights = [{"role": "weights", "quant": "Q4_0", "sources": [source]}]
    whole = [{**usual, "artifacts": weights, **entry} for entry in entries]
    head = {"schema_version": 1, "id": "mine", "revision": 1, "published": "2026-01-01"}
    file = folder / "mine.json"
    file.write_text(json.dumps({**head, "entries": whole}), encoding="utf-8")
    return str(file)


def test_of_what_nobody_knows_the_size_nobody_says_that_it_fits(
    causeway: CommandLine, tmp_path: Path
) -> None:
    causeway.run("settings", "catalogues", added(tmp_path, {"id": "a"}))
    (listed,) = [each for each in causeway.json("catalog") if each["id"] == "mine/a"]
    assert (listed["size_bytes"], listed["fit"]) == (0, None)
    assert "mine/a" not in ids(causeway.json("catalog", "--fits"))
    assert causeway.json("show", "mine/a")["quants"][0]["fit"] is None
    assert "size not known;" in causeway.run("show", "mine/a").stdout


def test_entries_that_are_left_out_are_named(causeway: CommandLine, tmp_path: Path) -> None:
    bad = [{"id": f"bad-{number}", "kind": "pigeon"} for number in range(9)]
    causeway.run("settings", "catalogues", added(tmp_path, {"id": "a"}, *bad))
    for command in (("catalog", "a"), ("catalog", "refresh")):
        said = causeway.run(*command).stderr.splitlines()
        assert len(said) == 6
        assert "“bad-0”" in said[0]
        assert "4 more" in said[-1]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_a_pipe_is_no_catalogue_to_check(causeway: CommandLine, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "is no file" in causeway.error("catalog", "validate", str(tmp_path / "pipe"))


def test_the_hub_is_searched_page_by_page(causeway: CommandLine) -> None:
    with HubServer(page_size=2) as hub:
        for number in range(5):
            hub.add(f"lab/tiny-{number}-GGUF", {"tiny-Q8_0.gguf": b"GGUF"}, downloads=number)
        hub.add("lab/lora-GGUF", {"lora-f16.gguf": b"GGUF"}, tags=["gguf", "lora"])
        causeway.run("settings", "hub_endpoint", hub.url)
        first = causeway.json("catalog", "hub", "tiny", "--sort", "downloads")
        assert [each["ref"] for each in first] == ["hub:lab/tiny-4-GGUF", "hub:lab/tiny-3-GGUF"]
        assert len(causeway.json("catalog", "hub", "tiny", "--pages", "9")) == 5
        assert [each["ref"] for each in causeway.json("catalog", "hub", "--adapters")] == [
            "hub:lab/lora-GGUF"
        ]
        assert causeway.json("catalog", "hub", "--author", "nobody") == []
        assert "no order" in causeway.error("catalog", "hub", "--sort", "colour")
