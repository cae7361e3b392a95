"""OpenAI's client has texts gone on with, and lists models."""

import openai
import pytest

from tests.app.server.conftest import Served
from tests.scripted_backend import ScriptedBackend


class TestCompletions:
    def test_a_text_is_gone_on_with(self, client: openai.OpenAI, scripted: ScriptedBackend):
        answer = client.completions.create(model="polite", prompt="Once", stop="END", max_tokens=3)
        assert answer.choices[0].text == "Hello, world"
        assert answer.choices[0].finish_reason == "length"
        assert scripted.requests[0].prompt == "Once"
        assert scripted.requests[0].stop == ("END",)

    def test_an_answer_has_sixteen_tokens_unless_told(
        self, client: openai.OpenAI, scripted: ScriptedBackend
    ):
        client.completions.create(model="polite", prompt="Once")
        assert scripted.requests[0].max_tokens == 16

    def test_each_prompt_has_its_answers(self, client: openai.OpenAI):
        answer = client.completions.create(model="polite", prompt=["One", "Two"], n=2, echo=True)
        assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
        assert [choice.text for choice in answer.choices] == [
            "OneHello, world.",
            "OneHello, world.",
            "TwoHello, world.",
            "TwoHello, world.",
        ]

    def test_it_comes_in_pieces(self, client: openai.OpenAI):
        stream = client.completions.create(
            model="polite",
            prompt="Once",
            echo=True,
            stream=True,
            stream_options={"include_usage": True},
        )
        *chunks, last = stream
        assert "".join(chunk.choices[0].text for chunk in chunks) == "OnceHello, world."
        assert chunks[-1].choices[0].finish_reason == "stop"
        assert last.usage.completion_tokens == 4

    def test_probabilities_have_their_places_in_the_text(self, client: openai.OpenAI):
        answer = client.completions.create(model="polite", prompt="Once", logprobs=2)
        logprobs = answer.choices[0].logprobs
        assert logprobs.tokens == ["Hello", ",", " world", "."]
        assert logprobs.text_offset == [0, 5, 6, 12]

    @pytest.mark.parametrize(("field", "value"), [("prompt", [1, 2, 3]), ("prompt", ["a"] * 65)])
    def test_what_is_not_supported_is_refused(self, client: openai.OpenAI, field, value):
        asked = {"model": "polite", "prompt": "Once", field: value}
        with pytest.raises(openai.BadRequestError) as caught:
            client.completions.create(**asked)
        assert caught.value.param == field


class TestModels:
    def test_all_are_listed(self, client: openai.OpenAI):
        models = client.models.list().data
        assert [(model.id, model.owned_by) for model in models] == [("polite", "causeway")]
        assert models[0].created > 0

    def test_one_is_told_of(self, client: openai.OpenAI):
        assert client.models.retrieve("polite").id == "polite"
        for name in ("gpt-4o", "../polite", "a/b"):
            with pytest.raises(openai.NotFoundError):
                client.models.retrieve(name)

    def test_clients_of_anthropic_get_their_own_shape(self, server: Served):
        with server.client() as client:
            page = client.get("/v1/models", headers={"anthropic-version": "2023-06-01"}).json()
        assert page["data"][0]["type"] == "model"
        assert page["has_more"] is False
