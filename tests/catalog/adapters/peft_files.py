"""Small PEFT adapters, the same on every machine, and the models that they are for.

`python -m tests.catalog.adapters.peft_files FOLDER` writes them all as they are, with the settings
of their models, for a converter to be held against.
"""

import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from catalog.gguf.header import GgufHeader, TensorInfo

Stored = Literal["F32", "F16", "BF16"]

N_EMBD, N_FF, N_VOCAB, N_LAYERS, N_HEAD, N_HEAD_KV, HEAD = 32, 48, 40, 2, 4, 2, 8
RANK, ALPHA = 3, 12

HF_NAMES = {
    "llama": ("LlamaForCausalLM", "llama"),
    "mistral": ("MistralForCausalLM", "mistral"),
    "smollm3": ("SmolLM3ForCausalLM", "smollm3"),
    "granite": ("GraniteForCausalLM", "granite"),
    "arcee": ("ArceeForCausalLM", "arcee"),
    "qwen2": ("Qwen2ForCausalLM", "qwen2"),
    "qwen3": ("Qwen3ForCausalLM", "qwen3"),
    "gemma": ("GemmaForCausalLM", "gemma"),
    "gemma2": ("Gemma2ForCausalLM", "gemma2"),
    "gemma3": ("Gemma3ForCausalLM", "gemma3_text"),
    "phi3": ("Phi3ForCausalLM", "phi3"),
}
"""What transformers calls the class and the type of each family; Mistral's files say “llama”."""

FAMILIES = tuple(HF_NAMES)

_TIED = {"gemma", "gemma2", "gemma3"}


def architecture_of(family: str) -> str:
    return "llama" if family == "mistral" else family


def base_header(
    family: str = "llama", *, n_embd: int = N_EMBD, n_layers: int = N_LAYERS
) -> GgufHeader:
    """The header of a GGUF model of that family."""
    architecture = architecture_of(family)
    n_q, n_kv = N_HEAD * HEAD, N_HEAD_KV * HEAD
    shapes = {"token_embd.weight": (n_embd, N_VOCAB), "output_norm.weight": (n_embd,)}
    if family not in _TIED:
        shapes["output.weight"] = (n_embd, N_VOCAB)
    layer: dict[str, tuple[int, ...]] = {
        "attn_norm": (n_embd,),
        "attn_output": (n_q, n_embd),
        "ffn_down": (N_FF, n_embd),
    }
    if family == "phi3":
        layer |= {"attn_qkv": (n_embd, n_q + 2 * n_kv), "ffn_up": (n_embd, 2 * N_FF)}
    else:
        layer |= {"attn_q": (n_embd, n_q), "attn_k": (n_embd, n_kv), "attn_v": (n_embd, n_kv)}
        layer |= {"ffn_up": (n_embd, N_FF)}
        if family != "arcee":
            layer |= {"ffn_gate": (n_embd, N_FF)}
    for number in range(n_layers):
        shapes |= {f"blk.{number}.{name}.weight": shape for name, shape in layer.items()}
    metadata = {
        "general.architecture": architecture,
        "general.type": "model",
        "general.name": "Tiny",
        f"{architecture}.block_count": n_layers,
        f"{architecture}.embedding_length": n_embd,
        f"{architecture}.attention.head_count": N_HEAD,
        f"{architecture}.attention.head_count_kv": N_HEAD_KV,
    }
    tensors = tuple(TensorInfo(name, shape, 1, 0) for name, shape in shapes.items())
    return GgufHeader(3, metadata, tensors, 0)


def hf_settings(family: str) -> dict[str, Any]:
    """What `config.json` of such a model says."""
    name, kind = HF_NAMES[family]
    return {
        "architectures": [name],
        "model_type": kind,
        "hidden_size": N_EMBD,
        "intermediate_size": N_FF,
        "num_hidden_layers": N_LAYERS,
        "num_attention_heads": N_HEAD,
        "num_key_value_heads": N_HEAD_KV,
        "head_dim": HEAD,
        "vocab_size": N_VOCAB,
        "pad_token_id": 0,
        "tie_word_embeddings": family in _TIED,
    }


def modules(family: str) -> dict[str, tuple[int, int]]:
    """The layers that an adapter changes, as the trainer names them, with their inputs and outputs."""
    n_q, n_kv = N_HEAD * HEAD, N_HEAD_KV * HEAD
    attention = {
        "q_proj": (N_EMBD, n_q),
        "k_proj": (N_EMBD, n_kv),
        "v_proj": (N_EMBD, n_kv),
        "o_proj": (n_q, N_EMBD),
    }
    mlp = {"gate_proj": (N_EMBD, N_FF), "up_proj": (N_EMBD, N_FF), "down_proj": (N_FF, N_EMBD)}
    if family == "phi3":
        attention = {"qkv_proj": (N_EMBD, n_q + 2 * n_kv), "o_proj": (n_q, N_EMBD)}
        mlp = {"gate_up_proj": (N_EMBD, 2 * N_FF), "down_proj": (N_FF, N_EMBD)}
    if family == "arcee":
        del mlp["gate_proj"]
    found: dict[str, tuple[int, int]] = {}
    for number in range(N_LAYERS):
        layer = f"model.layers.{number}"
        found |= {f"{layer}.self_attn.{name}": shape for name, shape in attention.items()}
        found |= {f"{layer}.mlp.{name}": shape for name, shape in mlp.items()}
    return found


def lora_shapes(family: str, rank: int = RANK) -> dict[str, tuple[int, int]]:
    """The shapes of the two halves of each change, by the names of their tensors."""
    shapes: dict[str, tuple[int, int]] = {}
    for module, (n_in, n_out) in modules(family).items():
        shapes[f"base_model.model.{module}.lora_A.weight"] = (rank, n_in)
        shapes[f"base_model.model.{module}.lora_B.weight"] = (n_out, rank)
    if family == "llama":
        embedding = "base_model.model.model.embed_tokens.lora_embedding"
        shapes |= {f"{embedding}_A": (rank, N_VOCAB), f"{embedding}_B": (N_EMBD, rank)}
        head = "base_model.model.lm_head.lora"
        shapes |= {f"{head}_A.weight": (rank, N_EMBD), f"{head}_B.weight": (N_VOCAB, rank)}
    return shapes


def write_peft(
    folder: Path,
    shapes: Mapping[str, Sequence[int]],
    *,
    stored: Stored = "F32",
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """Write an adapter with those tensors; `settings` stand beside or instead of the usual ones."""
    folder.mkdir(parents=True, exist_ok=True)
    usual = {
        "peft_type": "LORA",
        "r": RANK,
        "lora_alpha": ALPHA,
        "bias": "none",
        "use_dora": False,
        "use_rslora": False,
        "modules_to_save": None,
        "init_lora_weights": True,
        "base_model_name_or_path": "Owner/Base",
    }
    (folder / "adapter_config.json").write_text(json.dumps({**usual, **(settings or {})}))
    seeds = itertools.count(1)
    write_safetensors(
        folder / "adapter_model.safetensors",
        {name: values(shape, next(seeds)) for name, shape in shapes.items()},
        stored,
    )
    return folder


def write_safetensors(
    path: Path, tensors: Mapping[str, np.ndarray], stored: Stored = "F32"
) -> None:
    """The tensors lie in the order given, which need not be that of their names."""
    described: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, each in tensors.items():
        own = stored if isinstance(stored, str) else stored.get(name, "F32")
        added = _as_bytes(each, own)
        offsets = [len(data), len(data) + len(added)]
        described[name] = {"dtype": own, "shape": each.shape, "data_offsets": offsets}
        data += added
    header = json.dumps(described).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)


def values(shape: Sequence[int], seed: int) -> np.ndarray:
    """Values that are the same on every machine, and that no way of storing them rounds alike."""
    count = int(np.prod(shape))
    mixed = (np.arange(count, dtype=np.uint64) + np.uint64(seed * 7919)) * np.uint64(2654435761)
    return ((mixed % 65521).astype(np.float32) / 65521 - 0.5).reshape(shape)


def _as_bytes(each: np.ndarray, stored: Stored) -> bytes:
    if stored == "F16":
        return each.astype("<f2").tobytes()
    if stored == "BF16":
        return (each.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    return each.astype("<f4").tobytes()


def write_all(folder: Path) -> None:
    """For each family and way of storing: the adapter, its model card, and its model's settings."""
    for family in FAMILIES:
        base = folder / family / "base"
        base.mkdir(parents=True, exist_ok=True)
        (base / "config.json").write_text(json.dumps(hf_settings(family)))
        for stored in ("F32", "F16", "BF16"):
            adapter = write_peft(
                folder / family / stored / "adapter", lora_shapes(family), stored=stored
            )
            (adapter / "README.md").write_text("---\nbase_model: Owner/Base\n---\n")


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
