"""Tiny GGUF files, each under 1 MB and the same on every machine, good ones and bad ones.

A model of random weights answers gibberish that depends on every token before it, which is what
tests of caching need; at temperature 0 it is plain ASCII and never ends. A model that `says` something answers just that, whatever it is asked.
"""

import itertools
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

import gguf
import numpy as np
from gguf.quants import quantize

Weights = Literal["F32", "Q8_0", "Q4_0"]
Corruption = Literal[
    "truncated", "magic", "version", "counts", "header", "empty", "key_length", "nan"
]

CORRUPTIONS: tuple[Corruption, ...] = (
    "truncated",
    "magic",
    "version",
    "counts",
    "header",
    "empty",
    "key_length",
)
"""What makes a file no GGUF. A file with "nan" is a good GGUF of useless weights, so not listed."""

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
NO_SYSTEM_ROLE = (
    "{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}" + CHATML
)
HOSTILE_TEMPLATES = {
    "syntax error": "{% for message in messages %}{{ message.content }",
    "raises": "{{ raise_exception('never') }}",
    "escape": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "endless range": "{% for i in range(999999999) %}{% endfor %}",
    "nested ranges": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "long output": "{% for i in range(99999) %}{{ messages[0]['content'] * 999 }}{% endfor %}",
    "multiplied text": "{{ 'x' * 9999999999 }}",
    "huge power": "{{ 9 ** 9 ** 9 }}",
    "padded text": "{{ '%0999999999d' % 1 }}",
    "deep recursion": "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
}
"""Templates that are broken, attack the sandbox, or run away."""

CONTROL_TOKENS = ("<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>")
_BOS, _EOS = 1, 4
_PIECES = (
    "▁", "e", "t", "a", "o", "n", "▁t", "he", "▁the", "ing", "▁a", "s", "er", "▁h", "ello", "l",
    "h", "i", "g",
)  # fmt: skip
_QUANT_TYPES = {
    "F32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "Q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
    "Q4_0": (gguf.GGMLQuantizationType.Q4_0, gguf.LlamaFileType.MOSTLY_Q4_0),
}
_FIRST_BYTE_TOKEN = len(CONTROL_TOKENS)


def write_model(
    path: Path,
    *,
    weights: Weights = "F32",
    template: str | None = CHATML,
    says: Sequence[str] = (),
    control: Collection[str] = (),
    architecture: str = "llama",
    name: str = "Tiny",
    context_length: int = 512,
    n_layers: int = 2,
    n_embd: int = 64,
    split_tensors: int = 0,
    unambiguous: bool = False,
    pooling: gguf.PoolingType | None = None,
    seed: int = 0,
) -> Path:
    """Write a llama model and return the path of its (first) file.

    `says`: the pieces of its every answer, each a token of its own and all different; it starts
    after a line break, which is how ChatML begins an answer. Those that are `control` are special tokens,
    which show no text. `split_tensors`: so many tensors to a
    part (`x-00001-of-00003.gguf`), 0 for one file. `unambiguous`: the tokenizer writes its answers in
    the very tokens that they were generated as. `pooling`: what its vectors are made of.
    """
    rng = np.random.default_rng(seed)
    n_head, n_head_kv, n_ff = 4, 2, 2 * n_embd
    head = n_embd // n_head
    tensor_type, file_type = _QUANT_TYPES[weights]
    writer = gguf.GGUFWriter(path, architecture, split_max_tensors=split_tensors)
    tokens = add_vocabulary(writer, says, control)
    writer.add_type("model")
    writer.add_name(name)
    writer.add_file_type(file_type)
    writer.add_context_length(context_length)
    writer.add_embedding_length(n_embd)
    writer.add_block_count(n_layers)
    writer.add_feed_forward_length(n_ff)
    writer.add_head_count(n_head)
    writer.add_head_count_kv(n_head_kv)
    writer.add_rope_dimension_count(head)
    writer.add_rope_freq_base(10_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    if template is not None:
        writer.add_chat_template(template)
    if pooling is not None:
        writer.add_pooling_type(pooling)

    def add_matrix(tensor: str, values: np.ndarray) -> None:
        writer.add_tensor(tensor, quantize(values, tensor_type), raw_dtype=tensor_type)

    def random(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) * 0.1).astype(np.float32)

    embedding, output = random(len(tokens), n_embd), random(len(tokens), n_embd)
    if says:
        _make_it_say(says, tokens, embedding, output)
    else:
        _keep_it_printable(output, unambiguous=unambiguous)
    add_matrix("token_embd.weight", embedding)
    writer.add_tensor("output_norm.weight", np.ones(n_embd, np.float32))
    add_matrix("output.weight", output)
    for layer in range(n_layers):
        for tensor, shape in (
            ("attn_q", (n_embd, n_embd)),
            ("attn_k", (n_head_kv * head, n_embd)),
            ("attn_v", (n_head_kv * head, n_embd)),
            ("attn_output", (n_embd, n_embd)),
            ("ffn_gate", (n_ff, n_embd)),
            ("ffn_up", (n_ff, n_embd)),
            ("ffn_down", (n_embd, n_ff)),
        ):
            values = random(*shape)
            silenced = bool(says) and tensor in ("attn_output", "ffn_down")
            add_matrix(f"blk.{layer}.{tensor}.weight", values * 0 if silenced else values)
        for norm in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{norm}.weight", np.ones(n_embd, np.float32))
    _write(writer)
    return path if not split_tensors else sorted(path.parent.glob(f"{path.stem}-00001-of-*"))[0]


def write_recurrent_model(
    path: Path, *, context_length: int = 4096, unambiguous: bool = False, seed: int = 0
) -> Path:
    """Write a Mamba model of random weights, whose state can't be cut back to an earlier token."""
    rng = np.random.default_rng(seed)
    n_embd, d_inner, d_state, d_conv, dt_rank = 64, 128, 16, 4, 4
    writer = gguf.GGUFWriter(path, "mamba")
    n_vocab = len(add_vocabulary(writer, ()))
    writer.add_type("model")
    writer.add_name("Tiny recurrent")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(context_length)
    writer.add_embedding_length(n_embd)
    writer.add_block_count(2)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_ssm_conv_kernel(d_conv)
    writer.add_ssm_inner_size(d_inner)
    writer.add_ssm_state_size(d_state)
    writer.add_ssm_time_step_rank(dt_rank)
    writer.add_chat_template(CHATML)

    def random(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) * 0.3).astype(np.float32)

    output = random(n_vocab, n_embd)
    _keep_it_printable(output, unambiguous=unambiguous)
    writer.add_tensor("token_embd.weight", random(n_vocab, n_embd))
    writer.add_tensor("output_norm.weight", np.ones(n_embd, np.float32))
    writer.add_tensor("output.weight", output)
    for layer in range(2):
        for tensor, values in (
            ("attn_norm.weight", np.ones(n_embd, np.float32)),
            ("ssm_in.weight", random(2 * d_inner, n_embd)),
            ("ssm_conv1d.weight", random(d_inner, d_conv)),
            ("ssm_conv1d.bias", random(d_inner)),
            ("ssm_x.weight", random(dt_rank + 2 * d_state, d_inner)),
            ("ssm_dt.weight", random(d_inner, dt_rank)),
            ("ssm_dt.bias", random(d_inner)),
            ("ssm_a", -np.exp(random(d_inner, d_state))),
            ("ssm_d", np.ones(d_inner, np.float32)),
            ("ssm_out.weight", random(n_embd, d_inner)),
        ):
            writer.add_tensor(f"blk.{layer}.{tensor}", values)
    _write(writer)
    return path


def write_adapter(path: Path, *, rank: int = 4, n_embd: int = 64, seed: int = 1) -> Path:
    """Write a LoRA for the query projections of a model that `write_model` wrote."""
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 8.0)
    writer.add_name("Tiny adapter")
    for layer in range(2):
        for part, shape in (("lora_a", (rank, n_embd)), ("lora_b", (n_embd, rank))):
            values = (rng.standard_normal(shape) * 0.5).astype(np.float32)
            writer.add_tensor(f"blk.{layer}.attn_q.weight.{part}", values)
    _write(writer)
    return path


def write_projector(path: Path) -> Path:
    """Write the header and one tensor of an image projector: enough to be told from a model."""
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_type("mmproj")
    writer.add_name("Tiny projector")
    writer.add_tensor("mm.0.weight", np.zeros((64, 64), np.float32))
    _write(writer)
    return path


def corrupt(source: Path, target: Path, how: Corruption) -> Path:
    """Write a damaged copy of a GGUF file."""
    data = bytearray(source.read_bytes())
    if how == "truncated":
        del data[len(data) * 4 // 5 :]
    elif how == "magic":
        data[:4] = b"XXXX"
    elif how == "version":
        data[4:8] = (99).to_bytes(4, "little")
    elif how == "counts":
        data[8:16] = (1 << 60).to_bytes(8, "little")
    elif how == "header":
        del data[64:]
    elif how == "empty":
        data.clear()
    elif how == "key_length":
        data[24:32] = (1 << 50).to_bytes(8, "little")
    else:
        data[-4096:] = b"\xff" * 4096
    target.write_bytes(data)
    return target


def add_vocabulary(
    writer: gguf.GGUFWriter, says: Sequence[str], control: Collection[str] = ()
) -> list[str]:
    """A SentencePiece vocabulary with a token for every byte, so that any text can be tokenized."""
    kinds = gguf.TokenType
    vocabulary = [(text, 0.0, kinds.CONTROL) for text in CONTROL_TOKENS]
    vocabulary[0] = (CONTROL_TOKENS[0], 0.0, kinds.UNKNOWN)
    vocabulary += [(f"<0x{byte:02X}>", 0.0, kinds.BYTE) for byte in range(256)]
    vocabulary += [(piece, -float(i), kinds.NORMAL) for i, piece in enumerate(_PIECES)]
    vocabulary += [
        (text, 0.0, kinds.CONTROL if text in control else kinds.USER_DEFINED) for text in says
    ]
    tokens = [text for text, _, _ in vocabulary]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores([score for _, score, _ in vocabulary])
    writer.add_token_types([kind for _, _, kind in vocabulary])
    writer.add_bos_token_id(_BOS)
    writer.add_eos_token_id(_EOS)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    return tokens


def _make_it_say(
    says: Sequence[str], tokens: Sequence[str], embedding: np.ndarray, output: np.ndarray
) -> None:
    """Make each token of the answer the likeliest one after the token before it."""
    first = len(tokens) - len(says)
    line_break = _FIRST_BYTE_TOKEN + ord("\n")
    chain = [line_break, *range(first, len(tokens)), _EOS]
    directions = embedding / np.linalg.norm(embedding, axis=1, keepdims=True)
    output[:] = 0
    for token, following in itertools.pairwise(chain):
        output[following] = directions[token] * 8


def _keep_it_printable(output: np.ndarray, *, unambiguous: bool) -> None:
    """Never the likeliest: special tokens, so that it does not end, and bytes outside of ASCII.

    Where it has to be `unambiguous`, no pieces of several characters, nor what they consist of.
    """
    in_pieces = {ord(" "), *"".join(_PIECES).encode()} if unambiguous else set()
    printable = {
        _FIRST_BYTE_TOKEN + byte for byte in range(ord(" "), ord("~") + 1) if byte not in in_pieces
    }
    if unambiguous:
        output[_FIRST_BYTE_TOKEN + 256 :] = 0
    output[[token for token in range(_FIRST_BYTE_TOKEN + 256) if token not in printable]] = 0


def _write(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
