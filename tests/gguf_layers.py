"""The tensors that llama.cpp wants of each architecture, by the hyper-parameters of a file.

The dimensions are in the order of numpy: the fastest-varying last.
"""

from collections.abc import Iterator
from typing import Any

Tensors = Iterator[tuple[str, tuple[int, ...]]]
Hyper = dict[str, Any]


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


def llama(hyper: Hyper) -> Tensors:
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, "attn_norm", "ffn_norm")
        yield from _attention(hyper, layer)
        yield from _ffn(hyper, layer)


def openelm(hyper: Hyper) -> Tensors:
    for layer in range(hyper["block_count"]):
        n_head, n_head_kv, key, _ = _heads(hyper, layer)
        n_embd = hyper["embedding_length"]
        yield from _norms(hyper, layer, "attn_norm", "ffn_norm")
        yield f"blk.{layer}.attn_qkv.weight", ((n_head + 2 * n_head_kv) * key, n_embd)
        yield f"blk.{layer}.attn_q_norm.weight", (key,)
        yield f"blk.{layer}.attn_k_norm.weight", (key,)
        yield f"blk.{layer}.attn_output.weight", (n_embd, n_head * key)
        yield from _ffn(hyper, layer)


def qwen3_moe(hyper: Hyper) -> Tensors:
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, "attn_norm", "ffn_norm")
        yield from _attention(hyper, layer, qk_norm=True)
        yield from _experts(hyper, layer)


def gemma(hyper: Hyper) -> Tensors:
    names = ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, *names)
        yield from _attention(hyper, layer, qk_norm=True)
        yield from _ffn(hyper, layer)


def gemma4(hyper: Hyper) -> Tensors:
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
    yield from gemma(hyper)


def deepseek2(hyper: Hyper) -> Tensors:
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


def mamba(hyper: Hyper) -> Tensors:
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


def mamba2(hyper: Hyper) -> Tensors:
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, "attn_norm")
        yield from _ssm2(hyper, layer)


def granite_hybrid(hyper: Hyper) -> Tensors:
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, "attn_norm", "ffn_norm")
        if _of(hyper["attention.head_count_kv"], layer):
            yield from _attention(hyper, layer)
        else:
            yield from _ssm2(hyper, layer)
        yield from _ffn(hyper, layer)


def falcon_h1(hyper: Hyper) -> Tensors:
    for layer in range(hyper["block_count"]):
        yield from _norms(hyper, layer, "attn_norm")
        yield f"blk.{layer}.ffn_norm", (hyper["embedding_length"],)
        yield from _attention(hyper, layer)
        yield from _ssm2(hyper, layer)
        yield from _ffn(hyper, layer)


def qwen35(hyper: Hyper) -> Tensors:
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


def lfm2(hyper: Hyper) -> Tensors:
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


def gpt_oss(hyper: Hyper) -> Tensors:
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


def gptneox(hyper: Hyper) -> Tensors:
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
