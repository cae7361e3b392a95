"""`causeway bench`: how fast a model is here, beside a bare loop."""

import subprocess
from pathlib import Path

from tests.app.cli_process import COMMAND, CommandLine
from tests.gguf_files import write_model


def test_the_engine_and_the_bare_loop_are_measured_on_the_same_work(tmp_path: Path) -> None:
    model = write_model(tmp_path / "talkative.gguf", seed=3, context_length=8192)
    result = CommandLine(tmp_path / "home").json("bench", "-m", str(model))
    assert result["model"] == "talkative"
    assert result["threads"] >= 1
    assert result["prompt_tokens"] > 500
    for side in ("causeway", "bare"):
        assert result[side]["prompt_tokens_per_second"] > 0
        assert result[side]["tokens_per_second"] > 0


def test_the_bare_loop_ends_with_the_program_that_started_it(tmp_path: Path) -> None:
    model = write_model(tmp_path / "talkative.gguf", seed=3, context_length=8192)
    endless = ["worker", "bare-loop", str(model), "1", "0", "64", "1000000"]
    loop = subprocess.Popen([*COMMAND, *endless], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    printed, _ = loop.communicate()  # which closes its stdin
    assert (loop.returncode, printed) == (1, b"")


def test_without_a_model_it_says_where_to_get_one(tmp_path: Path) -> None:
    words = CommandLine(tmp_path / "home").error("bench")
    assert words.startswith("No model is installed.")
    assert "causeway pull" in words
