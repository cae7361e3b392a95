"""New model files made of those that are here, each by a job in a process of its own."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import gguf
import numpy as np
import psutil
import pytest

from app import making as making_module
from app.adapters import Adapters
from app.errors import AppError
from app.making import Making
from app.options.adapter_stack import StackedAdapter
from backends.errors import EngineCrashed
from backends.llama_cpp.backend import LlamaCppBackend
from backends.protocol import AppliedAdapter, ChatRequest, LoadOptions, Message, Sampling, TextDelta
from catalog.errors import CatalogError, DownloadCancelled, UnknownModel
from catalog.hub.hub import Hub
from catalog.library import InstalledModel, Library
from catalog.network import Network
from tests.catalog.adapters.peft_files import write_peft
from tests.catalog.hub_server import HubServer
from tests.gguf_adapters import write_adapter_for
from tests.gguf_files import write_adapter, write_model

N_EMBD = 256  # a whole block of the k-quants
LORA = {
    f"base_model.model.model.layers.{layer}.self_attn.q_proj.lora_{half}.weight": shape
    for layer in range(2)
    for half, shape in (("A", (3, 64)), ("B", (64, 3)))
}


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer() as server:
        yield server


@pytest.fixture
def making(library: Library, hub: HubServer) -> Iterator[Making]:
    def network() -> Network:
        return Network(hub_endpoint=hub.url)

    client = Hub(network)
    yield Making(library, Adapters(library), client, network)
    client.close()


@pytest.fixture
def plain(library: Library, tmp_path: Path) -> InstalledModel:
    return library.add_file(write_model(tmp_path / "plain.gguf", n_embd=N_EMBD, name="Plain F32"))


@pytest.fixture
def adapter(library: Library, plain: InstalledModel, tmp_path: Path) -> InstalledModel:
    return library.add_file(write_adapter_for(plain.path, tmp_path / "terse.gguf"))


class Work:
    """What a piece of work is told with: the progress it makes, and a way to cancel it."""

    def __init__(self) -> None:
        self.fractions: list[float] = []
        self.cancelled = threading.Event()

    @property
    def told(self) -> dict[str, object]:
        return {"on_progress": self.fractions.append, "cancelled": self.cancelled}


@pytest.fixture
def work() -> Work:
    return Work()


def answer(model: Path, *adapters: AppliedAdapter) -> str:
    session = LlamaCppBackend().open(str(model), LoadOptions(n_threads=1), lambda _: True)
    request = ChatRequest(
        messages=(Message(role="user", content="Hello"),),
        sampling=Sampling(temperature=0),
        max_tokens=24,
        adapters=adapters,
    )
    try:
        return "".join(each.text for each in session.chat(request) if isinstance(each, TextDelta))
    finally:
        session.close()


def left_over(library: Library) -> list[Path]:
    """Files below the models folder that are no finished model."""
    files = [path for path in library.models_folder.rglob("*") if path.is_file()]
    return [path for path in files if path.suffix != ".gguf" or ".making" in path.parts]


# Quantizing


def test_a_model_is_quantized_as_llama_cpp_does(
    making: Making, library: Library, plain: InstalledModel, work: Work
) -> None:
    made = making.quantize(plain, "q4_k_m", **work.told)
    assert (made.quant, made.managed, made.path.name) == ("Q4_K_M", True, "Plain-Q4_K_M.gguf")
    assert made.size_bytes < plain.size_bytes / 3
    assert work.fractions == sorted(work.fractions)
    assert 0 < work.fractions[-1] <= 1
    assert left_over(library) == []
    assert answer(made.path)


@pytest.mark.parametrize("name", ["another", "zebra"])
def test_what_is_there_already_is_not_kept_twice(
    making: Making, library: Library, plain: InstalledModel, work: Work, name: str
) -> None:
    first = making.quantize(plain, "Q8_0", name="first", **work.told)
    with pytest.raises(AppError, match="made before") as refused:
        making.quantize(plain, "Q8_0", name=name, **work.told)
    assert str(first.path) in refused.value.why
    assert {each.path for each in library.models()} == {plain.path, first.path}
    assert not (first.path.parent.parent / name).exists()


def test_quants_are_offered_with_their_sizes(making: Making, plain: InstalledModel) -> None:
    choices = {choice.name: choice for choice in making.quants_for(plain)}
    assert choices["Q8_0"].size_bytes > choices["Q4_K_M"].size_bytes > 0
    assert "IQ1_S" not in choices


def test_what_is_quantized_already_would_lose_once_more(
    making: Making, library: Library, plain: InstalledModel, tmp_path: Path, work: Work
) -> None:
    small = library.add_file(write_model(tmp_path / "small.gguf", weights="Q8_0"))
    assert making.quants_for(small) == ()
    with pytest.raises(AppError, match="would lose"):
        making.quantize(small, "Q4_0", **work.told)


@pytest.mark.parametrize(
    ("quant", "words"), [("Q9_X", "no quant"), ("F16", "no quant"), ("IQ2_XXS", "matrix")]
)
def test_a_quant_that_can_not_be_made_is_named(
    making: Making, plain: InstalledModel, work: Work, quant: str, words: str
) -> None:
    with pytest.raises(AppError, match=words):
        making.quantize(plain, quant, **work.told)


def test_what_the_engine_refuses_is_told_in_its_words(
    making: Making, library: Library, plain: InstalledModel, tmp_path: Path, work: Work
) -> None:
    path = write_model(tmp_path / "strange.gguf", n_embd=N_EMBD)
    strange = library.add_file(path)
    path.write_bytes(path.read_bytes().replace(b"tokenizer.ggml.model", b"tokenizer.ggml.medel"))
    path.write_bytes(path.read_bytes().replace(b"llama.block_count", b"llama.black_count"))
    with pytest.raises(AppError, match="could not be stored as Q8_0") as refused:
        making.quantize(strange, "Q8_0", **work.told)
    assert "block_count" in refused.value.why
    assert left_over(library) == []


# Merging


@pytest.mark.parametrize("scale", [1.0, -0.5])
def test_a_merged_model_answers_as_the_model_with_its_adapter(
    making: Making, plain: InstalledModel, adapter: InstalledModel, work: Work, scale: float
) -> None:
    stack = [StackedAdapter(adapter.id, scale)]
    made = making.merge(plain, stack, name="Terse plain", **work.told)
    assert (made.name, made.managed, made.quant) == ("Terse plain", True, plain.quant)
    assert answer(made.path) == answer(plain.path, AppliedAdapter(str(adapter.path), scale))
    assert answer(made.path) != answer(plain.path)
    assert work.fractions[-1] > 0.98


def test_only_what_an_adapter_touches_is_changed_and_by_the_right_amount(
    making: Making, library: Library, tmp_path: Path, work: Work
) -> None:
    model = library.add_file(write_model(tmp_path / "base.gguf"))
    adapter = library.add_file(write_adapter(tmp_path / "query.gguf", rank=4))
    made = making.merge(model, [StackedAdapter(adapter.id, 0.5)], **work.told)
    before, after = tensors(model.path), tensors(made.path)
    lora = tensors(adapter.path)
    assert before.keys() == after.keys()
    for name, values in before.items():
        change = 0.0
        if "attn_q" in name:
            change = lora[f"{name}.lora_b"] @ lora[f"{name}.lora_a"] * (0.5 * 8.0 / 4)
            assert not np.array_equal(values, after[name])
        np.testing.assert_allclose(after[name], values + change, rtol=1e-5, atol=1e-6)
    fields = gguf.GGUFReader(made.path).fields
    assert fields["causeway.merged_adapters"].contents() == ["query.gguf × 0.5"]
    assert "tokenizer.chat_template" in fields


def tensors(path: Path) -> dict[str, np.ndarray]:
    return {each.name: np.array(each.data) for each in gguf.GGUFReader(path).tensors}


@pytest.mark.parametrize("quant", ["Q8_0", "Q4_0", "Q4_K_M", "IQ4_XS"])
def test_quantized_weights_are_stored_again_in_their_way(
    making: Making, plain: InstalledModel, adapter: InstalledModel, work: Work, quant: str
) -> None:
    small = making.quantize(plain, quant, **work.told)
    made = making.merge(small, [StackedAdapter(adapter.id)], name="merged", **work.told)
    assert made.quant == small.quant
    kinds = [{each.name: each.tensor_type for each in gguf.GGUFReader(path).tensors}
             for path in (small.path, made.path)]  # fmt: skip
    assert kinds[0] == kinds[1]
    assert answer(made.path) != answer(small.path)


def test_a_split_model_is_merged_into_one_file(
    making: Making, library: Library, tmp_path: Path, work: Work
) -> None:
    model = library.add_file(write_model(tmp_path / "split.gguf", split_tensors=7))
    adapter = library.add_file(write_adapter(tmp_path / "query.gguf"))
    made = making.merge(model, [StackedAdapter(adapter.id)], name="whole", **work.told)
    assert len(library.files(made)) == 1
    assert answer(made.path) == answer(model.path, AppliedAdapter(str(adapter.path)))


def test_what_can_not_be_merged_is_refused_in_words(
    making: Making,
    library: Library,
    plain: InstalledModel,
    adapter: InstalledModel,
    tmp_path: Path,
    work: Work,
) -> None:
    narrow = library.add_file(write_adapter(tmp_path / "narrow.gguf"))
    with pytest.raises(AppError, match="can't be merged"):
        making.merge(plain, [StackedAdapter(narrow.id)], **work.told)
    with pytest.raises(AppError, match="nothing to merge"):
        making.merge(plain, [StackedAdapter(adapter.id, muted=True)], **work.told)
    with pytest.raises(AppError, match="no name for a file"):
        making.merge(plain, [StackedAdapter(adapter.id)], name="///", **work.told)
    making.merge(plain, [StackedAdapter(adapter.id)], name="once", **work.told)
    with pytest.raises(AppError, match="already"):
        making.merge(plain, [StackedAdapter(adapter.id)], name="once", **work.told)


def test_an_adapter_with_numbers_that_are_none_is_refused(
    making: Making, library: Library, plain: InstalledModel, adapter: InstalledModel, work: Work
) -> None:
    data = bytearray(adapter.path.read_bytes())
    data[-4:] = np.float32("nan").tobytes()
    adapter.path.write_bytes(data)
    with pytest.raises(AppError, match="numbers that are none"):
        making.merge(plain, [StackedAdapter(adapter.id)], **work.told)
    assert left_over(library) == []


def test_an_adapter_too_strong_for_the_weights_is_refused(
    making: Making, library: Library, plain: InstalledModel, tmp_path: Path, work: Work
) -> None:
    path = write_adapter_for(plain.path, tmp_path / "strong.gguf", strength=1e30)
    strong = library.add_file(path)
    with pytest.raises(AppError, match="too large for the model's weights"):
        making.merge(plain, [StackedAdapter(strong.id)], **work.told)
    assert left_over(library) == []


# Converting


def test_a_peft_folder_becomes_an_adapter_that_works(
    making: Making, library: Library, tmp_path: Path, work: Work
) -> None:
    base = library.add_file(write_model(tmp_path / "base.gguf"))
    folder = write_peft(tmp_path / "pirate", LORA)
    made = making.convert(folder, base, **work.told)
    assert (made.kind, made.id, made.architecture) == ("adapter", "pirate", "llama")
    assert Adapters(library).fit(made, base).fits
    assert answer(base.path, AppliedAdapter(str(made.path), 2.0))
    assert left_over(library) == []


def test_a_peft_repository_is_fetched_and_converted(
    making: Making, library: Library, hub: HubServer, tmp_path: Path, work: Work
) -> None:
    base = library.add_file(write_model(tmp_path / "base.gguf"))
    folder = write_peft(tmp_path / "pirate", LORA)
    hub.add("maker/pirate-lora", {path.name: path.read_bytes() for path in folder.iterdir()})
    made = making.fetch_and_convert("maker/pirate-lora", base, **work.told)
    assert made.path.name == "pirate-lora.gguf"
    same = making.convert(folder, base, name="pirate-lora2", **work.told)
    assert tensors(made.path).keys() == tensors(same.path).keys()
    assert left_over(library) == []


def test_what_is_no_peft_adapter_is_refused_in_words(
    making: Making, library: Library, hub: HubServer, tmp_path: Path, work: Work
) -> None:
    base = library.add_file(write_model(tmp_path / "base.gguf"))
    hub.add("maker/model", {"model.gguf": base.path.read_bytes()})
    with pytest.raises(UnknownModel, match="no PEFT adapter"):
        making.fetch_and_convert("maker/model", base, **work.told)
    with pytest.raises((AppError, CatalogError)):
        making.convert(tmp_path, base, **work.told)
    wide = write_peft(tmp_path / "wide", dict.fromkeys(LORA, (64, 64)))
    with pytest.raises(AppError):
        making.convert(wide, base, **work.told)
    assert left_over(library) == []


# Ends


def large(library: Library, tmp_path: Path) -> InstalledModel:
    """Work for some seconds."""
    path = write_model(tmp_path / "large.gguf", n_embd=1024, n_layers=6, name="Large F32")
    return library.add_file(path)


def test_a_cancelled_job_leaves_nothing(
    making: Making, library: Library, tmp_path: Path, work: Work
) -> None:
    model = large(library, tmp_path)

    def cancel(fraction: float) -> None:
        work.cancelled.set()

    with pytest.raises(DownloadCancelled):
        making.quantize(model, "IQ4_XS", on_progress=cancel, cancelled=work.cancelled)
    assert left_over(library) == []
    assert jobs() == []


@pytest.mark.parametrize("kind", ["quantize", "merge"])
def test_a_killed_job_is_told_in_words_and_leaves_nothing(
    making: Making, library: Library, tmp_path: Path, work: Work, kind: str
) -> None:
    model = large(library, tmp_path)
    adapter = library.add_file(write_adapter_for(model.path, tmp_path / "terse.gguf"))

    def kill(fraction: float) -> None:
        for job in jobs():
            job.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)

    told = {"on_progress": kill, "cancelled": work.cancelled}
    run: Callable[[], object] = {
        "quantize": lambda: making.quantize(model, "IQ4_XS", **told),
        "merge": lambda: making.merge(model, [StackedAdapter(adapter.id)], **told),
    }[kind]
    with pytest.raises(EngineCrashed, match="broken off"):
        run()
    assert left_over(library) == []


def jobs() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "job" in child.cmdline()
    ]


def test_without_room_nothing_is_begun(
    making: Making, plain: InstalledModel, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = making_module.shutil.disk_usage
    monkeypatch.setattr(
        making_module.shutil, "disk_usage", lambda path: usage(path)._replace(free=1000)
    )
    with pytest.raises(AppError, match="not enough room"):
        making.quantize(plain, "Q8_0", **work.told)


def test_what_a_killed_program_left_is_cleared_up(
    making: Making, library: Library, plain: InstalledModel, work: Work
) -> None:
    workshop = library.models_folder / ".making"
    dead = workshop / "999999999-1.5-abcdef01"
    alive = workshop / f"{os.getpid()}-{psutil.Process().create_time()}-abcdef01"
    for folder in (dead, alive):
        folder.mkdir(parents=True)
        (folder / "half.gguf").write_bytes(b"GGUF")
    making.quantize(plain, "Q8_0", **work.told)
    assert not dead.exists()
    assert alive.exists()
