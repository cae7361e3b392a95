"""How fast a model will answer: each token costs one reading of the weights it passes through."""

from typing import Literal

from catalog.gguf.header import GgufHeader, TensorInfo

SpeedClass = Literal["fast", "readable", "slow"]

_FAST, _READABLE = 15.0, 5.0
"""Tokens a second. People read four or five words a second at most, which is about six tokens."""

_LOOKED_UP = ("token_embd.weight", "per_layer_token_embd.weight")
_EXPERTS = "_exps."


def active_bytes(header: GgufHeader, weights_bytes: int) -> int:
    """Bytes of weights that are read for one token.

    Of experts only those that are asked; of tables that are looked up, a row. `weights_bytes` is
    of all files; the first one, whose header this is, stands for all.
    """
    used = _count(header, "expert_used_count")
    of_all = _count(header, "expert_count")
    share = min(1.0, used / of_all) if used and of_all else 1.0
    # Without a matrix of its own, the output is computed with the table of the input.
    own_output = any(tensor.name == "output.weight" for tensor in header.tensors)
    held = read = 0.0
    for tensor in header.tensors:
        held += tensor.n_bytes
        read += tensor.n_bytes * _share_read(tensor, share, own_output=own_output)
    return int(weights_bytes * read / held) if held else weights_bytes


def tokens_per_second(read_bytes: int, kv_cache: int, bandwidth: float) -> float:
    """What the bandwidth of memory admits with a half-filled cache; 0 where it is not known."""
    per_token = read_bytes + kv_cache / 2
    return bandwidth / per_token if per_token > 0 else 0.0


def speed_class(speed: float) -> SpeedClass | None:
    if speed <= 0:
        return None
    if speed >= _FAST:
        return "fast"
    return "readable" if speed >= _READABLE else "slow"


def _share_read(tensor: TensorInfo, of_experts: float, *, own_output: bool) -> float:
    if _EXPERTS in tensor.name:
        return of_experts
    if tensor.name in _LOOKED_UP and (own_output or tensor.name != _LOOKED_UP[0]):
        return 0.0
    return 1.0


def _count(header: GgufHeader, key: str) -> int:
    value = header.hyper(key)
    return value if type(value) is int and value > 0 else 0
