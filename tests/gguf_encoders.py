"""Tiny GGUF files of models that make vectors of texts: encoders, and one that ranks."""

from pathlib import Path

import gguf
import numpy as np

_CONTROL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_PAD, _UNK, _CLS, _SEP, _MASK = range(5)
_WORDS = ("▁the", "▁a", "▁cat", "▁dog", "▁sea", "▁is", "▁on", "s", "ing")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,!?"


def write_encoder(
    path: Path,
    *,
    pooling: gguf.PoolingType | None = gguf.PoolingType.MEAN,
    context_length: int = 512,
    n_embd: int = 64,
    n_layers: int = 2,
    filler_words: int = 0,
    damaged: bool = False,
    seed: int = 0,
) -> Path:
    """Write a BERT model of random weights, with a WordPiece vocabulary.

    It has a table of `context_length` positions. With `pooling` None the file says nothing of it.
    `filler_words` make the vocabulary larger; `damaged`: all its weights are no numbers.
    """
    rng = np.random.default_rng(seed)
    n_ff = 2 * n_embd
    writer = gguf.GGUFWriter(path, "bert")
    n_vocab = len(_add_vocabulary(writer, filler_words))
    writer.add_type("model")
    writer.add_name("Tiny encoder")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(context_length)
    writer.add_embedding_length(n_embd)
    writer.add_block_count(n_layers)
    writer.add_feed_forward_length(n_ff)
    writer.add_head_count(4)
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    if pooling is not None:
        writer.add_pooling_type(pooling)

    def add(tensor: str, *shape: int) -> None:
        values = (rng.standard_normal(shape) * 0.2).astype(np.float32)
        writer.add_tensor(tensor, values * np.float32("nan") if damaged else values)

    def add_norm(tensor: str) -> None:
        writer.add_tensor(f"{tensor}.weight", np.ones(n_embd, np.float32))
        writer.add_tensor(f"{tensor}.bias", np.zeros(n_embd, np.float32))

    add("token_embd.weight", n_vocab, n_embd)
    add("token_types.weight", 2, n_embd)
    add("position_embd.weight", context_length, n_embd)
    add_norm("token_embd_norm")
    if pooling == gguf.PoolingType.RANK:
        add("cls.weight", n_embd, n_embd)
        add("cls.bias", n_embd)
        add("cls.output.weight", 1, n_embd)
        add("cls.output.bias", 1)
    for layer in range(n_layers):
        block = f"blk.{layer}"
        for part, rows, columns in (
            ("attn_q", n_embd, n_embd),
            ("attn_k", n_embd, n_embd),
            ("attn_v", n_embd, n_embd),
            ("attn_output", n_embd, n_embd),
            ("ffn_up", n_ff, n_embd),
            ("ffn_down", n_embd, n_ff),
        ):
            add(f"{block}.{part}.weight", rows, columns)
            add(f"{block}.{part}.bias", rows)
        add_norm(f"{block}.attn_output_norm")
        add_norm(f"{block}.layer_output_norm")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_vocabulary(writer: gguf.GGUFWriter, filler_words: int) -> list[str]:
    words = [*_CONTROL, *_WORDS]
    for letter in _LETTERS:
        words += [f"▁{letter}", letter]
    words = list(dict.fromkeys(words)) + [f"▁filler{i}" for i in range(filler_words)]
    kinds = [gguf.TokenType.CONTROL] * len(_CONTROL)
    kinds += [gguf.TokenType.NORMAL] * (len(words) - len(_CONTROL))
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(words)
    writer.add_token_types(kinds)
    writer.add_token_type_count(2)
    writer.add_pad_token_id(_PAD)
    writer.add_unk_token_id(_UNK)
    writer.add_bos_token_id(_CLS)
    writer.add_sep_token_id(_SEP)
    writer.add_mask_token_id(_MASK)
    return words
