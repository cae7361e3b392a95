"""Said before loading: it fits, it is tight, it can't fit."""

from pathlib import Path

import msgspec
import psutil
import pytest

from app.machine import Machine
from app.memory import check_memory, expected_memory
from app.options import option
from backends.errors import OutOfMemory
from backends.protocol import DEFAULT_CONTEXT, LoadOptions
from catalog.errors import BadModelFile
from catalog.fit.fit import Memory, estimate
from catalog.gguf.files import read_header
from catalog.library import InstalledModel, Library
from tests.gguf_files import corrupt

N_CTX = 4096


def needed(model: InstalledModel, n_ctx: int = N_CTX) -> int:
    return estimate(read_header(model.path), model.size_bytes, n_ctx).total


def test_a_model_that_fits_is_loaded_without_a_word(model: InstalledModel) -> None:
    options = LoadOptions(n_ctx=N_CTX)
    assert check_memory(model, options, freed=0, available=lambda: 2 * needed(model)) == ""


def test_a_tight_model_is_loaded_with_a_warning(model: InstalledModel) -> None:
    warning = check_memory(
        model, LoadOptions(n_ctx=N_CTX), freed=0, available=lambda: needed(model) + 1
    )
    assert warning.startswith("Memory is tight: polite needs about ")


def test_a_model_that_cannot_fit_is_refused_with_the_sizes(model: InstalledModel) -> None:
    with pytest.raises(OutOfMemory) as caught:
        check_memory(
            model, LoadOptions(n_ctx=N_CTX), freed=0, available=lambda: 1000, swap=lambda: 0
        )
    assert caught.value.what == "polite does not fit in memory."
    assert "1 kB are free" in caught.value.why
    assert "shorter context" in caught.value.fix


def test_weights_larger_than_the_memory_are_no_reason_to_refuse(model: InstalledModel) -> None:
    large = msgspec.structs.replace(model, size_bytes=10**12)
    context = needed(model) - model.size_bytes
    options = LoadOptions(n_ctx=N_CTX)
    warning = check_memory(large, options, freed=0, available=lambda: context + 1, swap=lambda: 0)
    assert "slow" in warning


def test_no_more_is_free_than_the_computer_has(model: InstalledModel) -> None:
    total = psutil.virtual_memory().total
    large = msgspec.structs.replace(model, size_bytes=2 * total)
    options = LoadOptions(n_ctx=N_CTX)
    assert check_memory(large, options, freed=2 * total, available=lambda: 2 * total)


def test_swap_counts(model: InstalledModel) -> None:
    options = LoadOptions(n_ctx=N_CTX)
    assert check_memory(model, options, freed=0, available=lambda: 0, swap=lambda: needed(model))


def test_what_the_loaded_model_gives_back_counts(model: InstalledModel) -> None:
    options = LoadOptions(n_ctx=N_CTX)
    assert check_memory(model, options, freed=2 * needed(model), available=lambda: 0) == ""


def machine_with_a_card(free: int) -> Machine:
    memory = Memory(free=10**12, total=10**12, vram_free=free, vram_total=10**12)
    return Machine(memory=memory, cores=1, device="Card")


def test_a_graphics_card_must_have_room_for_all_of_it(model: InstalledModel) -> None:
    large = msgspec.structs.replace(model, size_bytes=10**9)
    options = LoadOptions(n_ctx=N_CTX)
    warning = check_memory(large, options, freed=0, machine=lambda: machine_with_a_card(10**9))
    assert warning.startswith("Graphics memory is tight: polite needs about 1.")
    roomy = machine_with_a_card(2 * 10**9)
    assert check_memory(large, options, freed=0, machine=lambda: roomy) == ""
    assert (
        check_memory(large, options, freed=10**9, machine=lambda: machine_with_a_card(10**9)) == ""
    )


def test_what_other_machines_have_room_for_is_not_judged(model: InstalledModel) -> None:
    options = LoadOptions(n_ctx=N_CTX, rpc_servers=("127.0.0.1:50052",))
    assert check_memory(model, options, freed=0, available=lambda: 0, swap=lambda: 0) == ""


@pytest.mark.parametrize("n_gpu_layers", [0, 3])
def test_what_stays_off_the_graphics_card_needs_no_room_there(
    model: InstalledModel, n_gpu_layers: int
) -> None:
    options = LoadOptions(n_ctx=N_CTX, n_gpu_layers=n_gpu_layers)
    assert check_memory(model, options, freed=0, machine=lambda: machine_with_a_card(1)) == ""


def test_a_longer_context_needs_more(model: InstalledModel) -> None:
    enough = needed(model, 512) * 2
    assert check_memory(model, LoadOptions(n_ctx=512), freed=0, available=lambda: enough) == ""
    with pytest.raises(OutOfMemory):
        check_memory(
            model,
            LoadOptions(n_ctx=10_000_000),
            freed=0,
            available=lambda: enough,
            swap=lambda: enough,
        )


def test_a_file_that_was_damaged_since_is_refused(
    library: Library, model_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "copy.gguf"
    path.write_bytes(model_file.read_bytes())
    model = library.add_file(path)
    corrupt(model_file, path, "truncated")
    with pytest.raises(BadModelFile, match="copy"):
        check_memory(model, LoadOptions(), freed=0)


def test_the_inspector_names_the_length_that_is_set_up_unasked() -> None:
    assert f"{DEFAULT_CONTEXT:,}" in option("n_ctx").neutral_title


def test_a_smaller_cache_takes_less(model: InstalledModel) -> None:
    header = read_header(model.path)
    plain = expected_memory(header, model.size_bytes, N_CTX, LoadOptions())
    small = expected_memory(header, model.size_bytes, N_CTX, LoadOptions(cache_type="q8_0"))
    assert small.kv_cache < plain.kv_cache
