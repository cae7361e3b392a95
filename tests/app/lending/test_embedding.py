"""Vectors from a model that another process has loaded."""

import threading
from collections.abc import Sequence

import pytest

from app.lending import talk
from app.lending.guest import BorrowedSession
from app.lending.loan import _TEXTS_AT_ONCE
from backends.errors import EngineCrashed, PromptTooLong, Unsupported
from backends.protocol import Embeddings, LoadOptions
from catalog.library import InstalledModel
from tests.app.lending.conftest import MakeParty, Party
from tests.scripted_backend import ScriptedSession

OPTIONS = LoadOptions()
MANY = tuple(f"text {number}" for number in range(3 * _TEXTS_AT_ONCE))


def load(party: Party, model: InstalledModel) -> ScriptedSession:
    with party.engines.use(model, OPTIONS, lambda _: True):
        return party.backend.sessions[0]


def borrow(guest: Party, model: InstalledModel) -> BorrowedSession:
    session = guest.borrow(str(model.path), OPTIONS)
    assert isinstance(session, BorrowedSession)
    return session


@pytest.fixture
def host(make_party: MakeParty) -> Party:
    return make_party(embeds=True)


def test_many_texts_get_the_vectors_of_the_host_in_their_order(
    host: Party, guest: Party, model: InstalledModel
) -> None:
    own = load(host, model)
    session = borrow(guest, model)
    made = session.embed(MANY)
    expected = own.embed(MANY)
    assert made.tokens == expected.tokens
    for vector, one_of_the_host in zip(made.vectors, expected.vectors, strict=True):
        assert vector == pytest.approx(one_of_the_host, abs=1e-6)
    session.close()


def test_what_the_host_refuses_arrives_as_what_it_is(
    make_party: MakeParty, guest: Party, model: InstalledModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = make_party()
    own = load(host, model)
    session = borrow(guest, model)
    with pytest.raises(Unsupported) as unsupported:
        session.embed(["a cat"])
    assert unsupported.value.what == "This model makes no vectors."

    def refuse(texts: Sequence[str]) -> Embeddings:
        raise PromptTooLong("Text 1 of 2 is too long.")

    monkeypatch.setattr(own, "embed", refuse)
    with pytest.raises(PromptTooLong) as too_long:
        session.embed(["a", "b"])
    assert too_long.value.what == "Text 1 of 2 is too long."
    session.close()


def test_texts_that_are_too_much_to_hand_over_are_refused_in_words(
    host: Party, guest: Party, model: InstalledModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(host, model)
    session = borrow(guest, model)
    monkeypatch.setattr(talk, "MAX_MESSAGE_BYTES", 1000)
    with pytest.raises(PromptTooLong) as error:
        session.embed(["x" * 2000])
    assert "texts" in error.value.what
    assert session.embed(["x"]).vectors
    session.close()


def test_a_guest_that_leaves_ends_its_texts(
    host: Party, guest: Party, model: InstalledModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = load(host, model)
    began, may_go_on = threading.Event(), threading.Event()
    make = own.embed

    def wait_and_make(texts: Sequence[str]) -> Embeddings:
        began.set()
        may_go_on.wait()
        return make(texts)

    monkeypatch.setattr(own, "embed", wait_and_make)
    session = borrow(guest, model)
    errors: list[EngineCrashed] = []

    def embed() -> None:
        try:
            session.embed(MANY)
        except EngineCrashed as error:
            errors.append(error)

    asking = threading.Thread(target=embed)
    asking.start()
    began.wait()
    session.close()
    asking.join()
    assert errors
    while host.lending.guests:
        pass
    may_go_on.set()
    host.close()
    assert len(host.backend.embedded) == 1
