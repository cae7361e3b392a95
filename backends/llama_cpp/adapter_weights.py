"""A look at all the weights of an adapter, which llama.cpp does not take."""

from pathlib import Path


def holds_only_numbers(path: Path) -> bool:
    """Whether every weight of a GGUF file is finite. llama.cpp has read its header already.

    Raises OSError or ValueError where the file is shorter than its header says.
    """
    import numpy as np  # only who uses adapters waits for these
    from gguf import GGMLQuantizationType, GGUFReader
    from gguf.quants import dequantize

    for tensor in GGUFReader(path).tensors:
        values = tensor.data
        if tensor.tensor_type not in (GGMLQuantizationType.F32, GGMLQuantizationType.F16):
            values = dequantize(values, tensor.tensor_type)
        if not np.isfinite(values).all():
            return False
    return True
