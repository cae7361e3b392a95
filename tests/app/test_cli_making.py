"""`causeway import --base`, `merge` and `quantize`, each a real process."""

import signal
import sys
from pathlib import Path

import pytest

from tests.app.cli_process import CommandLine
from tests.catalog.adapters.peft_files import write_peft
from tests.gguf_files import write_adapter, write_model

LORA = {
    "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": (3, 64),
    "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight": (64, 3),
}


@pytest.fixture
def causeway(tmp_path: Path) -> CommandLine:
    causeway = CommandLine(tmp_path / "home")
    write_model(tmp_path / "plain.gguf")
    write_adapter(tmp_path / "terse.gguf")
    causeway.run("import", str(tmp_path / "plain.gguf"), str(tmp_path / "terse.gguf"))
    return causeway


def test_a_peft_folder_is_converted_for_a_base(causeway: CommandLine, tmp_path: Path) -> None:
    folder = str(write_peft(tmp_path / "pirate", LORA))
    assert "--base MODEL" in causeway.error("import", folder)
    (made,) = causeway.json("import", folder, "--base", "plain")
    assert (made["id"], made["kind"], made["managed"]) == ("pirate", "adapter", True)
    answer = causeway.json("chat", "-m", "plain", "-a", "pirate", "--set", "max_tokens=2", "Hello")
    assert [each["id"] for each in answer["adapters"]] == ["pirate"]
    assert "no PEFT adapter" in causeway.error("import", "nothing", "--base", "plain")
    assert "already" in causeway.error("import", folder, "--base", "plain")


def test_adapters_are_merged_into_a_new_model(causeway: CommandLine) -> None:
    made = causeway.run("merge", "plain", "-a", "terse:0.5", "--name", "both")
    assert made.stdout == "both\n"
    assert "both" in [each["id"] for each in causeway.json("models")]
    assert "nothing to merge" in causeway.error("merge", "plain", "-a", "terse:0")
    causeway.run("merge", "plain", code=2)


def test_quants_are_listed_and_made(causeway: CommandLine) -> None:
    listed = {each["quant"]: each for each in causeway.json("quantize", "plain")}
    assert listed["Q8_0"]["fit"]["verdict"] == "fits"
    made = causeway.run("quantize", "plain", "Q8_0", "--name", "small")
    assert made.stdout == "small\n"
    assert "became" in made.stderr
    assert "already" in causeway.error("quantize", "small")
    assert "no quant" in causeway.error("quantize", "plain", "Q9")


@pytest.mark.skipif(sys.platform == "win32", reason="a console signal would reach the tests too")
def test_ctrl_c_ends_the_work_and_leaves_nothing(causeway: CommandLine, tmp_path: Path) -> None:
    write_model(tmp_path / "large.gguf", n_embd=1024, n_layers=6)
    causeway.run("import", str(tmp_path / "large.gguf"))
    process = causeway.start("quantize", "large", "IQ4_XS")
    workshop = causeway.home / "models" / ".making"
    while process.poll() is None and not list(workshop.glob("*/*.gguf")):
        pass
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "cancelled" in error
    assert list(workshop.iterdir()) == []
