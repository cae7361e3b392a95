"""Two processes of one home, but for the processes."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.engines import Engines
from app.lending.addresses import Addresses
from app.lending.lending import Borrowing, Lending
from backends.protocol import LoadOptions, Session
from tests.scripted_backend import ScriptedBackend


class Party:
    """A program of the home: its engines, what it lends, and the models that it loaded itself."""

    def __init__(self, folder: Path, backend: ScriptedBackend, unload_after: float) -> None:
        self.backend = backend
        self.addresses = Addresses(folder)
        self.engines = Engines(
            {"llama_cpp": backend},
            unload_after=lambda: unload_after,
            memory_check=lambda *_, **__: "",
            borrow=Borrowing(self.addresses),
        )
        self.lending = Lending(self.engines, self.addresses)

    def borrow(self, path: str, options: LoadOptions) -> Session | None:
        """What another party lends."""
        return Borrowing(self.addresses)(path, options, lambda: False, lambda: None)

    def close(self, patience_seconds: float = 0.0) -> None:
        self.lending.close(patience_seconds)
        self.engines.close()


MakeParty = Callable[..., Party]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lending"


@pytest.fixture
def make_party(folder: Path) -> Iterator[MakeParty]:
    """Parties on a scripted backend each, closed at the end of the test."""
    with contextlib.ExitStack() as stack:

        def make(
            *, parallel: bool = True, embeds: bool = False, unload_after: float = 0.0
        ) -> Party:
            backend = ScriptedBackend(parallel=parallel, embeds=embeds)
            party = Party(folder, backend, unload_after)
            stack.callback(party.close)
            return party

        yield make


@pytest.fixture
def host(make_party: MakeParty) -> Party:
    return make_party()


@pytest.fixture
def guest(make_party: MakeParty) -> Party:
    return make_party()
