"""Folders of other programs, laid out as those programs lay them out, and files to put into them."""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import gguf
import numpy as np

MEDIA = "application/vnd.ollama.image."


def write_embedding_model(path: Path, *, name: str = "Tiny search", seed: int = 0) -> Path:
    """The header of a model for search, and weights enough to be whole."""
    return _write(
        path, "bert", name, seed, {"bert.attention.causal": False, "bert.pooling_type": 1}
    )


def write_pooling_model(path: Path, *, seed: int = 0) -> Path:
    """A model for search that was made from one that writes: it says so by its pooling alone."""
    return _write(path, "qwen3", "Tiny pooling", seed, {"qwen3.pooling_type": 3})


def write_vocabulary(path: Path) -> Path:
    """A sound file without weights, as are used to test tokenizers."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("A vocabulary")
    _close(writer)
    return path


def write_picture_model(path: Path) -> Path:
    """The weights of a model for pictures, which GGUF files hold as well."""
    writer = gguf.GGUFWriter(path, "flux")
    writer.add_tensor("img_in.weight", np.zeros((64, 64), np.float32))
    _close(writer)
    return path


def write_tagged_model(path: Path, tags: dict[str, str], *, seed: int = 0) -> Path:
    """A model that says where it is from; `tags` are texts of the header."""
    return _write(path, "llama", "Tagged", seed, tags)


def _write(
    path: Path, architecture: str, name: str, seed: int, values: dict[str, str] | dict[str, object]
) -> Path:
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(name)
    writer.add_context_length(256)
    writer.add_block_count(1)
    writer.add_tokenizer_model("none")
    for key, value in values.items():
        if isinstance(value, bool):
            writer.add_bool(key, value)
        elif isinstance(value, int):
            writer.add_uint32(key, value)
        else:
            writer.add_string(key, str(value))
    weights = np.random.default_rng(seed).standard_normal((64, 64)).astype(np.float32)
    writer.add_tensor("token_embd.weight", weights)
    _close(writer)
    return path


def _close(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_to_ollama(folder: Path, name: str, layers: Sequence[tuple[str, Path | bytes]]) -> Path:
    """Store a model as Ollama does; `name` is HOST/NAMESPACE/MODEL/TAG. Returns the manifest."""
    blobs = folder / "blobs"
    blobs.mkdir(parents=True, exist_ok=True)
    listed = []
    for kind, content in layers:
        data = content if isinstance(content, bytes) else content.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        (blobs / f"sha256-{digest}").write_bytes(data)
        listed.append({"mediaType": MEDIA + kind, "digest": f"sha256:{digest}", "size": len(data)})
    manifest = folder / "manifests" / name
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps({"schemaVersion": 2, "config": {}, "layers": listed}))
    return manifest


def add_to_hub_cache(
    folder: Path, repo: str, commit: str, file: str, content: Path, *, main: bool = True
) -> Path:
    """Store a file as the Hub's client does. Returns the link in the snapshot."""
    repository = folder / f"models--{repo.replace('/', '--')}"
    blob = repository / "blobs" / hashlib.sha256(content.read_bytes()).hexdigest()
    blob.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(content, blob)
    link = repository / "snapshots" / commit / file
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(os.path.relpath(blob, link.parent))
    if main:
        refs = repository / "refs" / "main"
        refs.parent.mkdir(exist_ok=True)
        refs.write_text(commit)
    return link
