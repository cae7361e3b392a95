"""GGUF files of many architectures, with the proportions of real models and no content.

The weights are holes in a sparse file: they read as zeros and take no room on the disk. So memory can
be looked at that a model of that shape takes, without such a model.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from tests.gguf_files import CHATML, add_vocabulary
from tests.gguf_layers import (
    Hyper,
    Tensors,
    deepseek2,
    falcon_h1,
    gemma,
    gemma4,
    gpt_oss,
    gptneox,
    granite_hybrid,
    lfm2,
    llama,
    mamba,
    mamba2,
    openelm,
    qwen3_moe,
    qwen35,
)

_F32 = 4


def write_shape(path: Path, shape: str, *, n_vocab: int = 4096, **changes: Any) -> Path:
    """Write the file of a shape of `SHAPES`; `changes` replace hyper-parameters of it.

    Two underscores in a name stand for a point.
    """
    architecture, hyper, tensors = SHAPES[shape]
    hyper = {**_COMMON, **hyper, **{key.replace("__", "."): v for key, v in changes.items()}}
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("model")
    writer.add_name(f"Shape of {shape}")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    add_vocabulary(writer, tuple(f"w{i}" for i in range(n_vocab - 280)))
    writer.add_chat_template(CHATML)
    for key, value in hyper.items():
        _add(writer, f"{architecture}.{key}", value)
    n_embd, n_bytes = hyper["embedding_length"], 0
    divisors: list[tuple[int, int]] = []
    final_norm = "token_embd_norm.weight" if architecture == "lfm2" else "output_norm.weight"
    whole = {"token_embd.weight": (n_vocab, n_embd), final_norm: (n_embd,)}
    whole |= dict(tensors({**hyper, "n_vocab": n_vocab}))
    for name, dims in whole.items():
        size = math.prod(dims) * _F32
        writer.add_tensor_info(name, dims, np.dtype(np.float32), size)
        if name == "rope_freqs.weight":
            divisors.append((n_bytes, dims[0]))
        n_bytes += -(-size // 32) * 32
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    start = -(-path.stat().st_size // 32) * 32
    with path.open("r+b") as file:
        file.truncate(start + n_bytes)
        for offset, count in divisors:  # something is divided by these
            file.seek(start + offset)
            file.write(np.ones(count, np.float32).tobytes())
    return path


def _add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    else:
        writer.add_array(key, list(value))


_COMMON: Hyper = {
    "context_length": 131_072,
    "embedding_length": 512,
    "block_count": 4,
    "feed_forward_length": 1536,
    "attention.head_count": 8,
    "attention.head_count_kv": 2,
    "attention.layer_norm_rms_epsilon": 1e-5,
}


_SSM2: Hyper = {
    "ssm.conv_kernel": 4,
    "ssm.inner_size": 1024,
    "ssm.state_size": 128,
    "ssm.time_step_rank": 16,
    "ssm.group_count": 1,
}

SHAPES: Mapping[str, tuple[str, Hyper, Callable[[Hyper], Tensors]]] = {
    "llama": ("llama", {}, llama),
    "wide heads": (
        "llama",
        {"attention.key_length": 128, "attention.value_length": 128},
        llama,
    ),
    "no groups": (
        "gptneox",
        {
            "attention.head_count_kv": 8,
            "attention.layer_norm_epsilon": 1e-5,
            "rope.dimension_count": 16,
            "use_parallel_residual": True,
        },
        gptneox,
    ),
    "heads by layer": (
        "openelm",
        {
            "attention.head_count": [4, 8, 8, 12],
            "attention.head_count_kv": [1, 2, 2, 3],
            "feed_forward_length": [512, 1024, 1536, 2048],
            "attention.key_length": 64,
            "attention.value_length": 64,
        },
        openelm,
    ),
    "experts": (
        "qwen3moe",
        {
            "expert_count": 16,
            "expert_used_count": 8,
            "expert_feed_forward_length": 384,
            "attention.key_length": 128,
            "attention.value_length": 128,
        },
        qwen3_moe,
    ),
    "sliding window": (
        "gemma3",
        {
            "block_count": 6,
            "attention.sliding_window": 512,
            "attention.head_count": 4,
            "attention.head_count_kv": 1,
            "attention.key_length": 256,
            "attention.value_length": 256,
        },
        gemma,
    ),
    "shared layers": (
        "gemma4",
        {
            "block_count": 6,
            "attention.sliding_window": 512,
            "attention.sliding_window_pattern": [True, True, False] * 2,
            "attention.shared_kv_layers": 3,
            "attention.key_length": 256,
            "attention.value_length": 256,
            "attention.key_length_swa": 128,
            "attention.value_length_swa": 128,
            "rope.dimension_count": 256,
            "rope.dimension_count_swa": 128,
            "embedding_length_per_layer_input": 64,
        },
        gemma4,
    ),
    "window and experts": (
        "gpt-oss",
        {
            "attention.sliding_window": 128,
            "expert_count": 8,
            "expert_used_count": 4,
            "expert_feed_forward_length": 512,
            "attention.key_length": 64,
            "attention.value_length": 64,
        },
        gpt_oss,
    ),
    "latent attention": (
        "deepseek2",
        {
            "attention.head_count": 8,
            "attention.head_count_kv": 1,
            "attention.q_lora_rank": 256,
            "attention.kv_lora_rank": 256,
            "attention.key_length": 320,
            "attention.value_length": 256,
            "attention.key_length_mla": 192,
            "attention.value_length_mla": 128,
            "rope.dimension_count": 64,
            "leading_dense_block_count": 1,
            "expert_count": 8,
            "expert_used_count": 4,
            "expert_shared_count": 1,
            "expert_feed_forward_length": 384,
            "expert_weights_scale": 1.0,
            "expert_gating_func": 2,
        },
        deepseek2,
    ),
    "recurrent": (
        "mamba",
        {
            "attention.head_count": 0,
            "feed_forward_length": 0,
            "ssm.conv_kernel": 4,
            "ssm.inner_size": 1024,
            "ssm.state_size": 16,
            "ssm.time_step_rank": 32,
        },
        mamba,
    ),
    "recurrent, with heads": (
        "mamba2",
        {"attention.head_count": 0, "feed_forward_length": 0, **_SSM2},
        mamba2,
    ),
    "hybrid by layer": (
        "granitehybrid",
        {"attention.head_count_kv": [0, 0, 2, 0], **_SSM2},
        granite_hybrid,
    ),
    "hybrid in each layer": ("falcon-h1", dict(_SSM2), falcon_h1),
    "hybrid by interval": (
        "qwen35",
        {
            "full_attention_interval": 4,
            "attention.key_length": 128,
            "attention.value_length": 128,
            "ssm.conv_kernel": 4,
            "ssm.state_size": 128,
            "ssm.group_count": 4,
            "ssm.time_step_rank": 8,
            "ssm.inner_size": 1024,
            "rope.dimension_count": 64,
            "rope.dimension_sections": [11, 11, 10, 0],
        },
        qwen35,
    ),
    "short convolutions": (
        "lfm2",
        {"attention.head_count_kv": [0, 2, 0, 2], "shortconv.l_cache": 3},
        lfm2,
    ),
}
"""By what is peculiar about each: llama.cpp's name of the architecture, its hyper-parameters, its tensors."""
