"""What a GGUF file says of itself before its weights begin."""

import math
from collections import Counter
from typing import Literal

import msgspec

from catalog.gguf.tensor_types import FILE_TYPES, TENSOR_TYPES

_MAX_LINE = 200


class ArraySummary(msgspec.Struct, frozen=True):
    """What is kept of an array with many items: the GGUF type of its items, and how many."""

    item_type: int
    length: int


Scalar = bool | int | float | str
MetadataValue = Scalar | tuple[Scalar, ...] | ArraySummary


class TensorInfo(msgspec.Struct, frozen=True):
    """`shape` has the fastest-varying dimension first; `offset` counts from the data section."""

    name: str
    shape: tuple[int, ...]
    ggml_type: int
    offset: int

    @property
    def n_elements(self) -> int:
        return math.prod(self.shape)

    @property
    def n_bytes(self) -> int:
        kind = TENSOR_TYPES[self.ggml_type]
        return self.n_elements // kind.block * kind.size


class GgufHeader(msgspec.Struct, frozen=True):
    """All that a GGUF file says before its weights begin at byte `data_offset`."""

    version: int
    metadata: dict[str, MetadataValue]
    tensors: tuple[TensorInfo, ...]
    data_offset: int

    def text(self, key: str) -> str:
        value = self.metadata.get(key, "")
        return value if isinstance(value, str) else ""

    def integer(self, key: str, default: int = 0) -> int:
        value = self.metadata.get(key, default)
        return value if isinstance(value, int) else default

    def line(self, key: str) -> str:
        """A text of the header, fit for one line."""
        line = " ".join(self.text(key)[:_MAX_LINE].split())
        return "".join(char for char in line if char.isprintable())

    def hyper(self, key: str) -> MetadataValue | None:
        """A value of the architecture's own, such as `llama.block_count`."""
        return self.metadata.get(f"{self.architecture}.{key}")

    @property
    def architecture(self) -> str:
        return self.text("general.architecture")

    @property
    def name(self) -> str:
        """What its makers call the model, fit for one line; empty where they don't say."""
        return self.line("general.name")

    @property
    def base(self) -> str:
        """What it was made from, or an adapter for: "OWNER/NAME" where it tells, else a name."""
        url = self.line("general.base_model.0.repo_url").rstrip("/")
        owner, _, name = url.rpartition("/")
        if owner.startswith("https://huggingface.co/") and name:
            return f"{owner.rpartition('/')[2]}/{name}"
        return self.line("general.base_model.0.name")

    @property
    def context_length(self) -> int:
        """Tokens that the model was trained to look back on; 0 where the file does not say."""
        return self.integer(f"{self.architecture}.context_length")

    @property
    def n_layers(self) -> int:
        return self.integer(f"{self.architecture}.block_count")

    @property
    def n_vocab(self) -> int:
        tokens = self.metadata.get("tokenizer.ggml.tokens")
        if isinstance(tokens, ArraySummary):
            return tokens.length
        if isinstance(tokens, tuple):
            return len(tokens)
        return self.integer(f"{self.architecture}.vocab_size")

    @property
    def n_parameters(self) -> int:
        """Weights in this file, which is one part where the model is split."""
        return sum(tensor.n_elements for tensor in self.tensors)

    @property
    def chat_template(self) -> str:
        return self.text("tokenizer.chat_template")

    @property
    def quant(self) -> str:
        """How the weights are stored, in words such as "Q4_K_M"."""
        named = FILE_TYPES.get(self.integer("general.file_type", -1))
        if named:
            return named
        by_bytes: Counter[int] = Counter()
        for tensor in self.tensors:
            by_bytes[tensor.ggml_type] += tensor.n_bytes
        return TENSOR_TYPES[by_bytes.most_common(1)[0][0]].name if by_bytes else ""

    @property
    def kind(self) -> Literal["model", "adapter", "projector"]:
        declared = self.text("general.type")
        if declared == "adapter":
            return "adapter"
        if declared in ("mmproj", "projector") or self.architecture == "clip":
            return "projector"
        return "model"

    @property
    def split_count(self) -> int:
        """Files that the model is spread over; 1 where it is whole."""
        return max(1, self.integer("split.count"))

    @property
    def split_number(self) -> int:
        """Which part this file is, from 1."""
        return self.integer("split.no") + 1

    @property
    def end(self) -> int:
        """Bytes that the file must have."""
        return self.data_offset + max((t.offset + t.n_bytes for t in self.tensors), default=0)
