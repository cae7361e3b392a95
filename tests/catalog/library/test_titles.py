"""What models are called, by file, repository and header."""

from pathlib import Path

import pytest

from catalog.catalogues.bundled import load_bundled
from catalog.library import Library
from catalog.library.titles import file_beside, title_of
from tests.gguf_files import write_model

RUN = "Smollm2 135M 8k Lc100K Mix1 Ep2"
BLOB = "sha256-" + "0f" * 32


@pytest.mark.parametrize(
    ("file", "repo", "said", "title"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "", RUN, "SmolLM2 135M Instruct"),
        ("smollm2-135m-instruct-q8_0.gguf", "lab/x", "SmolLM2 135M Instruct", "SmolLM2 135M Instruct"),
        ("Qwen2.5-7B-Instruct-1M-Q4_K_M-00001-of-00003.gguf", "", "", "Qwen2.5 7B Instruct 1M"),
        ("Llama-3.2-1B-Instruct-UD-Q4_K_XL.gguf", "", RUN, "Llama 3.2 1B Instruct"),
        ("Some-Model.i1-IQ3_XXS.gguf", "", RUN, "Some Model"),
        ("gpt-oss-20b-mxfp4.gguf", "", RUN, "gpt oss 20b"),
        ("plain.gguf", "", "Plain F32", "Plain"),
        ("Tiny one (2).gguf", "", "Tiny One", "Tiny one (2)"),
        ("ggml-model-q4_0.gguf", "lab/Good-Model-3B-GGUF", RUN, "Good Model 3B"),
        ("model.gguf", "", "Good Model", "Good Model"),
        ("model-f16.gguf", "", "", "model-f16"),
        (BLOB, "", "Good Model", "Good Model"),
        ("7.gguf", "", "Good Model", "Good Model"),
        ("Q4_K_M.gguf", "lab/Good-Model-GGUF", "", "Good Model"),
        ("通义千问-7B-Q4_K_M.gguf", "", RUN, "通义千问 7B"),
    ],
)  # fmt: skip
def test_a_title_is_one_that_a_person_knows(file: str, repo: str, said: str, title: str) -> None:
    assert title_of(file, repo, said) == title


@pytest.mark.parametrize(
    ("title", "quant", "file", "shown"),
    [
        ("SmolLM2 135M Instruct", "Q4_1", "SmolLM2-135M-Instruct.Q4_1.gguf", ""),
        ("SmolLM2 135M Instruct", "Q4_1", "SmolLM2-135M-Instruct.gguf", ""),
        ("Good Model", "Q4_0", "ggml-model-q4_0.gguf", "ggml-model-q4_0.gguf"),
        ("Some Model", "IQ3_XXS", "Some-Model.i1-IQ3_XXS.gguf", "Some-Model.i1-IQ3_XXS.gguf"),
        ("Good Model", "Q4_0", BLOB, ""),
    ],
)
def test_the_file_is_named_beside_where_it_tells_more(
    title: str, quant: str, file: str, shown: str
) -> None:
    assert file_beside(title, quant, file) == shown


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def test_a_library_calls_a_model_by_its_file_and_not_by_a_training_run(
    tmp_path: Path, folder: Path
) -> None:
    write_model(folder / "SmolLM2-135M-Instruct.Q4_1.gguf", name=RUN)
    (model,) = Library(folder, tmp_path / "library.json", load_bundled()).models()
    assert model.name == "SmolLM2 135M Instruct"


@pytest.mark.parametrize(("name", "kind"), [("Good 3B Base", "completion"), ("Good 3B", "chat")])
def test_what_its_makers_call_a_base_completes_text_in_spite_of_a_template(
    tmp_path: Path, folder: Path, name: str, kind: str
) -> None:
    write_model(folder / "good.gguf", name=name)
    (model,) = Library(folder, tmp_path / "library.json", load_bundled()).models()
    assert (model.kind, model.has_template) == (kind, True)
