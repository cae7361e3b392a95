"""Adapters converted here are those that llama.cpp's own converter writes, byte by byte.

The checksums are of the files that `convert_lora_to_gguf.py --base BASE --outtype f32` (f16 for
F16) of llama.cpp's commit 0c1e57098, the one in llama-cpp-python 0.3.36, made of the adapters that
`python -m tests.catalog.adapters.peft_files` writes.
"""

import hashlib
import threading

import pytest

from catalog.adapters.peft import convert_peft
from tests.catalog.adapters.peft_files import base_header, lora_shapes, write_peft

EXPECTED = {
    ("llama", "F32"): "8665c456a9e1f9d56004bd916172f3621c612c1948c1691a23a707da6eb4f17b",
    ("llama", "F16"): "26870f1a3ef662a1c7c3e19561b34d0c26a76bd5ad884ed821dde83321d1e798",
    ("llama", "BF16"): "7a69505664914d7ec9e2a2a4ad2d39f56d4ca62721ae14db0c7997f7b53c9648",
    ("mistral", "F32"): "cfe6601d2e827d65eb7ee67f3d72d35f6f9ceda26e0837f7f58cfe8a51c3f942",
    ("mistral", "F16"): "4fba858a9bda0c8de9c686c8ab476df5c77c6fe11796644d7b1a9576ce350ec8",
    ("mistral", "BF16"): "28820883b4dfa6893adb96a0af8a46d81312eb2f1efcbc72fdb32005d15085fb",
    ("smollm3", "F32"): "47ff187983bdfe4e3ce0a06f4fa0515063e7bda308e25e362b1e78a92d6dd65a",
    ("smollm3", "F16"): "b97bacd7fb1a8643f0e4a507b0156bfcd82502e07db72788fca2be37f82d49a7",
    ("smollm3", "BF16"): "e862e6492a175dc2660ad853f990520c11a078b7d05c31335bc2ab53ea15915b",
    ("granite", "F32"): "203f746393ed781433d6b7caddb468e4da5d54500fd2e8057cfcaa29a2941053",
    ("granite", "F16"): "34fd06949a84f1167416b3151bbb9fbdb95e466eafa0f89bcde12710500f991c",
    ("granite", "BF16"): "a90f604fb3bb84855256a9c05eb4f67088f63816a0ee12b71d401f2fd60ac851",
    ("arcee", "F32"): "e1e3e51efd46c1b519f7e851cfa2c9b740b88467418ff1e174637acc213daceb",
    ("arcee", "F16"): "1bb7d3135019989880e45062abfbbec2dd4ac6fed98e48c229c758f79fc4b12c",
    ("arcee", "BF16"): "ca19b5fd0e802ef9bf75c716078543e2d721cd8a5d51f502636394bd445343be",
    ("qwen2", "F32"): "515ec3437a35d1acb58a29b3be07ed12f41ca6cae7f8eac9353dbb0bc00ce488",
    ("qwen2", "F16"): "2d58d00a1d5bac96925e5dad35c47e164b08c36304c0a376bc3342b49a8b848d",
    ("qwen2", "BF16"): "d2cdee4986ea066aad49656554a62ad2db39a13c45acc969bdbe4969040ca46c",
    ("qwen3", "F32"): "d700c48a5d6dc55a8f64c802daf4ac5960a0068a6e14a3dfb9d0626f62c1d70b",
    ("qwen3", "F16"): "0ac3c5fcb9f84b6c22519c1de8fd2e071aab82290de04b2be1644a63da7b7a43",
    ("qwen3", "BF16"): "62ecf91793918b9e0c628b4e9bc49fb820085fdf68e37c69adfb60106022dfc5",
    ("gemma", "F32"): "3e93e03664d8ddd0f78a748e5c3018e501484f739025feeb0df593c06c6d610b",
    ("gemma", "F16"): "e71782c62b70f6a9ea5087d69f218bdce43afa2ef3f9050b60b7d3d2de025230",
    ("gemma", "BF16"): "6f13c619ec0e0b5d2e6d26bfee000779a30a2e4c90b8e1fdff43390f5c315922",
    ("gemma2", "F32"): "282d1c3e5dbca1dfd2482c5bf049dc43f009f6e4d4b57997e0ec0dc8ad24ae6d",
    ("gemma2", "F16"): "800fe751a96f03f15d7e38971f1779f2a7e8fe8f3f60c265b9a93a4a3b320087",
    ("gemma2", "BF16"): "9c7f3aa116c51e5d422b4a40fc15d55f9ef3e33ad7215aaaf0cf661767cb7675",
    ("gemma3", "F32"): "e34ec28bb7c70299059ffef7cf62d2d86f7c34d6a0cde47c986828434a0339ce",
    ("gemma3", "F16"): "e5db0296745eeeb35ca1903f972c6f60903c3be36c344b606c693d7f8ebc943a",
    ("gemma3", "BF16"): "2425707d7eec19ad7f7d1cee4696e69f8e0a816894312e993abf2ea2b0b37ee5",
    ("phi3", "F32"): "7f982021f5c7acac77c6831162b35c2f74ddc30637e0c146b869281a9206a4ac",
    ("phi3", "F16"): "ad70d09da7a4232dcafe06dd8cac780e56df094b8d4567293bf5cec8991df77a",
    ("phi3", "BF16"): "fa9f0bb93df2322f89e9b388669553e587193cd2524cece83ca521e1d0635f85",
}


@pytest.mark.parametrize(("family", "stored"), EXPECTED)
def test_an_adapter_is_converted_as_llama_cpp_does(tmp_path, family, stored) -> None:
    folder = write_peft(tmp_path / "adapter", lora_shapes(family), stored=stored)
    out = tmp_path / "out.gguf"

    convert_peft(
        folder,
        [base_header(family)],
        out,
        name="Adapter",
        on_progress=lambda part: None,
        cancelled=threading.Event(),
    )

    assert hashlib.sha256(out.read_bytes()).hexdigest() == EXPECTED[family, stored]
