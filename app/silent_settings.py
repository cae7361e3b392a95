"""Which settings of a chat change nothing with a model that somebody else runs."""

from app.connections.connections import backend_name, provider_of
from app.connections.records import Connection
from app.errors import AppError
from app.models import ChatModel, OfferedModel
from app.options import CHAT_OPTIONS
from app.services import Services
from backends.protocol import Capabilities


def silent_settings(services: Services, model: ChatModel | None) -> frozenset[str]:
    """Their keys. Of a model on this computer every setting counts."""
    if not isinstance(model, OfferedModel):
        return frozenset()
    try:
        capabilities = services.sessions.capabilities(model)
    except AppError:
        capabilities = Capabilities()  # it is gone, and an answer will say so
    connection = _connection_of(services, model)
    silent = _sections("template")
    if connection is not None or model.leaves:
        silent |= _sections("engine") | {"n_ctx", "answer_reserve", "thinking"}
        if capabilities.logprobs:
            silent.discard("logprobs")
    if not capabilities.adapters:
        silent.add("adapters")
    if not capabilities.grammar:
        silent |= _sections("format")
    if connection is not None:
        silent |= _sections("sampling", "advanced") - _taken(connection)
    return frozenset(silent)


def _connection_of(services: Services, model: OfferedModel) -> Connection | None:
    all_ = services.connections.all()
    return next((each for each in all_ if backend_name(each) == model.backend), None)


def _taken(connection: Connection) -> set[str]:
    """The settings of sampling that the service takes."""
    provider = provider_of(connection.provider)
    taken = set(provider.samplers)
    if provider.seed:
        taken.add("seed")
    if provider.logit_bias:
        taken.add("logit_bias")
    return taken


def _sections(*sections: str) -> set[str]:
    return {option.key for option in CHAT_OPTIONS if option.section in sections}
