"""Whether models fit a computer of known size, the longest context, and the speed."""

from pathlib import Path

import msgspec
import pytest

from catalog.fit.fit import Fit, Memory, estimate, fit, rough_fit
from catalog.fit.speed import active_bytes
from catalog.gguf.files import ArraySummary, read_header
from tests.catalog.fit.test_memory_estimate import MIB, header, starter
from tests.gguf_files import write_model
from tests.gguf_shapes import write_shape


class TestVerdict:
    needed = estimate(starter(), 98_362_432, 8192).total

    def judge(self, *, free: int, total: int, vram_free: int = 0, vram_total: int = 0) -> Fit:
        memory = Memory(free=free, total=total, vram_free=vram_free, vram_total=vram_total)
        return fit(starter(), 98_362_432, 8192, memory)

    def test_nine_tenths_of_the_free_memory_are_enough(self) -> None:
        total = 10 * self.needed
        assert self.judge(free=int(self.needed / 0.9) + 2, total=total).verdict == "fits"
        assert self.judge(free=int(self.needed / 0.9) - 2, total=total).verdict == "tight"

    def test_what_would_fit_an_idle_computer_is_tight(self) -> None:
        assert self.judge(free=1, total=int(self.needed / 0.9) + 2).verdict == "tight"
        assert self.judge(free=1, total=int(self.needed / 0.9) - 2).verdict == "too_large"

    def test_the_sum_is_told(self) -> None:
        judged = self.judge(free=10**10, total=10**11)
        assert judged.exact
        assert judged.free == 10**10
        assert judged.needed == sum(msgspec.structs.astuple(judged.parts))

    def test_a_graphics_card_is_held_against(self) -> None:
        roomy = self.judge(free=1, total=10**9, vram_free=10**10, vram_total=10**10)
        assert roomy.verdict == "fits"
        assert roomy.free == 10**10
        small = self.judge(free=1, total=10**9, vram_free=10**8, vram_total=10**8)
        assert small.verdict == "tight"
        assert small.speed is None

    def test_memory_that_is_shared_counts_once(self) -> None:
        half = int(self.needed * 0.6)
        own = self.judge(free=1, total=half, vram_free=1, vram_total=half)
        assert own.verdict == "tight"
        memory = Memory(free=1, total=half, vram_free=1, vram_total=half, vram_shared=True)
        assert fit(starter(), 98_362_432, 8192, memory).verdict == "too_large"


@pytest.mark.parametrize("free", [150, 250, 400, 1000, 4000])
def test_the_largest_context_fits_and_the_next_does_not(free: int) -> None:
    shape = starter()
    shape.metadata["llama.context_length"] = 32_768
    memory = Memory(free=free * MIB, total=free * MIB)
    largest = fit(shape, 98_362_432, 8192, memory).largest_context
    if largest:
        assert estimate(shape, 98_362_432, largest).total <= memory.comfortable
    if largest < 32_768:
        assert estimate(shape, 98_362_432, largest + 256).total > memory.comfortable


def test_the_largest_context_is_none_where_the_weights_do_not_fit() -> None:
    assert fit(starter(), 10**9, 8192, Memory(free=10**8, total=10**9)).largest_context == 0


def test_the_largest_context_is_no_longer_than_the_model_was_made_for() -> None:
    shape = starter()
    shape.metadata["llama.context_length"] = 2000
    assert fit(shape, 0, 512, Memory(free=10**12, total=10**12)).largest_context == 2000


class TestSpeed:
    memory = Memory(free=10**12, total=10**12, bandwidth=20e9)

    @pytest.mark.parametrize(
        ("gigabytes", "speed"), [(0.5, "fast"), (3, "readable"), (5, "slow"), (40, "slow")]
    )
    def test_each_token_costs_a_reading_of_the_weights(self, gigabytes: float, speed: str) -> None:
        judged = fit(starter(), int(gigabytes * 1e9), 256, self.memory)
        assert judged.speed == speed
        assert judged.tokens_per_second == pytest.approx(20 / gigabytes, rel=0.02)

    def test_a_long_context_costs_too(self) -> None:
        speeds = [fit(starter(), 10**8, n, self.memory).tokens_per_second for n in (512, 32_768)]
        assert speeds[0] > 2 * speeds[1]

    def test_of_experts_only_those_that_are_asked_are_read(self, tmp_path: Path) -> None:
        path = write_shape(tmp_path / "experts.gguf", "experts", expert_used_count=2)
        experts = read_header(path)
        all_bytes = sum(tensor.n_bytes for tensor in experts.tensors)
        of_experts = sum(t.n_bytes for t in experts.tensors if "_exps" in t.name)
        assert active_bytes(experts, all_bytes) == all_bytes - of_experts * 14 // 16
        assert active_bytes(experts, 2 * all_bytes) == 2 * active_bytes(experts, all_bytes)

    def test_of_a_table_only_a_row_is_read(self, tmp_path: Path) -> None:
        own_output = read_header(write_model(tmp_path / "tiny.gguf"))
        whole = sum(tensor.n_bytes for tensor in own_output.tensors)
        table = next(t.n_bytes for t in own_output.tensors if t.name == "token_embd.weight")
        assert active_bytes(own_output, whole) == whole - table

    def test_nothing_is_guessed_where_nothing_was_measured(self) -> None:
        judged = fit(starter(), 10**8, 512, Memory(free=1, total=1))
        assert (judged.tokens_per_second, judged.speed) == (0.0, None)


TYPICAL = {
    # parameters in billions, gigabytes; layers, width, heads, heads of the cache, length, vocabulary
    "SmolLM2 135M": (0.135, 0.1, 30, 576, 9, 3, 64, 49_152),
    "Qwen3 0.6B": (0.6, 0.48, 28, 1024, 16, 8, 128, 151_936),
    "Llama 3.2 1B": (1.24, 0.8, 16, 2048, 32, 8, 64, 128_256),
    "Qwen3 1.7B": (1.7, 1.3, 28, 2048, 16, 8, 128, 151_936),
    "Llama 3.2 3B": (3.2, 2.0, 28, 3072, 24, 8, 128, 128_256),
    "Qwen3 4B": (4.0, 2.5, 36, 2560, 32, 8, 128, 151_936),
    "Llama 3.1 8B": (8.0, 4.9, 32, 4096, 32, 8, 128, 128_256),
    "Qwen3 14B": (14.8, 9.0, 40, 5120, 40, 8, 128, 151_936),
    "Mistral Small 24B": (23.6, 14.3, 40, 5120, 32, 8, 128, 131_072),
    "Qwen3 32B": (32.8, 19.8, 64, 5120, 64, 8, 128, 151_936),
    "Llama 3.3 70B": (70.6, 42.5, 80, 8192, 64, 8, 128, 128_256),
}


@pytest.mark.parametrize("name", TYPICAL)
@pytest.mark.parametrize("n_ctx", [2048, 8192])
def test_a_rough_estimate_is_near_the_exact_one(name: str, n_ctx: int) -> None:
    billions, gigabytes, layers, width, heads, kv_heads, length, n_vocab = TYPICAL[name]
    shape = header(
        "llama",
        block_count=layers,
        embedding_length=width,
        feed_forward_length=3 * width,
        attention__head_count=heads,
        attention__head_count_kv=kv_heads,
        attention__key_length=length,
        attention__value_length=length,
    )
    shape.metadata["tokenizer.ggml.tokens"] = ArraySummary(8, n_vocab)
    size = int(gigabytes * 1e9)
    exact = estimate(shape, size, n_ctx)
    rough = rough_fit(int(billions * 1e9), size, n_ctx, Memory(free=1, total=1)).parts
    assert 0.9 * exact.total < rough.total < 1.35 * exact.total
    assert 0.6 * (exact.kv_cache + exact.compute) < rough.kv_cache + rough.compute


def test_a_rough_estimate_needs_only_one_of_both_numbers() -> None:
    memory = Memory(free=16 << 30, total=32 << 30)
    by_parameters = rough_fit(8_000_000_000, 0, 8192, memory)
    by_size = rough_fit(0, 5_000_000_000, 8192, memory)
    assert by_parameters == by_size
    assert by_parameters.parts.weights == 5_000_000_000
    assert not by_parameters.exact
    assert rough_fit(0, 0, 8192, memory).verdict == "fits"


def test_no_longer_context_is_promised_than_a_model_was_made_for() -> None:
    memory = Memory(free=64 * 10**9, total=64 * 10**9)
    assert rough_fit(135_000_000, 98_000_000, 2048, memory, longest=2048).largest_context == 2048
    assert rough_fit(135_000_000, 98_000_000, 2048, memory).largest_context > 2048
