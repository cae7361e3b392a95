"""The paths of llama.cpp's server, answered by real workers."""

from pathlib import Path

import ollama
import openai
import pytest

from backends.llama_cpp.backend import LlamaCppBackend
from catalog.library import Library
from tests.app.server.conftest import MakeServer, Served
from tests.gguf_encoders import write_encoder
from tests.gguf_files import write_model

MARKS = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")


@pytest.fixture
def coder(make_server: MakeServer, library: Library, tmp_path: Path) -> Served:
    """After the mark of the middle it says “between”."""
    library.add_file(
        write_model(tmp_path / "coder.gguf", says=(*MARKS, "bet", "ween"), control=MARKS)
    )
    return make_server(LlamaCppBackend())


def asked(server: Served, path: str, **fields) -> dict:
    with server.client() as client:
        answer = client.post(path, json=fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(server: Served, path: str, **fields) -> str:
    with server.client() as client:
        answer = client.post(path, json=fields)
    assert answer.status_code == 400, answer.text
    return answer.json()["error"]["message"]


class TestTokens:
    def test_a_text_becomes_tokens_and_a_text_again(self, real_server: Served):
        text = "hello ☕ <|im_end|>"
        tokens = asked(real_server, "/tokenize", content=text)["tokens"]
        assert asked(real_server, "/detokenize", tokens=tokens) == {"content": text}

    def test_special_tokens_are_there_where_they_are_wanted(self, real_server: Served):
        plain = asked(real_server, "/tokenize", content="x")["tokens"]
        begun = asked(real_server, "/tokenize", content="x", add_special=True)["tokens"]
        assert begun == [1, *plain]
        marked = asked(real_server, "/tokenize", content="<|im_end|>")["tokens"]
        spelt = asked(real_server, "/tokenize", content="<|im_end|>", parse_special=False)
        assert len(marked) == 1
        assert len(spelt["tokens"]) > 1
        assert asked(real_server, "/tokenize", content="")["tokens"] == []

    def test_pieces_are_texts_or_bytes(self, real_server: Served):
        pieces = asked(real_server, "/tokenize", content="x☕", with_pieces=True)["tokens"]
        assert [each["piece"] for each in pieces] == ["x", [0xE2], [0x98], [0x95]]

    def test_numbers_that_are_no_tokens_are_refused(self, real_server: Served):
        assert "no token" in refused(real_server, "/detokenize", tokens=[99_999])

    def test_a_model_for_vectors_tells_its_tokens_too(
        self, make_server: MakeServer, library: Library, tmp_path: Path
    ):
        library.add_file(write_encoder(tmp_path / "finder.gguf"))
        server = make_server(LlamaCppBackend())
        tokens = asked(server, "/tokenize", content="hello", model="finder")["tokens"]
        assert tokens
        assert "chat" in refused(
            server, "/apply-template", model="finder", messages=[{"role": "user", "content": "x"}]
        )

    def test_a_backend_without_tokens_refuses_in_words(self, server: Served):
        assert "tokens" in refused(server, "/tokenize", content="x")


def test_a_chat_becomes_the_prompt_that_the_model_reads(real_server: Served):
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
    ]
    prompt = asked(real_server, "/apply-template", messages=messages)["prompt"]
    assert prompt == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    begun = [*messages, {"role": "assistant", "content": "Good"}]
    assert asked(real_server, "/apply-template", messages=begun)["prompt"] == f"{prompt}Good"


class TestInfill:
    def test_what_stands_between_is_written(self, coder: Served):
        fields = {"input_prefix": "a = ", "input_suffix": " + c", "temperature": 0}
        answer = asked(coder, "/infill", **fields)
        assert answer["content"] == "between"
        assert answer["stop_type"] == "eos"
        assert answer["tokens_predicted"] == 2
        cut = asked(coder, "/infill", **fields, n_predict=1)
        assert (cut["content"], cut["stop_type"]) == ("bet", "limit")

    def test_it_comes_in_pieces(self, coder: Served):
        fields = {"prompt": "a = ", "input_extra": [{"filename": "b.py", "text": "b = 1"}]}
        with (
            coder.client() as client,
            client.stream(
                "POST", "/infill", json={**fields, "temperature": 0, "stream": True}
            ) as answer,
        ):
            lines = [line for line in answer.iter_lines() if line.startswith("data: ")]
        assert [line.count('"stop":true') for line in lines] == [0, 0, 1]

    def test_other_apis_have_it_as_suffix(self, coder: Served):
        with openai.OpenAI(base_url=f"{coder.url}/v1", api_key="any") as client:
            answer = client.completions.create(
                model="coder", prompt="a = ", suffix=" + c", temperature=0
            )
        assert answer.choices[0].text == "between"
        with ollama.Client(coder.url) as client:
            told = client.generate("coder", "a = ", suffix=" + c", options={"temperature": 0})
        assert told.response == "between"

    def test_a_model_that_was_not_trained_for_it_refuses(self, real_server: Served):
        said = refused(real_server, "/infill", input_prefix="a", input_suffix="b")
        assert "fill in" in said
