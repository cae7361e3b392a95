"""Ollama's client, answered by real workers."""

from typing import Literal

import ollama
import pytest
from pydantic import BaseModel

from backends.llama_cpp.backend import LlamaCppBackend

QUESTION = ({"role": "user", "content": "What is the capital of France?"},)


class Person(BaseModel):
    name: Literal["Ann", "Bob"]
    age: Literal[30, 31]


def weather(place: str) -> str:
    """The weather at a place.

    Args:
        place: The name of a town.
    """
    return place


def test_a_worker_s_words_come_through(real_server):
    with ollama.Client(real_server.url) as client:
        answer = client.chat("polite", messages=QUESTION)
        assert answer.message.content == "Good morning."
        assert answer.load_duration + answer.prompt_eval_duration + answer.eval_duration == (
            answer.total_duration
        )
        parts = list(client.chat("polite", messages=QUESTION, stream=True))
        assert "".join(part.message.content for part in parts) == "Good morning."
        assert parts[-1].prompt_eval_count == answer.prompt_eval_count
        assert client.generate("polite", "").done_reason == "load"
        (running,) = client.ps().models
        assert running.context_length > 0
        assert client.show("polite").modelinfo["general.architecture"] == "llama"
        said = client.chat("polite", messages=QUESTION, logprobs=True, top_logprobs=2).logprobs
        assert "".join(each.token for each in said) == "Good morning."
        assert len(said[0].top_logprobs) == 2


@pytest.mark.model
def test_the_starter_keeps_to_a_schema_and_takes_tools(make_server, library, starter_model):
    model = library.add_file(starter_model)
    server = make_server(LlamaCppBackend())
    with ollama.Client(server.url) as client:
        answer = client.chat(
            model.id,
            messages=[{"role": "user", "content": "Ann is 31. Tell of her as JSON."}],
            format=Person.model_json_schema(),
            options={"temperature": 0, "seed": 1},
        )
        assert Person.model_validate_json(answer.message.content).name
        short = {"num_predict": 4}
        parts = list(client.chat(model.id, messages=QUESTION, stream=True, options=short))
        assert len(parts) > 2
        assert (parts[-1].done_reason, parts[-1].eval_count) == ("length", 4)
        assert client.chat(model.id, messages=QUESTION, tools=[weather], options=short).done
