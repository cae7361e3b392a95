"""OpenAI's client and the starter model."""

import json
from pathlib import Path
from typing import Literal

import openai
import pytest
from pydantic import BaseModel

from backends.llama_cpp.backend import LlamaCppBackend
from catalog.library import Library
from tests.app.server.conftest import MakeServer

pytestmark = pytest.mark.model

ASK = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture
def client(make_server: MakeServer, library: Library, starter_model: Path):
    library.add_file(starter_model)
    server = make_server(LlamaCppBackend())
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        yield client


def test_it_answers_whole_and_in_pieces(client: openai.OpenAI):
    asked = {"model": "default", "messages": ASK, "temperature": 0, "max_tokens": 40}
    whole = client.chat.completions.create(**asked)
    stream = client.chat.completions.create(**asked, stream=True)
    pieces = [chunk.choices[0].delta.content or "" for chunk in stream]
    assert "".join(pieces) == whole.choices[0].message.content
    assert len(pieces) > 3


class Capital(BaseModel):
    city: Literal["Paris", "Rome"]
    country: Literal["France", "Italy"]


def test_it_keeps_to_a_schema(client: openai.OpenAI):
    answer = client.chat.completions.parse(
        model="default", messages=ASK, temperature=0, max_tokens=200, response_format=Capital
    )
    assert isinstance(answer.choices[0].message.parsed, Capital)
    response = client.responses.parse(
        model="default", input=ASK, temperature=0, max_output_tokens=200, text_format=Capital
    )
    assert isinstance(response.output_parsed, Capital)


def test_it_calls_a_tool_that_it_has_to(client: openai.OpenAI):
    tool = {
        "type": "function",
        "function": {
            "name": "find_city",
            "parameters": {
                "type": "object",
                "properties": {"name": {"enum": ["Paris", "Rome"]}},
                "required": ["name"],
            },
        },
    }
    answer = client.chat.completions.create(
        model="default",
        messages=ASK,
        temperature=0,
        max_tokens=100,
        tools=[tool],
        tool_choice="required",
        parallel_tool_calls=False,
    )
    (call,) = answer.choices[0].message.tool_calls
    assert call.function.name == "find_city"
    assert json.loads(call.function.arguments)["name"] in ("Paris", "Rome")
    assert answer.choices[0].finish_reason == "tool_calls"
