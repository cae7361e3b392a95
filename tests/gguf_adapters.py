"""LoRA adapters for any model, the same on every machine: made from what its header says.

The weights are random, so that the adapter teaches nothing; at scale 1 the model answers otherwise
than without it, and at 0 just as without.
"""

import re
from pathlib import Path

import gguf
import numpy as np

TARGETS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


def write_adapter_for(
    model: Path,
    path: Path,
    *,
    rank: int = 8,
    alpha: float = 16.0,
    strength: float = 0.3,
    targets: tuple[str, ...] = TARGETS,
    architecture: str = "",
    seed: int = 0,
) -> Path:
    """Write an adapter that fits the model and return its path.

    `strength` is the size of what is added, beside usual weights. `architecture`: to claim, instead
    of the model's own.
    """
    reader = gguf.GGUFReader(model)
    field = reader.get_field("general.architecture")
    assert field is not None
    writer = gguf.GGUFWriter(path, architecture or str(field.contents()))
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    writer.add_name(f"Random adapter {seed}")
    wanted = re.compile(rf"blk\.\d+\.({'|'.join(targets)})\.weight")
    rng = np.random.default_rng(seed)
    for tensor in reader.tensors:
        if not wanted.fullmatch(tensor.name):
            continue
        n_in, n_out = (int(size) for size in tensor.shape[:2])
        # B·A has the size of a weight matrix of that many inputs when each has its root of it.
        size = (strength * rank / alpha / np.sqrt(n_in * rank)) ** 0.5
        for part, shape in (("lora_a", (rank, n_in)), ("lora_b", (n_out, rank))):
            values = (rng.standard_normal(shape) * size).astype(np.float32)
            writer.add_tensor(f"{tensor.name}.{part}", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
