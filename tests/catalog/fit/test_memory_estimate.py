"""The memory estimate, against what llama.cpp allocated and against sums done by hand.

`tests/backends/llama_cpp/test_allocation.py` holds it against what the worker allocates.
"""

from pathlib import Path

import pytest

from catalog.fit.fit import CacheType, estimate
from catalog.gguf.files import ArraySummary, GgufHeader, MetadataValue, read_header
from tests.gguf_files import write_model

MIB = 1 << 20
F16 = 2


def header(architecture: str, **hyper: MetadataValue) -> GgufHeader:
    """A header with `block_count` layers; two underscores stand for a point."""
    metadata: dict[str, MetadataValue] = {"general.architecture": architecture}
    metadata |= {f"{architecture}.{key.replace('__', '.')}": v for key, v in hyper.items()}
    return GgufHeader(3, metadata, (), 0)


def starter() -> GgufHeader:
    shape = header(
        "llama",
        block_count=30,
        embedding_length=576,
        attention__head_count=9,
        attention__head_count_kv=3,
    )
    shape.metadata["tokenizer.ggml.tokens"] = ArraySummary(8, 49152)
    return shape


@pytest.mark.parametrize(
    ("n_ctx", "kv_cache", "compute"),
    [(512, 11.25, 98.25), (2048, 45, 99.38), (8192, 180, 166.38), (32768, 720, 646.38)],
)
def test_agrees_with_what_llama_cpp_allocates_for_the_starter(
    n_ctx: int, kv_cache: float, compute: float
) -> None:
    parts = estimate(starter(), 98_362_432, n_ctx)
    assert parts.weights == 98_362_432
    assert parts.kv_cache == kv_cache * MIB
    assert parts.compute == pytest.approx(compute * MIB, rel=0.02)
    assert parts.total == parts.weights + parts.kv_cache + parts.compute


def test_reads_the_shape_from_a_real_file(tmp_path: Path) -> None:
    path = write_model(tmp_path / "tiny.gguf", n_layers=3, n_embd=128)
    parts = estimate(read_header(path), path.stat().st_size, 300)
    assert parts.kv_cache == 3 * 512 * 2 * (32 + 32) * F16  # 2 of 4 heads, 300 tokens padded to 512


def test_heads_may_differ_by_layer() -> None:
    shape = header(
        "openelm",
        block_count=3,
        embedding_length=640,
        attention__head_count=(10, 10, 20),
        attention__head_count_kv=(2, 3, 5),
        attention__key_length=64,
        attention__value_length=64,
    )
    # All layers get room for the widest value, which only flash attention can do without.
    assert estimate(shape, 0, 256).kv_cache == 256 * ((2 + 3 + 5) + 3 * 5) * 64 * F16
    quantized = estimate(shape, 0, 256, cache_type="q8_0").kv_cache
    assert quantized == 256 * (2 + 3 + 5) * 128 * 34 // 32


def test_all_heads_keep_keys_where_the_file_names_no_groups() -> None:
    shape = header("gptneox", block_count=2, embedding_length=512, attention__head_count=8)
    assert estimate(shape, 0, 256).kv_cache == 2 * 256 * 8 * 128 * F16


@pytest.mark.parametrize(
    ("architecture", "pattern", "sliding"),
    [
        ("gemma3", None, 10),
        ("gemma2", None, 6),
        ("anything", (True, False) * 6, 6),
        ("anything", 4, 9),
        ("llama", None, 0),
    ],
)
def test_windowed_layers_keep_the_window_only(
    architecture: str, pattern: MetadataValue | None, sliding: int
) -> None:
    hyper: dict[str, MetadataValue] = {
        "block_count": 12,
        "embedding_length": 512,
        "attention__head_count": 8,
        "attention__sliding_window": 512,
    }
    if pattern is not None:
        hyper["attention__sliding_window_pattern"] = pattern
    shape = header(architecture, **hyper)
    per_cell = 8 * 128 * F16
    windowed = sliding * 1024 + (12 - sliding) * 8192
    assert estimate(shape, 0, 8192, swa_full=False).kv_cache == windowed * per_cell
    assert estimate(shape, 0, 8192).kv_cache == 12 * 8192 * per_cell


def test_latent_attention_keeps_one_short_vector_per_token() -> None:
    shape = header(
        "deepseek2",
        block_count=27,
        embedding_length=2048,
        attention__head_count=16,
        attention__kv_lora_rank=512,
        attention__key_length_mla=192,
        rope__dimension_count=64,
    )
    assert estimate(shape, 0, 4096).kv_cache == 27 * 4096 * (512 + 64) * F16


def mamba(**more: MetadataValue) -> GgufHeader:
    return header(
        more.pop("architecture", "mamba2"),  # type: ignore[arg-type]
        block_count=4,
        embedding_length=1024,
        ssm__conv_kernel=4,
        ssm__inner_size=2048,
        ssm__state_size=128,
        ssm__group_count=1,
        **more,
    )


SEQUENCES = 4
RECURRENT = SEQUENCES * 4 * (3 * (2048 + 2 * 128) + 128 * 2048)
ATTENTION = 4 * (64 + 64) * F16


def test_recurrent_layers_take_the_same_however_long_the_chat() -> None:
    short, long = (estimate(mamba(), 0, n_ctx).kv_cache for n_ctx in (512, 65536))
    assert short == long == 4 * RECURRENT


def test_a_hybrid_has_both_kinds_of_layers() -> None:
    by_heads = mamba(
        architecture="granitehybrid",
        attention__head_count=16,
        attention__head_count_kv=(0, 4, 0, 0),
    )
    assert estimate(by_heads, 0, 1024).kv_cache == 3 * RECURRENT + 1024 * ATTENTION
    by_interval = mamba(
        architecture="qwen3next",
        attention__head_count=16,
        attention__head_count_kv=4,
        full_attention_interval=4,
    )
    assert estimate(by_interval, 0, 1024).kv_cache == 3 * RECURRENT + 1024 * ATTENTION
    parallel = mamba(architecture="falcon-h1", attention__head_count=16, attention__head_count_kv=4)
    assert estimate(parallel, 0, 1024).kv_cache == 4 * (RECURRENT + 1024 * ATTENTION)


@pytest.mark.parametrize(
    "hyper",
    [
        {},
        {"block_count": -1},
        {"block_count": 10**12},
        {"block_count": 3, "attention__head_count": 0},
        {"block_count": 3, "attention__head_count": (1,), "embedding_length": "many"},
        {"block_count": 3, "attention__head_count": ArraySummary(4, 2000)},
        {"block_count": 3, "ssm__conv_kernel": 0, "ssm__state_size": 2.5},
    ],
)
def test_an_odd_header_gives_an_estimate_all_the_same(hyper: dict[str, MetadataValue]) -> None:
    assert estimate(header("odd", **hyper), 7, 4096).total >= 7


def test_layers_that_share_a_cache_have_none_of_their_own() -> None:
    shape = header(
        "gemma4",
        block_count=4,
        embedding_length=1024,
        attention__head_count=8,
        attention__head_count_kv=2,
        attention__key_length=256,
        attention__value_length=256,
        attention__key_length_swa=128,
        attention__value_length_swa=128,
        attention__sliding_window=512,
        attention__sliding_window_pattern=(True, False, True, False),
        attention__shared_kv_layers=2,
    )
    sliding, full = 2 * (128 + 256), 2 * (256 + 256)  # values as wide as the widest
    assert estimate(shape, 0, 1024).kv_cache == 1024 * (sliding + full) * F16
    flash = estimate(shape, 0, 1024, flash_attention=True).kv_cache
    assert flash == 1024 * (2 * 256 + full) * F16


def test_layers_that_only_guess_further_tokens_are_never_run() -> None:
    def with_guessing(layers: int) -> GgufHeader:
        return header(
            "glm4moe",
            block_count=4,
            embedding_length=512,
            attention__head_count=8,
            nextn_predict_layers=layers,
        )

    one, none = (estimate(with_guessing(layers), 0, 512).kv_cache for layers in (1, 0))
    assert 4 * one == 3 * none


def test_short_convolutions_keep_the_last_tokens_only() -> None:
    shape = header(
        "lfm2",
        block_count=3,
        embedding_length=1024,
        attention__head_count=16,
        attention__head_count_kv=(0, 8, 0),
        shortconv__l_cache=3,
    )
    attention = 512 * 8 * 128 * F16
    assert estimate(shape, 0, 512).kv_cache == attention + SEQUENCES * 2 * 2 * 1024 * 4


def test_a_state_of_matrices_does_not_grow() -> None:
    shape = header("rwkv7", block_count=3, embedding_length=768, wkv__head_size=64)
    assert estimate(shape, 0, 512).kv_cache == SEQUENCES * 3 * (2 + 64) * 768 * 4


def test_layers_that_only_feed_forward_remember_nothing() -> None:
    shape = mamba(
        architecture="nemotron_h",
        attention__head_count=16,
        attention__head_count_kv=(0, 4, 0, 0),
        feed_forward_length=(0, 0, 4096, 4096),
    )
    assert estimate(shape, 0, 1024).kv_cache == RECURRENT + 1024 * ATTENTION


def test_a_model_for_search_remembers_nothing() -> None:
    shape = header(
        "bert",
        block_count=12,
        embedding_length=768,
        attention__head_count=12,
        attention__causal=False,
    )
    assert estimate(shape, 0, 512).kv_cache == 0


@pytest.mark.parametrize(
    ("cache_type", "bits"),
    [("q8_0", 8.5), ("q5_1", 6), ("q5_0", 5.5), ("q4_1", 5), ("q4_0", 4.5)],
)
def test_a_quantized_cache_takes_less(cache_type: CacheType, bits: float) -> None:
    usual = estimate(starter(), 0, 8192)
    quantized = estimate(starter(), 0, 8192, cache_type=cache_type)
    assert quantized.kv_cache == usual.kv_cache * bits / 16
    assert quantized.compute < usual.compute
