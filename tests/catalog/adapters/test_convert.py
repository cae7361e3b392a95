import contextlib
import json
import math
import os
import random
import shutil
import threading
from pathlib import Path

import gguf
import numpy as np
import pytest

from catalog.adapters.facts import adapter_facts
from catalog.adapters.fit import adapter_fit
from catalog.adapters.peft import convert_peft, is_peft_folder
from catalog.errors import CatalogError, DownloadCancelled
from catalog.gguf.files import read_header
from catalog.gguf.header import GgufHeader
from tests.catalog.adapters.peft_files import (
    ALPHA,
    N_EMBD,
    N_FF,
    RANK,
    base_header,
    lora_shapes,
    values,
    write_peft,
    write_safetensors,
)

LAYER = "base_model.model.model.layers.0.mlp.down_proj"
ONE = {f"{LAYER}.lora_A.weight": (RANK, N_FF), f"{LAYER}.lora_B.weight": (N_EMBD, RANK)}
TARGET = "blk.0.ffn_down.weight"


def convert(folder: Path, base: GgufHeader | None = None, **options) -> Path:
    out = folder.parent / "out.gguf"
    usual = {
        "name": "",
        "on_progress": lambda part: None,
        "cancelled": threading.Event(),
    }
    convert_peft(folder, [base or base_header()], out, **{**usual, **options})
    return out


def refusal(folder: Path, base: GgufHeader | None = None) -> str:
    """What is said of an adapter that is not converted, and that nothing is left of it."""
    with pytest.raises(CatalogError) as caught:
        convert(folder, base)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert caught.value.fix or "layers" in caught.value.what
    return str(caught.value)


class TestWhatIsWritten:
    def test_an_adapter_that_fits_its_model(self, tmp_path) -> None:
        out = convert(write_peft(tmp_path / "pirate", lora_shapes("llama")))

        header = read_header(out)
        facts = adapter_facts(header)
        assert adapter_fit(header, [base_header()]).fits
        assert (header.name, facts.base, facts.rank, facts.alpha) == (
            "pirate",
            "Owner/Base",
            RANK,
            ALPHA,
        )

    def test_bfloat16_loses_nothing(self, tmp_path) -> None:
        shape = ONE[f"{LAYER}.lora_A.weight"]
        expected = (values(shape, 1).view(np.uint32) >> 16 << 16).view(np.float32)

        out = convert(write_peft(tmp_path / "a", ONE, stored="BF16"))

        tensor = gguf.GGUFReader(out).tensors[0]
        assert tensor.name == f"{TARGET}.lora_a"
        assert (tensor.data == expected).all()

    def test_one_half_in_full_precision_makes_all_of_it_so(self, tmp_path) -> None:
        folder = write_peft(tmp_path / "a", ONE)
        short, long = (values(shape, 1) for shape in ONE.values())
        half_a, half_b = ONE
        write_safetensors(
            folder / "adapter_model.safetensors", {half_a: short, half_b: long}, {half_a: "F16"}
        )

        tensors = gguf.GGUFReader(convert(folder)).tensors

        assert [tensor.tensor_type.name for tensor in tensors] == ["F32", "F32"]
        assert (tensors[0].data == short.astype(np.float16)).all()
        assert (tensors[1].data == long).all()

    def test_the_strength_by_the_root_of_the_rank_is_put_into_alpha(self, tmp_path) -> None:
        out = convert(write_peft(tmp_path / "a", ONE, settings={"use_rslora": True}))

        assert adapter_facts(read_header(out)).alpha == pytest.approx(ALPHA * math.sqrt(RANK))

    def test_ranks_of_their_own_stay(self, tmp_path) -> None:
        wider = {
            "base_model.model.model.layers.1.mlp.down_proj.lora_A.weight": (2 * RANK, N_FF),
            "base_model.model.model.layers.1.mlp.down_proj.lora_B.weight": (N_EMBD, 2 * RANK),
        }
        settings = {"rank_pattern": {"layers.1.mlp.down_proj": 2 * RANK}}

        out = convert(write_peft(tmp_path / "a", ONE | wider, settings=settings))

        assert adapter_facts(read_header(out)).rank_text == f"{RANK}–{2 * RANK}"

    def test_layers_of_a_model_with_eyes_are_found(self, tmp_path) -> None:
        inside = {name.replace("model.layers", "model.language_model.layers"): shape
                  for name, shape in ONE.items()}  # fmt: skip

        out = convert(write_peft(tmp_path / "a", inside))

        assert read_header(out).tensors[0].name == f"{TARGET}.lora_a"

    def test_a_copy_of_the_models_own_weights_is_left_out(self, tmp_path) -> None:
        copy = {"base_model.model.model.embed_tokens.base_layer.weight": (40, N_EMBD)}

        out = convert(write_peft(tmp_path / "a", ONE | copy))

        assert len(read_header(out).tensors) == 2

    @pytest.mark.parametrize(
        "path", ["C:\\Users\\Somebody\\models\\Base", "/home/Somebody/Base/", "../Base"]
    )
    def test_a_path_of_the_trainers_own_computer_is_not_told(self, tmp_path, path) -> None:
        settings = {"base_model_name_or_path": path}

        out = convert(write_peft(tmp_path / "a", ONE, settings=settings))

        assert adapter_facts(read_header(out)).base == "Base"
        assert b"Somebody" not in out.read_bytes()

    def test_a_file_that_was_there_is_replaced(self, tmp_path) -> None:
        folder = write_peft(tmp_path / "a", ONE)
        (tmp_path / "out.gguf").write_bytes(b"old")

        assert read_header(convert(folder)).kind == "adapter"


class TestItsCourse:
    def test_progress_ends_at_one(self, tmp_path) -> None:
        told: list[float] = []

        convert(write_peft(tmp_path / "a", lora_shapes("llama")), on_progress=told.append)

        assert told == sorted(told)
        assert 0 < told[0] < told[-1] == 1

    def test_cancelled_it_leaves_nothing(self, tmp_path) -> None:
        folder, cancelled = write_peft(tmp_path / "a", lora_shapes("llama")), threading.Event()

        with pytest.raises(DownloadCancelled):
            convert(folder, on_progress=lambda part: cancelled.set(), cancelled=cancelled)

        assert [path.name for path in tmp_path.iterdir()] == ["a"]

    def test_a_disk_without_room_is_said_before_anything_is_written(
        self, tmp_path, monkeypatch
    ) -> None:
        folder = write_peft(tmp_path / "a", ONE)
        usage = shutil.disk_usage(tmp_path)
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))

        assert "There is not enough room on the disk." in refusal(folder)

    def test_a_folder_that_is_gone_is_said(self, tmp_path) -> None:
        folder = write_peft(tmp_path / "a", ONE)

        with pytest.raises(CatalogError, match=r"“x\.gguf” can't be written\."):
            convert_peft(
                folder,
                [base_header()],
                tmp_path / "gone" / "x.gguf",
                name="",
                on_progress=lambda part: None,
                cancelled=threading.Event(),
            )


class TestWhatGgufCanNotHold:
    @pytest.mark.parametrize(
        ("settings", "said"),
        [
            ({"peft_type": "IA3"}, "It is of the kind “IA3”, and only LoRA"),
            ({"peft_type": None}, "It does not say of what kind it is"),
            ({"use_dora": True}, "It is a DoRA"),
            ({"use_qalora": True}, "a special kind of LoRA (“use_qalora”)"),
            ({"modules_to_save": ["lm_head"]}, "It brings whole layers along"),
            ({"bias": "all"}, "It also changes biases"),
            ({"lora_bias": True}, "Its changes have biases"),
            ({"layer_replication": [[0, 1], [0, 1]]}, "whose layers are repeated"),
            ({"target_parameters": ["experts"]}, "changes single parameters"),
            ({"trainable_token_indices": [1]}, "It teaches the model tokens"),
            ({"alora_invocation_tokens": [1]}, "It is an activated LoRA"),
            ({"init_lora_weights": "pissa_niter_16"}, "changing the model itself"),
            ({"alpha_pattern": {"q_proj": 5}}, "(alpha_pattern)"),
            ({"lora_alpha": 0}, "it changes nothing"),
            (
                {"use_rslora": True, "rank_pattern": {"x": 1}, "ranks": "differ"},
                "scaled by the root of it",
            ),
        ],
    )
    def test_a_setting_is_refused_in_words(self, tmp_path, settings, said) -> None:
        other = {
            "base_model.model.model.layers.1.mlp.down_proj.lora_A.weight": (1, N_FF),
            "base_model.model.model.layers.1.mlp.down_proj.lora_B.weight": (N_EMBD, 1),
        }
        shapes = ONE | other if settings.get("rank_pattern") else ONE

        assert said in refusal(write_peft(tmp_path / "a", shapes, settings=settings))

    def test_an_alpha_pattern_that_says_nothing_new_is_none(self, tmp_path) -> None:
        settings = {"alpha_pattern": {"q_proj": ALPHA}}

        assert convert(write_peft(tmp_path / "a", ONE, settings=settings)).exists()

    @pytest.mark.parametrize(
        ("name", "shape", "said"),
        [
            (f"{LAYER}.lora_magnitude_vector", (N_EMBD,), "It is a DoRA"),
            (f"{LAYER}.lora_B.bias", (N_EMBD,), "It also changes biases"),
            ("base_model.model.lm_head.weight", (40, N_EMBD), "which is no LoRA change"),
            ("base_model.model.model.norm.weight", (N_EMBD,), "which is no LoRA change"),
            (
                "base_model.model.model.vision_tower.layers.0.mlp.fc1.lora_A.weight",
                (RANK, 8),
                "which has no place in a llama model of 2 layers",
            ),
            (
                "base_model.model.model.layers.2.mlp.down_proj.lora_A.weight",
                (RANK, N_FF),
                "which has no place in a llama model of 2 layers",
            ),
            (
                "base_model.model.model.layers.1.mlp.down_proj.lora_A.weight",
                (RANK, N_FF),
                "The other half of",
            ),
            (
                "base_model.model.model.layers.1.mlp.down_proj.lora_A.weight",
                (RANK, N_FF, 1),
                "is no change to a plain layer",
            ),
            (
                "base_model.model.model.language_model.layers.0.mlp.down_proj.lora_A.weight",
                (RANK, N_FF),
                "twice",
            ),
        ],
    )
    def test_a_tensor_is_refused_in_words(self, tmp_path, name, shape, said) -> None:
        assert said in refusal(write_peft(tmp_path / "a", ONE | {name: shape}))

    def test_halves_that_do_not_belong_together(self, tmp_path) -> None:
        shapes = ONE | {f"{LAYER}.lora_B.weight": (N_EMBD, RANK + 1)}

        assert "do not belong together" in refusal(write_peft(tmp_path / "a", shapes))

    def test_settings_and_weights_of_different_ranks(self, tmp_path) -> None:
        said = refusal(write_peft(tmp_path / "a", ONE, settings={"r": 8}))

        assert "The settings name the rank 8, the weights have 3." in said


class TestTheModelItIsFor:
    def test_a_model_of_another_size_is_refused(self, tmp_path) -> None:
        said = refusal(write_peft(tmp_path / "a", lora_shapes("llama")), base_header(n_embd=64))

        assert "The adapter does not fit “Tiny”." in said
        assert "It was made for models of 32 values a layer, this one has 64." in said

    def test_a_model_with_fewer_layers_is_refused(self, tmp_path) -> None:
        said = refusal(write_peft(tmp_path / "a", lora_shapes("llama")), base_header(n_layers=1))

        assert "has no place in a llama model of 1 layer" in said

    def test_the_head_of_a_model_that_has_none_of_its_own(self, tmp_path) -> None:
        head = {
            "base_model.model.lm_head.lora_A.weight": (RANK, N_EMBD),
            "base_model.model.lm_head.lora_B.weight": (40, RANK),
        }

        said = refusal(write_peft(tmp_path / "a", ONE | head), base_header("gemma2"))

        assert "It changes the output layer, and this model has none of its own." in said

    def test_an_architecture_that_nobody_has_checked_is_refused(self, tmp_path) -> None:
        base = GgufHeader(3, {"general.architecture": "mamba"}, (), 0)

        said = refusal(write_peft(tmp_path / "a", ONE), base)

        assert "Adapters for mamba models can't be converted." in said
        assert "gemma3" in said

    @pytest.mark.parametrize("layers", [0, -1, 1 << 40])
    def test_a_model_that_claims_absurd_layers_is_refused(self, tmp_path, layers) -> None:
        base = GgufHeader(3, {"general.architecture": "llama", "llama.block_count": layers}, (), 0)

        assert "how many layers it has" in refusal(write_peft(tmp_path / "a", ONE), base)

    def test_rows_that_are_not_whole_heads_are_refused(self, tmp_path) -> None:
        query = "base_model.model.model.layers.0.self_attn.q_proj"
        shapes = {f"{query}.lora_A.weight": (RANK, N_EMBD), f"{query}.lora_B.weight": (30, RANK)}

        said = refusal(write_peft(tmp_path / "a", shapes))

        assert "which are not 4 heads" in said
        assert "Choose the model that it was trained on." in said


class TestFilesThatNobodyVouchesFor:
    @pytest.mark.parametrize("name", ["adapter_model.bin", "adapter_model.pt"])
    def test_a_pickle_is_never_opened(self, tmp_path, name) -> None:
        folder = write_peft(tmp_path / "a", ONE)
        (folder / "adapter_model.safetensors").unlink()
        getattr(os, "mkfifo", Path.touch)(folder / name)  # opening a pipe would hang

        said = refusal(folder)

        assert f"The adapter's weights are in “{name}”, which is not opened." in said
        assert "It is a pickle: a program that runs when it is read" in said
        assert not is_peft_folder(folder)

    def test_weights_that_are_missing_are_said(self, tmp_path) -> None:
        folder = write_peft(tmp_path / "a", ONE)
        assert is_peft_folder(folder)
        (folder / "adapter_model.safetensors").unlink()

        assert "The adapter's weights are missing" in refusal(folder)

    def test_a_folder_without_settings_is_said(self, tmp_path) -> None:
        (tmp_path / "a").mkdir()

        assert "There is no adapter in “a”." in refusal(tmp_path / "a")

    @pytest.mark.parametrize(
        "settings",
        [
            b"",
            b"[]",
            b"{",
            b"\xff\xfe",
            b'{"peft_type": "LORA"}',
            b'{"peft_type": "LORA", "r": 8}',
            b'{"peft_type": "LORA", "r": -1, "lora_alpha": 8}',
            b'{"peft_type": "LORA", "r": true, "lora_alpha": 8}',
            b'{"peft_type": "LORA", "r": 1e300, "lora_alpha": 8}',
            b'{"peft_type": "LORA", "r": 8, "lora_alpha": "8"}',
            b'{"peft_type": "LORA", "r": 8, "lora_alpha": 1e300}',
            b'{"peft_type": "LORA", "r": 8, "lora_alpha": 1' + b"0" * 400 + b"}",
            b'{"peft_type": "LORA", "r": 8, "lora_alpha": 8, "alpha_pattern": [1]}',
            b'{"a":' + b"[" * 100_000,
            b'{"peft_type": "LORA", "x": "' + b"x" * (2 << 20) + b'"}',
        ],
    )
    def test_settings_that_are_none_are_said(self, tmp_path, settings) -> None:
        folder = write_peft(tmp_path / "a", ONE)
        (folder / "adapter_config.json").write_bytes(settings)

        assert "“adapter_config.json” is damaged." in refusal(folder)

    @pytest.mark.parametrize(
        ("tensor", "said"),
        [
            ({"dtype": "F32", "shape": [3, 48], "data_offsets": [0, 100]}, "where it should"),
            ({"dtype": "F32", "shape": [3, 48], "data_offsets": [-576, 0]}, "where it should"),
            ({"dtype": "F32", "shape": [1 << 40, 1 << 40], "data_offsets": [0, 8]}, "where it"),
            ({"dtype": "F32", "shape": [0, 48], "data_offsets": [0, 0]}, "no usable shape"),
            ({"dtype": "F32", "shape": [-3, -48], "data_offsets": [0, 576]}, "no usable shape"),
            ({"dtype": "F32", "shape": [1] * 100, "data_offsets": [0, 4]}, "no usable shape"),
            ({"dtype": "F64", "shape": [3, 48], "data_offsets": [0, 1152]}, "stored as F64"),
            ({"dtype": 7, "shape": [3, 48], "data_offsets": [0, 576]}, "can't be understood"),
            ({"shape": [3, 48]}, "can't be understood"),
            ([], "can't be understood"),
        ],
    )
    def test_a_header_that_lies_is_said(self, tmp_path, tensor, said) -> None:
        folder = write_peft(tmp_path / "a", ONE)
        header = json.dumps({f"{LAYER}.lora_A.weight": tensor}).encode()
        data = len(header).to_bytes(8, "little") + header + bytes(576)
        (folder / "adapter_model.safetensors").write_bytes(data)

        assert said in refusal(folder)

    @pytest.mark.parametrize("size", [0, 4, 8, 100, 1500])
    def test_a_file_that_is_cut_short_is_said(self, tmp_path, size) -> None:
        folder = write_peft(tmp_path / "a", ONE)
        path = folder / "adapter_model.safetensors"
        assert path.stat().st_size > 1500 - 576
        path.write_bytes(path.read_bytes()[: min(size, path.stat().st_size - 1)])

        assert "“adapter_model.safetensors” is damaged." in refusal(folder)

    def test_a_header_that_claims_gigabytes_is_said(self, tmp_path) -> None:
        folder = write_peft(tmp_path / "a", ONE)
        path = folder / "adapter_model.safetensors"
        with path.open("r+b") as file:
            file.write((1 << 62).to_bytes(8, "little"))

        assert "cut short" in refusal(folder)

    def test_tensors_that_overlap_are_said(self, tmp_path) -> None:
        folder = write_peft(tmp_path / "a", ONE)
        tensor = {"dtype": "F32", "shape": [3, 48], "data_offsets": [0, 576]}
        header = json.dumps({"a": tensor, "b": tensor}).encode()
        data = len(header).to_bytes(8, "little") + header + bytes(576)
        (folder / "adapter_model.safetensors").write_bytes(data)

        assert "“a” and “b” overlap" in refusal(folder)

    @pytest.mark.parametrize("value", [math.nan, math.inf])
    def test_weights_that_are_no_numbers_are_said(self, tmp_path, value) -> None:
        folder = write_peft(tmp_path / "a", ONE)
        tensors = {name: values(shape, 1) for name, shape in ONE.items()}
        tensors[f"{LAYER}.lora_B.weight"][3, 1] = value
        write_safetensors(folder / "adapter_model.safetensors", tensors)

        assert "holds values that are no numbers" in refusal(folder)

    @pytest.mark.parametrize("name", ["../../x", "x\n\x1b[31m", "x" * 100_000, ""])
    def test_names_of_tensors_are_no_paths_and_no_commands(self, tmp_path, name) -> None:
        said = refusal(write_peft(tmp_path / "a", ONE | {name: (2, 2)}))

        assert len(said) < 500
        assert said.isprintable()

    def test_no_flipped_byte_breaks_it(self, tmp_path) -> None:
        folder = write_peft(tmp_path / "a", ONE)
        whole = {path: path.read_bytes() for path in folder.iterdir()}
        rng = random.Random(4)
        for path, data in whole.items():
            for _ in range(150):
                place = rng.randrange(min(len(data), 600))
                path.write_bytes(data[:place] + rng.randbytes(1) + data[place + 1 :])
                with contextlib.suppress(CatalogError):
                    convert(folder)
            path.write_bytes(data)
        assert {path.name for path in tmp_path.iterdir()} <= {"a", "out.gguf"}
