"""The pairs of tensors that an adapter is made of: `NAME.lora_a` and `NAME.lora_b` for a tensor NAME."""

import msgspec

from catalog.gguf.header import GgufHeader, TensorInfo

SUFFIX_A, SUFFIX_B = ".lora_a", ".lora_b"
TOKEN_TABLE = "token_embd.weight"
OUTPUT = "output.weight"

_IGNORED = "_norm.weight"  # llama.cpp passes over whole norms in an adapter


class Pair(msgspec.Struct, frozen=True):
    """What is added to the tensor `name`: the product of `b` and `a`."""

    name: str
    a: TensorInfo
    b: TensorInfo

    @property
    def turned(self) -> bool:
        """Whether `a` is looked up by token, with a row for each, instead of being multiplied."""
        return self.name == TOKEN_TABLE

    @property
    def rank(self) -> int:
        return dim(self.b, 0)

    @property
    def n_in(self) -> int:
        return dim(self.b, 1) if self.turned else dim(self.a, 0)

    @property
    def n_out(self) -> int:
        return dim(self.a, 1) if self.turned else dim(self.b, 1)

    @property
    def matched(self) -> bool:
        """Whether the two can be multiplied with each other."""
        rank_of_a = dim(self.a, 0) if self.turned else dim(self.a, 1)
        return rank_of_a == self.rank > 0 and dim(self.a, 2) == dim(self.b, 2)


class Pairs(msgspec.Struct, frozen=True):
    """In the order of the file. `single` are tensors whose other half is missing, `others` no halves."""

    whole: tuple[Pair, ...]
    single: tuple[str, ...]
    others: tuple[str, ...]


def pairs_of(header: GgufHeader) -> Pairs:
    firsts: dict[str, TensorInfo] = {}
    seconds: dict[str, TensorInfo] = {}
    others: list[str] = []
    for tensor in header.tensors:
        if tensor.name.endswith(SUFFIX_A):
            firsts[tensor.name.removesuffix(SUFFIX_A)] = tensor
        elif tensor.name.endswith(SUFFIX_B):
            seconds[tensor.name.removesuffix(SUFFIX_B)] = tensor
        elif not tensor.name.endswith(_IGNORED):
            others.append(tensor.name)
    return Pairs(
        tuple(Pair(name, a, seconds[name]) for name, a in firsts.items() if name in seconds),
        tuple(sorted(firsts.keys() ^ seconds.keys())),
        tuple(others),
    )


def dim(tensor: TensorInfo, index: int) -> int:
    """A dimension, which is 1 where the file names none."""
    return tensor.shape[index] if index < len(tensor.shape) else 1
