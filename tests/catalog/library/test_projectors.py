"""A projector belongs to the models that it was made for."""

from pathlib import Path

import pytest

from catalog.library.found import FoundFile
from catalog.library.projectors import projectors_of
from tests.catalog.library.conftest import OpenLibrary
from tests.gguf_files import write_model, write_projector


def chosen(model: str, *projectors: str, loose: bool) -> str:
    (found,) = projectors_of(
        [FoundFile(path=f"/m/{model}", place="own", loose=loose)],
        [FoundFile(path=f"/m/{each}", place="own", loose=loose) for each in projectors],
    ).values() or ("",)
    return Path(found).name


def test_all_models_of_a_repository_share_its_projector(
    folder: Path, open_library: OpenLibrary
) -> None:
    home = folder / "someone" / "Tiny-VL-GGUF"
    home.mkdir(parents=True)
    write_model(home / "a.gguf", seed=1)
    write_model(home / "b.gguf", seed=2)
    eyes = write_projector(home / "mmproj-F16.gguf")
    assert [model.projector for model in open_library().models()] == [eyes, eyes]


@pytest.mark.parametrize(
    ("model", "projector", "belongs"),
    [
        ("Qwen2-VL-2B-Instruct-Q4_K_M.gguf", "mmproj-Qwen2-VL-2B-Instruct-f16.gguf", True),
        ("Qwen2-VL-2B-Instruct-UD-Q4_K_XL.gguf", "Qwen2-VL-2B-Instruct-mmproj-bf16.gguf", True),
        ("gemma-3-4b-it-Q4_0.gguf", "mmproj-model-gemma-3-4b-it.gguf", True),
        ("gemma-3-12b-it-Q4_0.gguf", "mmproj-gemma-3-1-f16.gguf", False),
        ("Llama-3.2-1B-Q8_0.gguf", "mmproj-Qwen2-VL-2B-Instruct-f16.gguf", False),
        ("Llama-3.2-1B-Q8_0.gguf", "mmproj-model-f16.gguf", False),
    ],
)
def test_where_all_sorts_of_models_lie_the_name_decides(
    model: str, projector: str, belongs: bool
) -> None:
    assert chosen(model, projector, loose=True) == (projector if belongs else "")


def test_of_several_precisions_the_usual_one_is_taken() -> None:
    several = ("mmproj-F32.gguf", "mmproj-BF16.gguf", "mmproj-F16.gguf", "mmproj-Q8_0.gguf")
    assert chosen("m.gguf", *several, loose=False) == "mmproj-F16.gguf"
    assert chosen("m.gguf", *several[:2], loose=False) == "mmproj-BF16.gguf"


def test_of_several_models_eyes_each_takes_its_own() -> None:
    eyes = ("mmproj-tiny-vl-2b-f16.gguf", "mmproj-tiny-vl-7b-f16.gguf")
    assert chosen("tiny-vl-7b-Q4_0.gguf", *eyes, loose=False) == eyes[1]
