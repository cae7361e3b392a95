"""docs/server.md: its programs and commands, as they stand, but for address and model."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.server.apis import APIS
from tests.scripted_backend import Script

REFERENCE = (Path(__file__).parents[3] / "docs" / "server.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", REFERENCE, re.DOTALL)
COMMANDS = re.findall(r"```sh\n(.*?)```", REFERENCE, re.DOTALL)
SAID = '{"name": "red"}'


@pytest.fixture
def run(make_server, scripted, model):
    scripted.script = Script(tokens=('{"name":', ' "red"}'))
    server = make_server(scripted, key="of-the-test")

    def run(*command: str) -> str:
        told = [
            part.replace("http://127.0.0.1:7411", server.url).replace(
                "smollm2-135m-instruct", "polite"
            )
            for part in command
        ]
        assert told != list(command)
        done = subprocess.run(
            told,
            env={**os.environ, "CAUSEWAY_SERVER_KEY": "of-the-test"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_there_is_a_program_and_a_command_for_each_api():
    assert (len(PROGRAMS), len(COMMANDS)) == (3, 4)


@pytest.mark.parametrize("program", PROGRAMS, ids=("openai", "ollama", "anthropic"))
def test_a_program_is_answered(run, program: str):
    assert run(sys.executable, "-c", program).strip() in (SAID, "red")


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("sh")), reason="needs curl")
@pytest.mark.parametrize("command", COMMANDS, ids=("openai", "ollama", "anthropic", "causeway"))
def test_a_command_is_answered(run, scripted, command: str):
    assert SAID in json.dumps(json.loads(run("sh", "-c", command))).replace('\\"', '"')
    if "causeway" in command:
        assert scripted.requests[-1].grammar.text == 'root ::= "yes" | "no"'
        assert scripted.requests[-1].sampling.xtc_probability == 0.2


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.title)
def test_every_path_is_named(api):
    for operation in api.operations:
        path = re.sub(r"\{\w+(:\w+)?\}", "ID", operation.path)
        assert f"{path}`" in REFERENCE, path
