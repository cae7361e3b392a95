"""What file names tell: those of real repositories, and any others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.catalogues.entries import HubFile
from catalog.hub.file_names import (
    group_files,
    is_adapter_repository,
    kind_of,
    projector_for,
    quant_of,
    split_of,
)
from catalog.hub.records import RepositoryFile


def files(*paths: str, size: int | None = 100) -> list[RepositoryFile]:
    return [
        RepositoryFile(source=HubFile("maker/model-GGUF", path), size_bytes=size) for path in paths
    ]


@pytest.mark.parametrize(
    ("path", "quant"),
    [
        ("Qwen3.5-0.8B-Q4_K_M.gguf", "Q4_K_M"),
        ("Qwen3-0.6B.Q4_K_M.gguf", "Q4_K_M"),
        ("Qwen3.6-35B-A3B-UD-Q4_K_M.gguf", "UD-Q4_K_M"),
        ("Qwen3-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("smollm2-1.7b-instruct-q4_k_m.gguf", "Q4_K_M"),
        ("ggml-model-q4_k.gguf", "Q4_K"),
        ("ggml-model-q8_0.gguf", "Q8_0"),
        ("gemma-3-270m-it-qat-Q4_0.gguf", "Q4_0"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("gpt-oss-20b-MXFP4_MOE.gguf", "MXFP4_MOE"),
        ("gpt4all-13b-snoozy-q4_0.gguf", "Q4_0"),
        ("LLaMA-13B-HF.Q8_0.gguf", "Q8_0"),
        ("vicuna-13b-v1.5-16k.Q4_K.gguf", "Q4_K"),
        ("nomic-embed-text-v1.5.f16.gguf", "F16"),
        ("mmproj-Qwen_Qwen3.5-0.8B-f16.gguf", "F16"),
        ("mmproj-BF16.gguf", "BF16"),
        ("model-fp16.gguf", "F16"),
        ("DeepSeek-R1-UD-IQ1_S-00001-of-00003.gguf", "UD-IQ1_S"),
        ("Q4_K_M/DeepSeek-R1-Q4_K_M-00009-of-00009.gguf", "Q4_K_M"),
        ("UD-IQ2_XXS/DeepSeek-R1-00001-of-00004.gguf", "UD-IQ2_XXS"),
        ("Phi-3-mini-4k-instruct-IQ4_NL.gguf", "IQ4_NL"),
        ("llama-2-7b-Q4_0_4_8.gguf", "Q4_0_4_8"),
        ("BitNet-TQ2_0.gguf", "TQ2_0"),
        ("Q4_0-distilled-to-Q8_0.gguf", "Q8_0"),
        ("model-Q2_K_S-imat.gguf", "Q2_K_S"),
        ("model-Q3_K_L_v2.gguf", "Q3_K_L"),
        ("phi-2.gguf", ""),
        ("Llama-IQ-tester.gguf", ""),
    ],
)
def test_the_quant_is_in_the_name(path: str, quant: str) -> None:
    assert quant_of(path) == quant


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("Qwen3.5-0.8B-Q4_K_M.gguf", "weights"),
        ("alpaca-lora-7B.Q4_0.gguf", "weights"),
        ("LLaMA-Adapter-7B-Q4_0.gguf", "weights"),
        ("GLM-4.5-Air-Q4_K_M.gguf", "weights"),
        ("mmproj-SmolVLM2-2.2B-Instruct-Q8_0.gguf", "projector"),
        ("gemma-3-4b-it-mmproj-f16.gguf", "projector"),
        ("vision/MMPROJ-model-f16.gguf", "projector"),
        ("LoRA-Qwen2.5-1.5B-Instruct-abliterated-f16.gguf", "adapter"),
        ("abliteration-lora-f16.gguf", "adapter"),
        ("ggml-adapter-model-f16.gguf", "adapter"),
        ("mtp-Qwen3.6-27B-Q8_0.gguf", "other"),
        ("eagle3-Qwen3-8B-F16.gguf", "other"),
        ("Qwen3-8B-eagle3-F16.gguf", "other"),
        ("dspark-model-Q4_0.gguf", "other"),
        ("Qwen2.5-0.5B-DRAFT-Q4_0.gguf", "other"),
        ("imatrix_unsloth.gguf", "other"),
        ("Qwen3-8B.imatrix.gguf", "other"),
        ("model.safetensors", "other"),
        ("model.gguf.part1of2", "other"),
        ("README.md", "other"),
    ],
)
def test_the_kind_is_in_the_name(path: str, kind: str) -> None:
    assert kind_of(path) == kind


def test_a_huge_file_is_no_adapter_whatever_its_name() -> None:
    assert kind_of("gpt4all-lora-Q4_0.gguf", 4 << 30) == "weights"
    assert kind_of("gpt4all-lora-Q4_0.gguf", 30 << 20) == "adapter"


@pytest.mark.parametrize(
    ("repo", "tags", "expected"),
    [
        ("ggml-org/LoRA-Qwen2.5-1.5B-Instruct-abliterated-F16-GGUF", ["peft", "gguf"], True),
        ("someone/Sienna-Q8_0-GGUF", ["peft", "llama-cpp", "gguf-my-lora"], True),
        ("someone/Sienna", ["base_model:adapter:Qwen/Qwen2.5-7B"], True),
        ("someone/merged-GGUF", ["peft", "lora", "base_model:quantized:a/b"], False),
        ("tloen/alpaca-lora-7b-GGUF", ["lora"], False),
        ("someone/LoRA-less-GGUF", ["gguf"], False),
    ],
)
def test_tags_tell_a_repository_of_adapters(repo: str, tags: list[str], expected: bool) -> None:
    assert is_adapter_repository(repo, tags) is expected


def test_parts_are_one_model_in_their_order() -> None:
    paths = [f"Q4_K_M/big-Q4_K_M-{number:05}-of-00003.gguf" for number in (3, 1, 2)]
    groups = group_files(files(*paths))
    [group] = groups.quants
    assert [file.source.path for file in group.files] == sorted(paths)
    assert (group.quant, group.size_bytes) == ("Q4_K_M", 300)


def test_a_model_with_a_part_missing_is_left_out() -> None:
    groups = group_files(
        files("big-Q4_0-00001-of-00003.gguf", "big-Q4_0-00003-of-00003.gguf", "big-Q8_0.gguf")
    )
    assert [group.quant for group in groups.quants] == ["Q8_0"]


def test_models_of_one_quant_stay_apart() -> None:
    groups = group_files(files("llama-7b.Q4_0.gguf", "llama-13b.Q4_0.gguf"))
    assert len(groups.quants) == 2


def test_the_smallest_come_first_and_what_has_no_size_goes_by_its_bits() -> None:
    sized = [*files("a-Q8_0.gguf", size=80), *files("a-Q4_0.gguf", size=40)]
    assert [each.quant for each in group_files(sized).quants] == ["Q4_0", "Q8_0"]
    unsized = files("a-BF16.gguf", "a-Q8_0.gguf", "a-Q2_K.gguf", size=None)
    assert [each.quant for each in group_files(unsized).quants] == ["Q2_K", "Q8_0", "BF16"]


def test_weights_of_a_repository_of_adapters_are_adapters() -> None:
    groups = group_files(files("sienna-q8_0.gguf", "mmproj-f16.gguf"), adapters=True)
    assert (len(groups.quants), len(groups.adapters), len(groups.projectors)) == (0, 1, 1)


def test_the_projector_of_the_same_folder_goes_with_the_weights() -> None:
    groups = group_files(
        files(
            "2b/a-Q4_0.gguf",
            "7b/b-Q4_0.gguf",
            "7b/mmproj-F32.gguf",
            "7b/mmproj-F16.gguf",
            "mmproj-BF16.gguf",
        )
    )
    chosen = [projector_for(weights, groups.projectors) for weights in groups.quants]
    assert [each and each.files[0].source.path for each in chosen] == [
        "mmproj-BF16.gguf",
        "7b/mmproj-F16.gguf",
    ]
    assert projector_for(groups.quants[0], ()) is None


NAMES = st.text("aB3-._/Q4K0loramtpfimxdk ", min_size=1, max_size=30)


@given(st.lists(st.tuples(NAMES, st.integers(1, 3), st.integers(1, 3)), max_size=12))
def test_each_file_lands_in_one_group_at_most_and_groups_are_whole(
    named: list[tuple[str, int, int]],
) -> None:
    paths = [f"{name}-{number:05}-of-{count:05}.gguf" for name, number, count in named]
    paths += [f"{name}.gguf" for name, _, _ in named]
    groups = group_files(files(*paths))
    everything = [*groups.quants, *groups.projectors, *groups.adapters]
    placed = [file.source.path for group in everything for file in group.files]
    assert len(placed) == len(set(placed))
    assert set(placed) <= set(paths)
    for group in everything:
        splits = [split_of(file.source.path) for file in group.files]
        first = splits[0]
        if first is None:
            assert splits == [None]
        else:
            assert [each and each.number for each in splits] == list(range(1, first.count + 1))


@given(st.text(max_size=60))
def test_no_name_is_too_odd(name: str) -> None:
    assert kind_of(name) in ("weights", "projector", "adapter", "other")
    assert isinstance(quant_of(name), str)
    split_of(name)
