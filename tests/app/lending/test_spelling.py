"""Tokens told by a model that another process has loaded."""

import pytest

from backends.errors import Unsupported
from backends.protocol import Detokenize, LoadOptions, Question, Spelled, Tokenize
from catalog.library import InstalledModel
from tests.app.lending.conftest import MakeParty, Party

OPTIONS = LoadOptions()


def test_the_host_is_asked_for_tokens(
    make_party: MakeParty, guest: Party, model: InstalledModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = make_party()
    with host.engines.use(model, OPTIONS, lambda _: True):
        own = host.backend.sessions[0]

    def spell(question: Question) -> Spelled:
        if isinstance(question, Tokenize):
            return Spelled(tokens=(1, 2), pieces=(b"a", b"\xff"))
        raise Unsupported("This model has no token 7.")

    monkeypatch.setattr(own, "spell", spell, raising=False)
    session = guest.borrow(str(model.path), OPTIONS)
    assert session is not None
    assert session.spell(Tokenize(text="a")) == Spelled(tokens=(1, 2), pieces=(b"a", b"\xff"))
    with pytest.raises(Unsupported, match="no token 7"):
        session.spell(Detokenize((7,)))
    session.close()
