"""What a model is told by."""

import shutil
from pathlib import Path

import pytest

from backends.llama_cpp.fingerprint import model_fingerprint
from tests.gguf_files import write_model


def test_a_copy_of_a_model_is_the_same_model(tmp_path: Path) -> None:
    model = write_model(tmp_path / "one.gguf")
    copy = shutil.copy(model, tmp_path / "two.gguf")
    assert model_fingerprint([model]) == model_fingerprint([copy])


def test_a_model_swapped_for_another_of_the_same_shape_is_another(tmp_path: Path) -> None:
    path = write_model(tmp_path / "model.gguf", seed=1)
    before, size = model_fingerprint([path]), path.stat().st_size
    write_model(path, seed=2)
    assert path.stat().st_size == size
    assert model_fingerprint([path]) != before


def test_the_parts_of_a_model_count_in_their_order(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"ab")
    two.write_bytes(b"c")
    assert model_fingerprint([one, two]) != model_fingerprint([two, one])
    assert model_fingerprint([one, two]) != model_fingerprint([one])


@pytest.mark.parametrize("place", [0, 0.1, 0.33, 0.5, 0.77, 1])
def test_one_changed_matrix_of_a_large_file_changes_it(tmp_path: Path, place: float) -> None:
    path = tmp_path / "large"
    size, matrix = 64 * 2**20, 128 * 2**10
    with path.open("wb") as file:
        file.truncate(size)
    before = model_fingerprint([path])
    with path.open("r+b") as file:
        file.seek(int((size - matrix) * place))
        file.write(b"\1" * matrix)
    assert model_fingerprint([path]) != before


def test_a_missing_file_has_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        model_fingerprint([tmp_path / "none"])
