"""OpenAI's client has a prompt scored by a real worker, and sends numbers of tokens."""

from collections.abc import Iterator

import openai
import pytest

from tests.app.server.conftest import Served

TEXT = "\nGood morning."


@pytest.fixture
def real(real_server: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{real_server.url}/v1", api_key="any", max_retries=0) as client:
        yield client


def test_a_prompt_is_scored(real: openai.OpenAI):
    choice = real.completions.create(
        model="polite", prompt=TEXT, echo=True, logprobs=1, max_tokens=0
    ).choices[0]
    told = choice.logprobs
    assert choice.text == TEXT == "".join(told.tokens)
    assert choice.finish_reason == "length"
    assert told.token_logprobs[0] is None
    assert told.top_logprobs[0] is None
    assert told.text_offset == [0, *(TEXT.index(token) for token in told.tokens[1:])]
    # It says just this, so each token is the likeliest in its place.
    assert all(
        logprob == max(top.values())
        for logprob, top in zip(told.token_logprobs[1:], told.top_logprobs[1:], strict=True)
    )


def test_one_token_more_is_one_entry_more_even_if_it_ends_the_answer(real: openai.OpenAI):
    """Programs that compare models leave the last entry out, and count."""
    asked = {"model": "polite", "prompt": TEXT, "echo": True, "logprobs": 1, "temperature": 0}
    scored = real.completions.create(**asked, max_tokens=0).choices[0]
    with_one = real.completions.create(**asked, max_tokens=1).choices[0]
    assert with_one.finish_reason == "stop"
    assert with_one.logprobs.tokens[:-1] == scored.logprobs.tokens
    assert with_one.logprobs.text_offset[-1] == len(TEXT)


def test_a_scored_prompt_comes_in_pieces(real: openai.OpenAI):
    stream = real.completions.create(
        model="polite", prompt=TEXT, echo=True, logprobs=0, max_tokens=0, stream=True
    )
    choices = [chunk.choices[0] for chunk in stream]
    assert "".join(choice.text for choice in choices) == TEXT
    tokens = [token for choice in choices if choice.logprobs for token in choice.logprobs.tokens]
    assert "".join(tokens) == TEXT


def test_nothing_is_written_where_nothing_is_asked_for(real: openai.OpenAI):
    answer = real.completions.create(model="polite", prompt="\n", max_tokens=0)
    assert answer.choices[0].text == ""
    assert answer.usage.completion_tokens == 0
    assert answer.usage.prompt_tokens > 0


def test_numbers_of_tokens_are_a_prompt(real: openai.OpenAI):
    numbers = [5 + byte for byte in b"\n"]
    for prompt, count in ((numbers, 1), ([numbers, numbers], 2), ([numbers, "\n"], 2)):
        answer = real.completions.create(model="polite", prompt=prompt, temperature=0, echo=True)
        assert [each.text for each in answer.choices] == ["\nGood morning."] * count


@pytest.mark.parametrize("prompt", [[], [[]], [1, "a"], [1, [2]], [-1], [2**31], [99_999]])
def test_what_is_no_prompt_is_refused(real: openai.OpenAI, prompt):
    with pytest.raises(openai.BadRequestError):
        real.completions.create(model="polite", prompt=prompt)


def test_numbers_of_tokens_have_the_vector_of_their_text(real: openai.OpenAI):
    numbers = [1, *(5 + byte for byte in b"xyz")]
    texts = real.embeddings.create(model="polite", input=["xyz"], encoding_format="float")
    for given in (numbers, [numbers]):
        tokens = real.embeddings.create(model="polite", input=given, encoding_format="float")
        assert tokens.data[0].embedding == pytest.approx(texts.data[0].embedding, abs=1e-4)
    with pytest.raises(openai.BadRequestError, match="tokenizer"):
        real.embeddings.create(model="polite", input=[[99_999]])


def test_a_backend_that_has_no_tokens_refuses_in_words(client: openai.OpenAI):
    for asked in (
        {"prompt": "Once", "echo": True, "logprobs": 1},
        {"prompt": [1, 2]},
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            client.completions.create(model="polite", **asked)
        assert caught.value.code == "unsupported"
