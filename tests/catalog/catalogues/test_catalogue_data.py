"""What the bundled catalogue holds: the open road whole and in order, and nothing half said."""

import json
import re
from importlib.resources import files
from typing import Any

import jinja2
import jsonschema
import pytest

from app.options import option
from catalog.catalogues.bundled import load_bundled
from catalog.catalogues.catalogue_check import CAPABILITIES
from catalog.catalogues.catalogue_schema import schema_text
from catalog.catalogues.entries import Artifact, Entry, HubFile
from catalog.catalogues.sizes import bits_per_weight, expected_bytes
from tests.catalog.catalogues.catalogue_data import bundled_data

CATALOGUE = load_bundled()
ROAD = [entry for entry in CATALOGUE.entries if entry.collection == "open-road-2023"]

IN_ORDER_OF_TIME = [
    "stable-diffusion-1.5",
    "llama-7b",
    "llama-13b",
    "llama-30b",
    "llama-65b",
    "alpaca-7b",
    "alpaca-lora-7b",
    "vicuna-13b-v1.5",
    "gpt4all-lora",
    "gpt4all-j",
    "gpt4all-13b-snoozy",
    "cerebras-gpt-111m",
    "cerebras-gpt-256m",
    "cerebras-gpt-590m",
    "cerebras-gpt-1.3b",
    "cerebras-gpt-2.7b",
    "cerebras-gpt-6.7b",
    "cerebras-gpt-13b",
    "llama-adapter-7b",
    "koala-13b",
    "oasst-sft-4-pythia-12b",
    "oasst-sft-7-llama-30b",
    "oasst-llama2-13b-orca",
    "deepseek-r1",
    "deepseek-r1-distill-qwen-1.5b",
    "deepseek-r1-distill-qwen-7b",
    "deepseek-r1-distill-llama-8b",
    "deepseek-r1-distill-qwen-14b",
    "deepseek-r1-distill-qwen-32b",
    "deepseek-r1-distill-llama-70b",
    "deepseek-r1-0528-qwen3-8b",
]

MUST_BE_ACCEPTED = re.compile(r"llama|gemma|lfm|openrail|research|non-commercial", re.IGNORECASE)


def every(entries: object) -> Any:
    return pytest.mark.parametrize("entry", entries, ids=lambda entry: entry.id)


def files_of(entry: Entry) -> list[tuple[Entry, Artifact]]:
    return [(entry, artifact) for artifact in entry.artifacts]


def test_the_open_road_is_whole_and_in_order_of_time() -> None:
    assert [entry.id for entry in ROAD] == IN_ORDER_OF_TIME
    dates = [entry.published for entry in ROAD]
    assert dates == sorted(dates)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for date in dates)


@pytest.mark.parametrize(
    ("entry_id", "date"),
    [
        ("llama-7b", "2023-02-24"),
        ("alpaca-7b", "2023-03-13"),
        ("vicuna-13b-v1.5", "2023-03-19"),
        ("gpt4all-lora", "2023-03-25"),
        ("cerebras-gpt-13b", "2023-03-28"),
        ("llama-adapter-7b", "2023-03-28"),
        ("koala-13b", "2023-04-03"),
        ("oasst-sft-4-pythia-12b", "2023-04-15"),
        ("deepseek-r1", "2025-01-20"),
    ],
)
def test_each_stands_at_its_day(entry_id: str, date: str) -> None:
    entry = CATALOGUE.entry(entry_id)
    assert entry is not None
    assert entry.published == date


@every(ROAD)
def test_each_of_the_road_says_what_it_showed(entry: Entry) -> None:
    assert 30 <= len(entry.showed) <= 200
    assert entry.showed.endswith(".")


def test_no_two_of_the_road_showed_the_same() -> None:
    assert len({entry.showed for entry in ROAD}) == len(ROAD)


@every(CATALOGUE.entries)
def test_each_entry_is_said_whole(entry: Entry) -> None:
    assert len(entry.summary) <= 100
    assert entry.collection in {collection.id for collection in CATALOGUE.collections}
    assert entry.licence.url.startswith("https://")
    assert entry.url.startswith("https://")
    assert set(entry.capabilities) <= CAPABILITIES.keys()
    for key in entry.sampling:
        assert option(key).section == "sampling"
    if entry.status == "ready":
        assert entry.weights
        assert not entry.obstacle
        assert entry.architecture or entry.collection != "open-road-2023"
    else:
        assert entry.obstacle.endswith(".")
        assert not entry.artifacts
    if MUST_BE_ACCEPTED.search(entry.licence.id):
        assert entry.licence.accept
    if entry.kind in ("vision", "chat") and "vision" in entry.capabilities:
        assert entry.projector is not None
    if entry.kind == "adapter":
        assert entry.base or entry.id == "lora-qwen2.5-coder-7b-instruct"


@every([entry for entry in CATALOGUE.entries if entry.id in ("alpaca-lora-7b", "gpt4all-lora")])
def test_an_adapter_to_be_converted_says_what_it_takes(entry: Entry) -> None:
    assert entry.base in {other.id for other in CATALOGUE.entries}
    assert "adapter_model.safetensors" in entry.obstacle
    assert f"causeway import REPO-OR-FOLDER --base {entry.base}" in entry.obstacle


def test_what_is_no_model_of_its_own_makes_no_promise() -> None:
    """A base model has no prompt to speak of; one that chats has the file's own or one of ours."""
    for entry in CATALOGUE.entries:
        if entry.kind == "completion":
            assert not entry.template
        elif entry.collection == "open-road-2023" and entry.kind == "chat":
            assert entry.template or entry.family == "DeepSeek R1"
            assert entry.template == "" or entry.stop or entry.template == "gpt4all_j"


@pytest.mark.parametrize(
    ("entry", "artifact"), [pair for each in CATALOGUE.entries for pair in files_of(each)]
)
def test_each_file_has_a_size_that_fits_its_quant(entry: Entry, artifact: Artifact) -> None:
    size, exact = expected_bytes(entry, artifact)
    assert exact == (artifact.size_bytes is not None)
    assert artifact.bits
    if artifact.role == "projector":
        return
    assert size > 0 or not entry.parameters
    told = artifact.size_bytes or artifact.about_bytes
    if told and entry.parameters and entry.kind != "adapter":
        assert told * 8 / entry.parameters == pytest.approx(artifact.bits, rel=0.25)


def test_a_size_is_estimated_where_nobody_tells_it() -> None:
    entry = CATALOGUE.entry("qwen3-8b")
    assert entry is not None
    size, exact = expected_bytes(entry, entry.artifacts[0])
    assert not exact
    assert size == pytest.approx(5.03e9, rel=0.03)
    assert bits_per_weight("UD-q4_k_m") == bits_per_weight("Q4_K_M")
    assert bits_per_weight("of tomorrow") == 0


def test_a_file_has_its_checksum_once() -> None:
    """The same checksum at two files would mean that one of them was copied wrongly."""
    checksums = [
        artifact.sha256
        for entry in CATALOGUE.entries
        for artifact in entry.artifacts
        if artifact.sha256
    ]
    assert len(checksums) == len(set(checksums)) > 50


def test_a_repository_belongs_to_one_entry() -> None:
    owners: dict[str, str] = {}
    for entry in CATALOGUE.entries:
        for artifact in entry.artifacts:
            for source in artifact.sources:
                if isinstance(source, HubFile):
                    assert owners.setdefault(source.repo, entry.id) == entry.id


ASKED = [{"role": "user", "content": "One?"}]
GONE_ON = [*ASKED, {"role": "assistant", "content": " 1."}, {"role": "user", "content": "Two?"}]
ALPACA = (
    "Below is an instruction that describes a task. "
    "Write a response that appropriately completes the request.\n\n"
)
VICUNA = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions. "
)


@pytest.mark.parametrize(
    ("name", "once", "twice"),
    [
        (
            "alpaca",
            f"{ALPACA}### Instruction:\nOne?\n\n### Response:\n",
            f"{ALPACA}### Instruction:\nOne?\n\n### Response:\n1.</s>\n\n"
            "### Instruction:\nTwo?\n\n### Response:\n",
        ),
        (
            "vicuna",
            f"{VICUNA}USER: One? ASSISTANT:",
            f"{VICUNA}USER: One? ASSISTANT: 1.</s>USER: Two? ASSISTANT:",
        ),
        (
            "koala",
            "BEGINNING OF CONVERSATION: USER: One? GPT:",
            "BEGINNING OF CONVERSATION: USER: One? GPT: 1.</s>USER: Two? GPT:",
        ),
        (
            "oasst_pythia",
            "<|prompter|>One?<|endoftext|><|assistant|>",
            "<|prompter|>One?<|endoftext|><|assistant|> 1.<|endoftext|>"
            "<|prompter|>Two?<|endoftext|><|assistant|>",
        ),
        (
            "oasst_llama",
            "<|prompter|>One?</s><|assistant|>",
            "<|prompter|>One?</s><|assistant|> 1.</s><|prompter|>Two?</s><|assistant|>",
        ),
        (
            "gpt4all_j",
            "### Prompt:\nOne?\n### Response:\n",
            "### Prompt:\nOne?\n### Response:\n1.\n### Prompt:\nTwo?\n### Response:\n",
        ),
    ],
)
def test_a_template_writes_the_prompt_that_the_model_was_taught(
    name: str, once: str, twice: str
) -> None:
    assert prompt(name, ASKED) == once
    assert prompt(name, GONE_ON) == twice


def test_a_system_prompt_takes_the_place_of_the_usual_one() -> None:
    told = [{"role": "system", "content": "Be brief."}, *ASKED]
    assert prompt("alpaca", told) == "Be brief.\n\n### Instruction:\nOne?\n\n### Response:\n"
    assert prompt("vicuna", told) == "Be brief. USER: One? ASSISTANT:"
    assert prompt("oasst_llama", told).startswith("<|system|>Be brief.</s><|prompter|>")


def test_every_template_is_used_and_tried() -> None:
    used = {entry.template for entry in CATALOGUE.entries if entry.template}
    assert used == CATALOGUE.templates.keys()


def prompt(name: str, messages: list[dict[str, str]]) -> str:
    template = jinja2.Environment().from_string(CATALOGUE.templates[name])
    return template.render(
        messages=messages, add_generation_prompt=True, bos_token="<s>", eos_token="</s>"
    )


def test_the_schema_is_up_to_date() -> None:
    written = files("resources").joinpath("catalog.schema.json").read_text(encoding="utf-8")
    assert written == schema_text()


def test_the_bundled_catalogue_keeps_to_the_schema() -> None:
    schema = jsonschema.Draft202012Validator(json.loads(schema_text()))
    schema.check_schema(schema.schema)
    assert list(schema.iter_errors(bundled_data())) == []


@pytest.mark.parametrize(
    "change", [{"schema_version": 2}, {"id": "No"}, {"entries": [{}]}, {"entries": None}]
)
def test_the_schema_refuses_what_the_program_refuses(change: dict[str, object]) -> None:
    schema = jsonschema.Draft202012Validator(json.loads(schema_text()))
    assert not schema.is_valid(bundled_data() | change)
