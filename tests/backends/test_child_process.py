"""What the processes that this program starts know of the person's keys: nothing."""

import os
import sys
from pathlib import Path

import psutil
import pytest

from backends.child_process import bare_environment, start_child
from backends.llama_cpp.backend import LlamaCppBackend
from backends.protocol import LoadOptions

SECRETS = {
    "CAUSEWAY_SERVER_KEY": "a-key-of-the-server",
    "CAUSEWAY_PASSPHRASE": "a passphrase",
    "OPENAI_API_KEY": "sk-of-a-service",
    "HF_TOKEN": "hf_of-the-hub",
    "LLAMA_API_KEY": "of-another-server",
    "LLAMA_ARG_HF_TOKEN": "hf_of-another-server",
    "HTTPS_PROXY": "http://person:password@proxy.example",
    "https_proxy": "http://person:password@proxy.example",
    "PIP_INDEX_URL": "https://person:password@index.example",
    "MY_OWN": "unknown",
}


def test_a_real_worker_has_no_key_in_its_environment(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    before = set(psutil.Process().children())
    session = LlamaCppBackend().open(str(tiny_model), LoadOptions(), lambda fraction: True)
    try:
        (worker,) = set(psutil.Process().children()) - before
        known = worker.environ()
        assert known["PATH"] == os.environ["PATH"]
        assert not known.keys() & SECRETS.keys()
        assert not set(known.values()) & set(SECRETS.values())
    finally:
        session.close()


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "LANG", "LC_ALL", "TEMP", "SYSTEMROOT", "CAUSEWAY_HOME", "PYTHONPATH"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "XDG_DATA_HOME", "GGML_VK_VISIBLE_DEVICES"),
        *("CUDA_VISIBLE_DEVICES", "VK_ICD_FILENAMES", "HIP_VISIBLE_DEVICES", "OMP_NUM_THREADS"),
        *("HSA_OVERRIDE_GFX_VERSION", "LLAMA_LOG_VERBOSITY"),
    ],
)
def test_what_a_child_needs_it_has(name: str) -> None:
    assert bare_environment({name: "value"}) == {name: "value"}


def test_every_start_of_a_process_goes_through_one_function() -> None:
    """Another one would hand on everything, by default."""
    root = Path(__file__).parents[2]
    starting = [
        str(file.relative_to(root))
        for room in ("app", "backends", "catalog", "ui")
        for file in sorted((root / room).rglob("*.py"))
        if any(word in file.read_text("utf-8") for word in ("Popen(", "subprocess.run(", "os.exec"))
    ]
    assert starting == [str(Path("backends", "child_process.py"))]


def test_a_child_talks_over_its_pipes() -> None:
    with start_child([sys.executable, "-c", "print(input()[::-1])"]) as child:
        said, _ = child.communicate(b"abc\n")
    assert said.strip() == b"cba"
