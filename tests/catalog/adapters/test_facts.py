import math

import gguf
import numpy as np
import pytest

from catalog.adapters.facts import adapter_facts
from catalog.errors import BadModelFile
from catalog.gguf.files import read_header
from tests.gguf_files import write_adapter


def write(path, ranks=(4, 16), alpha=32.0, extra=lambda writer: None):
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    extra(writer)
    for layer, rank in enumerate(ranks):
        name = f"blk.{layer}.attn_q.weight"
        writer.add_tensor(f"{name}.lora_a", np.zeros((rank, 64), np.float16))
        writer.add_tensor(f"{name}.lora_b", np.zeros((64, rank), np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_the_facts_of_an_adapter_are_read_from_its_header(tmp_path) -> None:
    def describe(writer: gguf.GGUFWriter) -> None:
        writer.add_string("general.base_model.0.repo_url", "https://huggingface.co/owner/base")
        writer.add_string("adapter.lora.prompt_prefix", " As a pirate:\n")
        writer.add_string("adapter.lora.task_name", "pirate  speech")
        writer.add_array("adapter.alora.invocation_tokens", [3, 5])

    path = write(tmp_path / "adapter.gguf", extra=describe)

    facts = adapter_facts(read_header(path))

    assert facts.architecture == "qwen2"
    assert facts.base == "owner/base"
    assert (facts.lowest_rank, facts.rank, facts.rank_text) == (4, 16, "4–16")
    assert facts.alpha == 32.0
    assert facts.n_tensors == 4
    assert facts.parameters == 2 * 64 * (4 + 16)
    assert facts.size_bytes == path.stat().st_size
    assert facts.quant == "F16"
    assert facts.trigger_words == "As a pirate:"
    assert facts.task == "pirate speech"
    assert facts.invocation_tokens == (3, 5)


def test_what_an_adapter_does_not_say_is_empty(tmp_path) -> None:
    facts = adapter_facts(read_header(write_adapter(tmp_path / "adapter.gguf", rank=8)))

    assert (facts.base, facts.trigger_words, facts.task, facts.invocation_tokens) == (
        "",
        "",
        "",
        (),
    )
    assert facts.rank_text == "8"


def test_an_adapter_without_weights_has_no_rank(tmp_path) -> None:
    facts = adapter_facts(read_header(write(tmp_path / "adapter.gguf", ranks=())))

    assert (facts.rank, facts.rank_text) == (0, "")


def test_an_alpha_that_is_no_number_is_none(tmp_path) -> None:
    assert adapter_facts(read_header(write(tmp_path / "adapter.gguf", alpha=math.inf))).alpha == 0.0


def test_an_alpha_of_a_type_that_llama_cpp_dies_of_makes_a_damaged_file(tmp_path) -> None:
    def describe(writer: gguf.GGUFWriter) -> None:
        del writer.kv_data[0]["adapter.lora.alpha"]
        writer.add_float64("adapter.lora.alpha", 8.0)

    with pytest.raises(BadModelFile, match="wrong type"):
        read_header(write(tmp_path / "adapter.gguf", extra=describe))
