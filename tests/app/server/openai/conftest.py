"""OpenAI's own client, on a server of ours."""

from collections.abc import Iterator

import openai
import pytest

from tests.app.server.conftest import Served


@pytest.fixture
def client(server: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0) as client:
        yield client
