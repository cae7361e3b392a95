"""What the README says of the server, copied as it stands."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.cli_process import CommandLine

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SNIPPETS = dict(re.findall(r"<!-- (\w+) -->\n```python\n(.*?)```", README, re.DOTALL))
KEY = "a-long-secret-of-the-test"


@pytest.fixture
def address(starter_model: Path, tmp_path: Path) -> Iterator[str]:
    """Of a server that offers the starter model."""
    causeway = CommandLine(tmp_path / "causeway", {"CAUSEWAY_SERVER_KEY": KEY})
    causeway.run("import", str(starter_model))
    server = causeway.start("serve", "--port", "0", "--json")
    assert server.stdout is not None
    said = ""
    while not said.endswith("}\n"):
        line = server.stdout.readline()
        assert line, server.communicate()[1]
        said += line
    (found,) = json.loads(said)["addresses"]
    yield found
    server.send_signal(signal.SIGTERM)
    assert server.wait(60) == 0
    server.communicate()


def test_there_is_one_for_each_client() -> None:
    assert sorted(SNIPPETS) == ["anthropic", "ollama", "openai"]


@pytest.mark.model
@pytest.mark.parametrize("client", sorted(SNIPPETS))
def test_it_answers(client: str, address: str) -> None:
    program = SNIPPETS[client].replace("http://127.0.0.1:7411", address)
    assert address in program
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "CAUSEWAY_SERVER_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
