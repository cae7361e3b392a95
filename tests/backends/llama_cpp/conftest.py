from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.llama_cpp import native_log
from backends.llama_cpp.model import Model


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Iterator[Model]:
    """The tiny model in this process, for what needs its tokens."""
    native_log.install()
    model = Model(
        str(tiny_model), n_gpu_layers=0, safe_mode=False, on_progress=lambda fraction: None
    )
    yield model
    model.close()
