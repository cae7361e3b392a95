"""What there is to know of a service that speaks the OpenAI API: data, without any behaviour."""

from collections.abc import Mapping
from typing import Any

import msgspec


class Continuation(msgspec.Struct, frozen=True, kw_only=True):
    """How a service goes on with the last message.

    `message` and `body` are fields to add to that message and to the request. `url`: the base URL
    that can do it, where that is not the usual one.
    """

    message: Mapping[str, Any] = {}
    body: Mapping[str, Any] = {}
    url: str = ""


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """How the answer to `GET /models` reads. Fields inside of fields are written with a dot.

    `query` is added to the address. `key_header` takes the key there, where it is not the usual one,
    and `headers` go with it. The first of `names` and `contexts` (in tokens) that an item has is
    taken. An item is left out if its `kind` is among `other_kinds`, if its id has one of `not_chat`,
    if one of `unless` has that value, or if its `outputs` name no text.
    """

    query: str = ""
    key_header: str = ""
    headers: Mapping[str, str] = {}
    names: tuple[str, ...] = ("display_name", "name")
    contexts: tuple[str, ...] = (
        "context_length",
        "context_window",
        "max_context_length",
        "max_model_len",
        "max_input_tokens",
        "meta.n_ctx",
        "meta.n_ctx_train",
    )
    kind: str = "type"
    embedding_kinds: tuple[str, ...] = ("embedding", "embeddings")
    other_kinds: tuple[str, ...] = (
        "audio",
        "image",
        "moderation",
        "rerank",
        "transcribe",
        "video",
    )
    outputs: str = "architecture.output_modalities"
    unless: tuple[tuple[str, Any], ...] = ()
    not_chat: tuple[str, ...] = ()
    embeds: tuple[str, ...] = ("embed",)


OPENAI_SAMPLERS: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "top_p",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A service that speaks the OpenAI API, and how far.

    Of it a person sees `title`, `url` (the base URL with its `/v1`, empty where it has to be
    given), `key_page` (where to get a key) and `privacy` (where what they write goes), with
    `privacy_page`. `key_variable` is the environment variable that usually holds the key.

    The rest says what a request may hold. `samplers` maps fields of `Sampling` to fields of the
    request; with `explicit`, samplers that are off are sent too, as the service has defaults of its
    own. `seed` and `max_tokens` name the fields for these. `gbnf` is the field for a grammar, with dots
    where it lies inside of others; empty: it takes none. `reasoning` is the field in which it wants
    the thinking of the turn that goes on. `top_logprobs`: so many alternatives at most, 0: none.
    `max_stops`: so many stop texts at most. `elsewhere`: endings of models that a service on this
    computer only passes on.
    """

    id: str
    title: str
    url: str
    needs_key: bool
    privacy: str
    privacy_page: str = ""
    key_variable: str = ""
    key_page: str = ""
    model_list: ModelList = ModelList()
    samplers: Mapping[str, str] = msgspec.field(default_factory=lambda: OPENAI_SAMPLERS)
    explicit: bool = False
    seed: str = "seed"
    max_temperature: float = 2.0
    max_tokens: str = "max_tokens"
    max_stops: int = 4
    logit_bias: bool = False
    stream_options: bool = True
    top_logprobs: int = 20
    images: bool = True
    tools: bool = True
    json_object: bool = True
    json_schema: bool = True
    gbnf: str = ""
    reasoning: str = ""
    complete: bool = False
    embed: bool = False
    continuation: Continuation | None = None
    elsewhere: tuple[str, ...] = ()


def runs_elsewhere(provider: Provider, model: str) -> bool:
    """Whether the service passes the model on to another computer, though it runs on this one."""
    return model.endswith(provider.elsewhere) if provider.elsewhere else False
