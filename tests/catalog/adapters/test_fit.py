from collections.abc import Mapping, Sequence

import pytest

from catalog.adapters.fit import AdapterFit, adapter_fit
from catalog.gguf.files import read_header
from catalog.gguf.header import GgufHeader, MetadataValue, TensorInfo
from tests.gguf_files import write_adapter, write_model

N_EMBD, N_FF, N_VOCAB, RANK = 64, 128, 300, 4
F32, I32 = 0, 26

Shapes = Mapping[str, tuple[int, ...]]


def header(
    metadata: Mapping[str, MetadataValue], shapes: Shapes, ggml_type: int = F32
) -> GgufHeader:
    tensors = tuple(TensorInfo(name, shape, ggml_type, 0) for name, shape in shapes.items())
    return GgufHeader(3, dict(metadata), tensors, 0)


def model(
    *, tied: bool = False, without: Sequence[str] = (), architecture: str = "llama", **shapes
) -> GgufHeader:
    own = {
        "token_embd.weight": (N_EMBD, N_VOCAB),
        "blk.0.attn_q.weight": (N_EMBD, N_EMBD),
        "blk.0.ffn_up.weight": (N_EMBD, N_FF),
        "blk.0.ffn_down.weight": (N_FF, N_EMBD),
        "blk.1.ffn_down.weight": (N_FF, N_EMBD),
        **({} if tied else {"output.weight": (N_EMBD, N_VOCAB)}),
        **shapes,
    }
    metadata = {
        "general.architecture": architecture,
        "general.type": "model",
        f"{architecture}.embedding_length": N_EMBD,
        f"{architecture}.block_count": 2,
    }
    return header(metadata, {name: shape for name, shape in own.items() if name not in without})


def adapter(shapes: Shapes, ggml_type: int = F32, **metadata: MetadataValue) -> GgufHeader:
    own: dict[str, MetadataValue] = {
        "general.architecture": "llama",
        "general.type": "adapter",
        "adapter.type": "lora",
        "adapter.lora.alpha": 8.0,
    }
    return header(
        {**own, **{key.replace("__", "."): v for key, v in metadata.items()}}, shapes, ggml_type
    )


def change(name: str, n_in: int, n_out: int, rank: int = RANK) -> Shapes:
    return {f"{name}.lora_a": (n_in, rank), f"{name}.lora_b": (rank, n_out)}


GOOD = {
    **change("blk.0.attn_q.weight", N_EMBD, N_EMBD),
    **change("blk.1.ffn_down.weight", N_FF, N_EMBD),
}


def test_an_adapter_of_the_shapes_of_a_model_fits_it() -> None:
    assert adapter_fit(adapter(GOOD), [model()]) == AdapterFit(True)


def test_an_adapter_fits_a_model_of_several_parts() -> None:
    whole = model()
    parts = [header(whole.metadata, {t.name: t.shape}) for t in whole.tensors]

    assert adapter_fit(adapter(GOOD), parts).fits
    assert not adapter_fit(adapter(GOOD), parts[:2]).fits


def test_a_change_to_the_token_table_is_turned() -> None:
    turned = {
        "token_embd.weight.lora_a": (RANK, N_VOCAB),
        "token_embd.weight.lora_b": (RANK, N_EMBD),
    }

    assert adapter_fit(adapter(turned), [model()]).fits
    assert not adapter_fit(adapter(change("token_embd.weight", N_EMBD, N_VOCAB)), [model()]).fits


def test_norms_are_passed_over() -> None:
    assert adapter_fit(adapter({**GOOD, "blk.0.attn_norm.weight": (N_EMBD,)}), [model()]).fits


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (adapter(GOOD, general__type="model"), "It is no adapter."),
        (
            adapter(GOOD, adapter__type="control"),
            "It is an adapter of the kind “control”; only LoRA adapters can be used.",
        ),
        (
            adapter(GOOD, general__architecture="qwen2"),
            "It is for qwen2 models, this one is llama.",
        ),
        (
            adapter(GOOD, adapter__alora__invocation_tokens=(1, 2)),
            "It is an activated LoRA, which works only after certain words; "
            "it would change the whole text here.",
        ),
        (
            adapter(GOOD, adapter__lora__alpha=float("nan")),
            "It is damaged: its alpha is no number.",
        ),
        (adapter({}), "It changes nothing: there are no LoRA weights in it."),
        (
            adapter({**GOOD, "blk.0.attn_q.bias": (N_EMBD,)}),
            "It holds “blk.0.attn_q.bias”, which is no part of a LoRA.",
        ),
        (
            adapter({**GOOD, "blk.0.ffn_up.weight.lora_a": (N_EMBD, RANK)}),
            "It is incomplete: half of its change to “blk.0.ffn_up.weight” is missing.",
        ),
        (
            adapter(GOOD, ggml_type=I32),
            "It is damaged: its change to “blk.0.attn_q.weight” can't be computed.",
        ),
        (
            adapter(
                {
                    "blk.0.attn_q.weight.lora_a": (N_EMBD, 4),
                    "blk.0.attn_q.weight.lora_b": (8, N_EMBD),
                }
            ),
            "It is damaged: its change to “blk.0.attn_q.weight” can't be computed.",
        ),
        (
            adapter(change("blk.0.attn_q.weight", N_EMBD, N_EMBD, rank=0)),
            "It is damaged: its change to “blk.0.attn_q.weight” can't be computed.",
        ),
        (
            adapter(
                {
                    **change("blk.0.ffn_down.weight", 5632, 2048),
                    **change("blk.0.attn_q.weight", 2048, 2048),
                }
            ),
            "It was made for models of 2,048 values a layer, this one has 64.",
        ),
        (
            adapter(change("blk.0.ffn_down.weight", N_FF * 2, N_EMBD)),
            "Its change to “blk.0.ffn_down.weight” is 256 × 64 values, "
            "this model has 128 × 64 there.",
        ),
        (
            adapter(change("blk.2.ffn_down.weight", N_FF, N_EMBD)),
            "It changes layer 3, and this model has only 2.",
        ),
        (
            adapter(change("blk.0.attn_qkv.weight", N_EMBD, N_EMBD)),
            "It changes “blk.0.attn_qkv.weight”, which this model does not have.",
        ),
        (
            adapter(change("output.weight", N_EMBD, N_VOCAB + 1)),
            "It was made for a vocabulary of 301 tokens, this one has 300.",
        ),
    ],
)
def test_what_does_not_fit_is_said(given: GgufHeader, reason: str) -> None:
    assert adapter_fit(given, [model()]) == AdapterFit(False, reason)


def test_a_model_that_writes_and_reads_with_one_table_can_have_neither_changed() -> None:
    table = {
        "token_embd.weight.lora_a": (RANK, N_VOCAB),
        "token_embd.weight.lora_b": (RANK, N_EMBD),
    }
    output = change("output.weight", N_EMBD, N_VOCAB)

    assert adapter_fit(adapter(table), [model(tied=True)]).reason.startswith(
        "It changes how words are read, and this model uses the same table to write them"
    )
    assert adapter_fit(adapter(output), [model(tied=True)]).reason == (
        "It changes the output layer, and this model has none of its own."
    )


def test_experts_must_be_as_many() -> None:
    experts = model(**{"blk.0.ffn_up_exps.weight": (N_EMBD, N_FF, 4)})

    def for_experts(count: int) -> GgufHeader:
        name = "blk.0.ffn_up_exps.weight"
        return adapter(
            {f"{name}.lora_a": (N_EMBD, RANK, count), f"{name}.lora_b": (RANK, N_FF, count)}
        )

    assert adapter_fit(for_experts(4), [experts]).fits
    assert adapter_fit(for_experts(8), [experts]).reason == (
        "It was made for 8 experts, this model has 4."
    )


def test_a_projector_can_have_no_adapter() -> None:
    projector = header({"general.type": "mmproj", "general.architecture": "clip"}, {})

    assert not adapter_fit(adapter(GOOD), [projector]).fits


def test_real_files_are_told_apart(tmp_path) -> None:
    fitting = read_header(write_adapter(tmp_path / "fitting.gguf"))
    wider = read_header(write_adapter(tmp_path / "wider.gguf", n_embd=96))
    base = read_header(write_model(tmp_path / "model.gguf"))

    assert adapter_fit(fitting, [base]).fits
    assert adapter_fit(wider, [base]).reason == (
        "It was made for models of 96 values a layer, this one has 64."
    )
