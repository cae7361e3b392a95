"""A text to go on with, without messages or a template."""

from pathlib import Path

import pytest

from backends.errors import PromptTooLong
from backends.llama_cpp.answers import GivenAnswers
from backends.llama_cpp.model import Model
from backends.llama_cpp.prompt import PromptWriter
from backends.llama_cpp.templates import JinjaTemplate
from backends.protocol import ChatRequest, ReasoningDelta, Sampling
from backends.testing import last, text_of
from tests.backends.conftest import OpenSession
from tests.gguf_files import CHATML, write_model

GREEDY = Sampling(temperature=0)


def test_a_text_is_read_as_it_stands(model: Model) -> None:
    template = JinjaTemplate(CHATML, bos=model.bos, eos=model.eos)
    writer = PromptWriter(model, template, GivenAnswers(model), 512)
    text = "Once <|im_end|> upon"
    tokens = writer.write(ChatRequest(prompt=text)).tokens
    assert tokens == model.tokenize(text, starts_prompt=True)
    assert tokens[0] == model.tokenize("<s>")[0]
    assert model.tokenize("<|im_end|>")[0] in tokens
    assert writer.write(ChatRequest(prompt=f"<s>{text}")).tokens == tokens
    assert writer.write(ChatRequest(prompt="")).tokens


def test_what_follows_comes_as_it_is(open_session: OpenSession, tmp_path: Path) -> None:
    says = ("  <think>", "Hm", "</think>", " <tool_call>")
    session = open_session(write_model(tmp_path / "tiny.gguf", says=says))
    events = list(session.chat(ChatRequest(prompt="Say:\n", sampling=GREEDY)))
    assert text_of(events) == "  <think>Hm</think> <tool_call>"
    assert not any(isinstance(event, ReasoningDelta) for event in events)
    assert last(events).reason == "stop"
    assert last(events).stop_text == ""


def test_the_same_text_is_read_once(open_session: OpenSession, tiny_model: Path) -> None:
    session = open_session(tiny_model, n_ctx=512)
    request = ChatRequest(prompt="Once upon a time", sampling=GREEDY, max_tokens=4)
    first, second = (last(list(session.chat(request))).usage for _ in range(2))
    assert first.cached_tokens == 0
    assert second.cached_tokens == first.prompt_tokens - 1


def test_the_stop_string_that_ended_it_is_named(open_session: OpenSession, tmp_path: Path) -> None:
    session = open_session(
        write_model(tmp_path / "tiny.gguf", says=("one", " two", " three", " four"))
    )
    request = ChatRequest(prompt="\n", sampling=GREEDY, stop=("four", "thr", "e f"))
    events = list(session.chat(request))
    assert text_of(events) == "one two "
    assert last(events).stop_text == "thr"
    assert last(events).reason == "stop"


def test_a_text_that_does_not_fit_is_refused_with_figures(
    open_session: OpenSession, tiny_model: Path
) -> None:
    session = open_session(tiny_model, n_ctx=256)
    with pytest.raises(PromptTooLong) as error:
        list(session.chat(ChatRequest(prompt="x" * 1000)))
    assert "256" in error.value.why
