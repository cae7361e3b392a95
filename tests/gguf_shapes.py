"""GGUF files of many architectures, with the proportions of real models and no content.

The weights are holes in a sparse file: they read as zeros and take no room on the disk. So memory can
be looked at that a model of that shape takes, without such a model.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from tests.gguf_files import CHATML, add_vocabulary

Tensors = Iterator[tuple[str, tuple[int, ...]]]
Hyper = dict[str, Any]

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


def _of(value: Any, layer: int) -> int:
    return int(value[layer] if isinstance(value, list | tuple) else value)


def _heads(hyper: Hyper, layer: int) -> tuple[int, int, int, int]:
    n_head = _of(hyper["attention.head_count"], layer)
    n_head_kv = _of(hyper["attention.head_count_kv"], layer)
    each = hyper["embedding_length"] // max(1, n_head)
    key = hyper.get("attention.key_length", each)
    return n_head, n_head_kv, key, hyper.get("attention.value_length", each)


def _attention(hyper: Hyper, layer: int, *, qk_norm: bool = False, gated: bool = False) -> Tensors:
    n_embd = hyper["embedding_length"]
    n_head, n_head_kv, key, value = _heads(hyper, layer)
    if "attention.key_length_swa" in hyper and hyper["attention.sliding_window_pattern"][layer]:
        key = value = hyper["attention.key_length_swa"]
    block = f"blk.{layer}."
    yield block + "attn_q.weight", (n_head * key * (2 if gated else 1), n_embd)
    yield block + "attn_k.weight", (n_head_kv * key, n_embd)
    yield block + "attn_v.weight", (n_head_kv * value, n_embd)
    yield block + "attn_output.weight", (n_embd, n_head * value)
    if qk_norm:
        yield block + "attn_q_norm.weight", (key,)
        yield block + "attn_k_norm.weight", (key,)


def _norms(hyper: Hyper, layer: int, *names: str) -> Tensors:
    for name in names:
        yield f"blk.{layer}.{name}.weight", (hyper["embedding_length"],)


def _ffn(hyper: Hyper, layer: int) -> Tensors:
    n_embd, n_ff = hyper["embedding_length"], _of(hyper["feed_forward_length"], layer)
    for name, dims in (
        ("ffn_gate", (n_ff, n_embd)),
        ("ffn_up", (n_ff, n_embd)),
        ("ffn_down", (n_embd, n_ff)),
    ):
        yield f"blk.{layer}.{name}.weight", dims


def _experts(hyper: Hyper, layer: int) -> Tensors:
    n_embd, n_ff = hyper["embedding_length"], hyper["expert_feed_forward_length"]
    n_expert = hyper["expert_count"]
    block = f"blk.{layer}."
    yield block + "ffn_gate_inp.weight", (n_expert, n_embd)
    yield block + "ffn_gate_exps.weight", (n_expert, n_ff, n_embd)
    yield block + "ffn_up_exps.weight", (n_expert, n_ff, n_embd)
    yield block + "ffn_down_exps.weight", (n_expert, n_embd, n_ff)


def _llama(hyper: Hyper) -> Tensors:
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, "attn_norm", "ffn_norm")
        yield from _attention(hyper, layer)
        yield from _ffn(hyper, layer)


def _openelm(hyper: Hyper) -> Tensors:
    for layer in range(hyper["block_count"]):
        n_head, n_head_kv, key, _ = _heads(hyper, layer)
        n_embd = hyper["embedding_length"]
        yield from _norms(hyper, layer, "attn_norm", "ffn_norm")
        yield f"blk.{layer}.attn_qkv.weight", ((n_head + 2 * n_head_kv) * key, n_embd)
        yield f"blk.{layer}.attn_q_norm.weight", (key,)
        yield f"blk.{layer}.attn_k_norm.weight", (key,)
        yield f"blk.{layer}.attn_output.weight", (n_embd, n_head * key)
        yield from _ffn(hyper, layer)


def _qwen3_moe(hyper: Hyper) -> Tensors:
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, "attn_norm", "ffn_norm")
        yield from _attention(hyper, layer, qk_norm=True)
        yield from _experts(hyper, layer)


def _gemma(hyper: Hyper) -> Tensors:
    names = ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, *names)
        yield from _attention(hyper, layer, qk_norm=True)
        yield from _ffn(hyper, layer)


def _gemma4(hyper: Hyper) -> Tensors:
    yield "rope_freqs.weight", (hyper["attention.key_length"] // 2,)
    n_layers, n_embd = hyper["block_count"], hyper["embedding_length"]
    each = hyper["embedding_length_per_layer_input"]
    if each:
        yield "per_layer_token_embd.weight", (hyper["n_vocab"], each * n_layers)
        yield "per_layer_model_proj.weight", (each * n_layers, n_embd)
        yield "per_layer_proj_norm.weight", (each,)
        for layer in range(n_layers):
            yield f"blk.{layer}.inp_gate.weight", (each, n_embd)
            yield f"blk.{layer}.proj.weight", (n_embd, each)
            yield f"blk.{layer}.post_norm.weight", (n_embd,)
    yield from _gemma(hyper)


def _deepseek2(hyper: Hyper) -> Tensors:
    n_embd, n_head = hyper["embedding_length"], hyper["attention.head_count"]
    rank, rope = hyper["attention.kv_lora_rank"], hyper["rope.dimension_count"]
    q_rank = hyper["attention.q_lora_rank"]
    key, value = hyper["attention.key_length_mla"], hyper["attention.value_length_mla"]
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, "attn_norm", "ffn_norm")
        block = f"blk.{layer}."
        yield block + "attn_kv_a_norm.weight", (rank,)
        yield block + "attn_q_a.weight", (q_rank, n_embd)
        yield block + "attn_q_a_norm.weight", (q_rank,)
        yield block + "attn_q_b.weight", (n_head * key, q_rank)
        yield block + "attn_kv_a_mqa.weight", (rank + rope, n_embd)
        yield block + "attn_k_b.weight", (n_head, rank, key - rope)
        yield block + "attn_v_b.weight", (n_head, value, rank)
        yield block + "attn_output.weight", (n_embd, n_head * value)
        if layer < hyper["leading_dense_block_count"]:
            yield from _ffn(hyper, layer)
            continue
        yield from _experts(hyper, layer)
        n_ff = hyper["expert_feed_forward_length"] * hyper["expert_shared_count"]
        yield block + "ffn_gate_shexp.weight", (n_ff, n_embd)
        yield block + "ffn_up_shexp.weight", (n_ff, n_embd)
        yield block + "ffn_down_shexp.weight", (n_embd, n_ff)


def _mamba(hyper: Hyper) -> Tensors:
    n_embd, inner, state = (
        hyper[k] for k in ("embedding_length", "ssm.inner_size", "ssm.state_size")
    )
    rank, conv = hyper["ssm.time_step_rank"], hyper["ssm.conv_kernel"]
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, "attn_norm")
        block = f"blk.{layer}."
        yield block + "ssm_in.weight", (2 * inner, n_embd)
        yield block + "ssm_conv1d.weight", (inner, conv)
        yield block + "ssm_conv1d.bias", (inner,)
        yield block + "ssm_x.weight", (rank + 2 * state, inner)
        yield block + "ssm_dt.weight", (inner, rank)
        yield block + "ssm_dt.bias", (inner,)
        yield block + "ssm_a", (inner, state)
        yield block + "ssm_d", (inner,)
        yield block + "ssm_out.weight", (n_embd, inner)


def _ssm2(hyper: Hyper, layer: int) -> Tensors:
    n_embd, inner, state = (
        hyper[k] for k in ("embedding_length", "ssm.inner_size", "ssm.state_size")
    )
    heads, groups, conv = (
        hyper[f"ssm.{k}"] for k in ("time_step_rank", "group_count", "conv_kernel")
    )
    mixed = inner + 2 * groups * state
    block = f"blk.{layer}."
    yield block + "ssm_in.weight", (inner + mixed + heads, n_embd)
    yield block + "ssm_conv1d.weight", (mixed, conv)
    yield block + "ssm_conv1d.bias", (mixed,)
    yield block + "ssm_dt.bias", (heads,)
    yield block + "ssm_a", (heads, 1)
    yield block + "ssm_d", (heads, 1)
    yield block + "ssm_norm.weight", (groups, inner // groups)
    yield block + "ssm_out.weight", (n_embd, inner)


def _mamba2(hyper: Hyper) -> Tensors:
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, "attn_norm")
        yield from _ssm2(hyper, layer)


def _granite_hybrid(hyper: Hyper) -> Tensors:
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, "attn_norm", "ffn_norm")
        if _of(hyper["attention.head_count_kv"], layer):
            yield from _attention(hyper, layer)
        else:
            yield from _ssm2(hyper, layer)
        yield from _ffn(hyper, layer)


def _falcon_h1(hyper: Hyper) -> Tensors:
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, "attn_norm")
        yield f"blk.{layer}.ffn_norm", (hyper["embedding_length"],)
        yield from _attention(hyper, layer)
        yield from _ssm2(hyper, layer)
        yield from _ffn(hyper, layer)


def _qwen35(hyper: Hyper) -> Tensors:
    n_embd, state = hyper["embedding_length"], hyper["ssm.state_size"]
    groups, heads, conv = (
        hyper[f"ssm.{k}"] for k in ("group_count", "time_step_rank", "conv_kernel")
    )
    inner, mixed = heads * state, 2 * groups * state + heads * state
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, "attn_norm", "post_attention_norm")
        block = f"blk.{layer}."
        if (layer + 1) % hyper["full_attention_interval"]:
            yield block + "attn_qkv.weight", (mixed, n_embd)
            yield block + "attn_gate.weight", (inner, n_embd)
            yield block + "ssm_conv1d.weight", (mixed, conv)
            yield block + "ssm_dt.bias", (heads,)
            yield block + "ssm_a", (heads,)
            yield block + "ssm_beta.weight", (heads, n_embd)
            yield block + "ssm_alpha.weight", (heads, n_embd)
            yield block + "ssm_norm.weight", (state,)
            yield block + "ssm_out.weight", (n_embd, inner)
        else:
            yield from _attention(hyper, layer, qk_norm=True, gated=True)
        yield from _ffn(hyper, layer)


def _lfm2(hyper: Hyper) -> Tensors:
    n_embd = hyper["embedding_length"]
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, "attn_norm", "ffn_norm")
        block = f"blk.{layer}."
        if _of(hyper["attention.head_count_kv"], layer):
            yield from _attention(hyper, layer, qk_norm=True)
        else:
            yield block + "shortconv.conv.weight", (n_embd, hyper["shortconv.l_cache"])
            yield block + "shortconv.in_proj.weight", (3 * n_embd, n_embd)
            yield block + "shortconv.out_proj.weight", (n_embd, n_embd)
        yield from _ffn(hyper, layer)


def _gpt_oss(hyper: Hyper) -> Tensors:
    n_embd, n_ff = hyper["embedding_length"], hyper["expert_feed_forward_length"]
    n_expert = hyper["expert_count"]
    yield "output.weight", (hyper["n_vocab"], n_embd)
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, "attn_norm", "post_attention_norm")
        n_head, n_head_kv, key, value = _heads(hyper, layer)
        block = f"blk.{layer}."
        yield from _attention(hyper, layer)
        yield block + "attn_q.bias", (n_head * key,)
        yield block + "attn_k.bias", (n_head_kv * key,)
        yield block + "attn_v.bias", (n_head_kv * value,)
        yield block + "attn_output.bias", (n_embd,)
        yield block + "attn_sinks.weight", (n_head,)
        yield from _experts(hyper, layer)
        yield block + "ffn_gate_inp.bias", (n_expert,)
        yield block + "ffn_gate_exps.bias", (n_expert, n_ff)
        yield block + "ffn_up_exps.bias", (n_expert, n_ff)
        yield block + "ffn_down_exps.bias", (n_expert, n_embd)


def _gptneox(hyper: Hyper) -> Tensors:
    n_embd, n_ff = hyper["embedding_length"], hyper["feed_forward_length"]
    yield "output_norm.bias", (n_embd,)
    yield "output.weight", (hyper["n_vocab"], n_embd)
    for layer in range(hyper["block_count"]):
        block = f"blk.{layer}."
        for name, dims in (
            ("attn_norm", (n_embd,)),
            ("attn_qkv", (3 * n_embd, n_embd)),
            ("attn_output", (n_embd, n_embd)),
            ("ffn_norm", (n_embd,)),
            ("ffn_up", (n_ff, n_embd)),
            ("ffn_down", (n_embd, n_ff)),
        ):
            yield block + name + ".weight", dims
            yield block + name + ".bias", dims[:1]


_SSM2: Hyper = {
    "ssm.conv_kernel": 4,
    "ssm.inner_size": 1024,
    "ssm.state_size": 128,
    "ssm.time_step_rank": 16,
    "ssm.group_count": 1,
}

SHAPES: Mapping[str, tuple[str, Hyper, Callable[[Hyper], Tensors]]] = {
    "llama": ("llama", {}, _llama),
    "wide heads": (
        "llama",
        {"attention.key_length": 128, "attention.value_length": 128},
        _llama,
    ),
    "no groups": (
        "gptneox",
        {
            "attention.head_count_kv": 8,
            "attention.layer_norm_epsilon": 1e-5,
            "rope.dimension_count": 16,
            "use_parallel_residual": True,
        },
        _gptneox,
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
        _openelm,
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
        _qwen3_moe,
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
        _gemma,
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
        _gemma4,
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
        _gpt_oss,
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
        _deepseek2,
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
        _mamba,
    ),
    "recurrent, with heads": (
        "mamba2",
        {"attention.head_count": 0, "feed_forward_length": 0, **_SSM2},
        _mamba2,
    ),
    "hybrid by layer": (
        "granitehybrid",
        {"attention.head_count_kv": [0, 0, 2, 0], **_SSM2},
        _granite_hybrid,
    ),
    "hybrid in each layer": ("falcon-h1", dict(_SSM2), _falcon_h1),
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
        _qwen35,
    ),
    "short convolutions": (
        "lfm2",
        {"attention.head_count_kv": [0, 2, 0, 2], "shortconv.l_cache": 3},
        _lfm2,
    ),
}
"""By what is peculiar about each: llama.cpp's name of the architecture, its hyper-parameters, its tensors."""
