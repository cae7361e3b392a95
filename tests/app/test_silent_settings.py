"""Which settings change nothing with a model that somebody else runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.models import OfferedModel
from app.paths import paths_under
from app.services import Services, open_services
from app.silent_settings import silent_settings


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with open_services(paths_under(tmp_path / "home")) as services:
        yield services


def offered(services: Services, provider: str, leaves: bool) -> OfferedModel:
    connection = services.connections.add(provider)
    return OfferedModel(
        id=f"{connection.id}:m",
        name="m",
        backend=f"connection {connection.id}",
        model="m",
        source=connection.title,
        leaves=leaves,
    )


def test_of_a_model_here_every_setting_counts(services: Services) -> None:
    assert silent_settings(services, None) == frozenset()


def test_a_service_takes_some_samplers_and_nothing_of_our_engine(services: Services) -> None:
    silent = silent_settings(services, offered(services, "openai", True))
    assert {"top_k", "min_p", "mirostat", "adapters", "n_ctx", "answer_reserve", "lookup"} <= silent
    assert not {"temperature", "top_p", "seed", "max_tokens", "system_prompt"} & silent


def test_a_llama_server_takes_more(services: Services) -> None:
    silent = silent_settings(services, offered(services, "llama-server", False))
    assert not {"top_k", "min_p", "mirostat", "dry_multiplier"} & silent
    assert {"n_ctx", "gpu_layers"} <= silent


def test_a_plug_in_that_is_gone_does_not_break_the_chat(services: Services) -> None:
    gone = OfferedModel(
        id="parrot:p", name="p", backend="parrot", model="p", source="parrot", leaves=False
    )
    assert "adapters" in silent_settings(services, gone)
