"""A `ChatRequest` as the service takes it: never a field that it is known to refuse."""

import base64
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from backends.errors import BadGrammar, Unsupported
from backends.openai_compatible.fields import decoded
from backends.openai_compatible.provider import Provider
from backends.openai_compatible.refusals import Complaint
from backends.openai_compatible.samplers import sampling_fields
from backends.openai_compatible.strict import is_strict
from backends.protocol import (
    ChatRequest,
    Grammar,
    Image,
    Message,
    TokenBias,
    Tool,
)

_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_TOOL_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_MOST_LOGPROBS_OF_TEXT = 5
_SEEDS = 2**31
_NOT_TAKEN = re.compile(
    r"(un|not? |n't )support|unrecogni|unknown|unexpected|extra |not (permitted|allowed)|deprecated"
    r"|cannot both|only the default"
)
_CODES = ("unsupported_parameter", "unsupported_value", "unknown_parameter")
# Leaving these out changes nothing that was asked for, or it is done here in the service's place.
_QUIETLY = frozenset(
    ("max_tokens", "max_completion_tokens", "stream_options", "seed", "random_seed", "stop")
)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request ready to be sent: `path` below the base URL, and `body`.

    Fields of `optional` may be left out if the service refuses them. `url` is another base URL, where
    the usual one can't do it. `seed` is the one that is sent, 0 if none is. `warnings` are sentences.
    """

    path: str
    body: Mapping[str, Any]
    optional: frozenset[str]
    seed: int
    url: str = ""
    warnings: tuple[str, ...] = ()

    def without(self, field: str) -> "Asked":
        """The same without a field that is refused."""
        body = {name: value for name, value in self.body.items() if name != field}
        # The longer name is the newer, and models that want the one refuse the other.
        successor = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
        if field in successor:
            body[successor[field]] = self.body[field]
        warning = f"This model does not take the option {field}, so it answers without."
        return Asked(
            path=self.path,
            body=body,
            optional=self.optional - {field},
            seed=0 if field in ("seed", "random_seed") else self.seed,
            url=self.url,
            warnings=self.warnings if field in _QUIETLY else (*self.warnings, warning),
        )


def refused_field(asked: Asked, complaint: Complaint) -> str:
    """The field of a request that a service does not take, where it can do without; else empty."""
    if complaint.status not in (400, 422):
        return ""
    text = complaint.text
    if not _NOT_TAKEN.search(text) and not text.startswith(_CODES):
        return ""
    if complaint.param in asked.optional:
        return complaint.param
    named = (each for each in asked.optional if re.search(rf"\b{re.escape(each)}\b", text))
    return max(named, key=lambda each: (-text.index(each), len(each)), default="")


def asked_of(request: ChatRequest, model: str, provider: Provider, name: str, seed: int) -> Asked:
    """The request for the service that is called `name`, with `seed` where none is given.

    Raises Unsupported for what the service can't do, and BadGrammar.
    """
    _refuse_what_it_lacks(request, provider, name)
    body: dict[str, Any] = {"model": model, "stream": True}
    if provider.stream_options:
        body["stream_options"] = {"include_usage": True}
    options = sampling_fields(request, provider)
    if provider.seed:
        seed = request.sampling.seed % _SEEDS if request.sampling.seed >= 0 else seed
        options[provider.seed] = seed
    if request.max_tokens >= 0:
        options[provider.max_tokens] = request.max_tokens
    if request.stop:
        options["stop"] = list(request.stop[: provider.max_stops])
    warnings = _add_biases(options, request.sampling.logit_bias, provider, name)
    url = ""
    if request.prompt is not None:
        body["prompt"] = _well_formed(str(request.prompt))
        if request.logprobs >= 0:
            body["logprobs"] = min(request.logprobs, _MOST_LOGPROBS_OF_TEXT)
    else:
        messages = _messages(request, provider)
        if request.continue_last and provider.continuation is not None:
            messages[-1].update(provider.continuation.message)
            body.update(provider.continuation.body)
            url = provider.continuation.url
        body["messages"] = messages
        _add_tools(body, request, provider)
        if request.logprobs >= 0:
            body["logprobs"] = True
            body["top_logprobs"] = min(request.logprobs, provider.top_logprobs)
    if request.grammar is not None:
        _add_grammar(body, request.grammar, provider, name)
    return Asked(
        path="/chat/completions" if request.prompt is None else "/completions",
        body=body | options,
        optional=frozenset(options) | {"stream_options"},
        seed=seed if provider.seed else 0,
        url=url,
        warnings=warnings,
    )


def _refuse_what_it_lacks(request: ChatRequest, provider: Provider, name: str) -> None:
    if request.adapters:
        raise Unsupported(
            f"{name} can't use adapters.",
            "They are added to models that run here.",
            "Take the adapters off, or choose a model on this computer.",
        )
    if request.prompt is not None and not provider.complete:
        raise Unsupported(
            f"{name} can't go on with a plain text.",
            "It answers chats alone.",
            "Use a chat, or another model.",
        )
    if request.suffix is not None:
        raise Unsupported(f"{name} can't fill in between two texts.", fix="Choose another model.")
    if request.echo or isinstance(request.prompt, tuple):
        raise Unsupported(
            f"{name} can't be asked about a prompt's tokens.",
            "Only models that run here give them.",
            "Send the text without “echo”, or choose a model on this computer.",
        )
    if request.continue_last and provider.continuation is None and request.prompt is None:
        raise Unsupported(
            f"{name} can't go on with an answer.",
            "It would begin a new one.",
            "Ask it to go on in a message of your own.",
        )
    if request.logprobs >= 0 and not provider.top_logprobs:
        raise Unsupported(f"{name} does not tell how likely its words were.")
    if request.tools and not provider.tools:
        raise Unsupported(
            f"{name} can't use tools.", fix="Switch them off, or choose another model."
        )
    if any(message.images for message in request.messages) and not provider.images:
        raise Unsupported(
            f"{name} can't look at pictures.", fix="Take them out, or choose another model."
        )


def _add_biases(
    options: dict[str, Any], biases: tuple[TokenBias, ...], provider: Provider, name: str
) -> tuple[str, ...]:
    """The warnings of what can't be passed on."""
    if not biases:
        return ()
    if not provider.logit_bias:
        return (f"{name} takes no biases for tokens, so it answers without them.",)
    passed = {
        str(bias.token): min(max(-100.0, bias.bias), 100.0)
        for bias in biases
        if isinstance(bias.token, int)
    }
    if passed:
        options["logit_bias"] = passed
    if len(passed) == len(biases):
        return ()
    return (f"{name} takes biases for the numbers of tokens alone, not for texts.",)


def _messages(request: ChatRequest, provider: Provider) -> list[dict[str, Any]]:
    asked = [i for i, message in enumerate(request.messages) if message.role == "user"]
    turn = asked[-1] if asked else 0
    return [
        _message(message, provider.reasoning if i > turn else "")
        for i, message in enumerate(request.messages)
    ]


def _message(message: Message, reasoning: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"role": message.role, "content": _well_formed(message.content)}
    if message.images:
        parts: list[dict[str, Any]] = [_picture(image) for image in message.images]
        if message.content:
            parts.insert(0, {"type": "text", "text": fields["content"]})
        fields["content"] = parts
    if message.tool_calls:
        fields["content"] = fields["content"] or None
        fields["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.role == "tool":
        fields["tool_call_id"] = message.tool_call_id
    if reasoning and message.role == "assistant" and message.reasoning:
        fields[reasoning] = _well_formed(message.reasoning)
    return fields


def _well_formed(text: str) -> str:
    """The text without halves of characters, which JSON can't hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _picture(image: Image) -> dict[str, Any]:
    if image.media_type not in _PICTURES:
        raise Unsupported(
            f"Pictures of the kind {image.media_type[:50]} can't be sent.",
            fix="Use PNG, JPEG, GIF or WebP.",
        )
    data = base64.b64encode(image.data).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:{image.media_type};base64,{data}"}}


def _add_tools(body: dict[str, Any], request: ChatRequest, provider: Provider) -> None:
    if not request.tools:
        return
    body["tools"] = [_tool(tool) for tool in request.tools]
    if request.tool_choice != "auto":
        body["tool_choice"] = request.tool_choice
    if provider.explicit or not request.parallel_tool_calls:
        body["parallel_tool_calls"] = request.parallel_tool_calls


def _tool(tool: Tool) -> dict[str, Any]:
    if not _TOOL_NAME.fullmatch(tool.name):
        raise Unsupported(
            "A tool has a name that services do not take.",
            fix="Name it with letters, digits, “_” and “-” alone.",
        )
    parameters = _schema(tool.parameters, f"The parameters of the tool “{tool.name}”")
    function = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": function}


def _add_grammar(body: dict[str, Any], grammar: Grammar, provider: Provider, name: str) -> None:
    if grammar.kind == "gbnf":
        if not provider.gbnf:
            raise Unsupported(
                f"{name} can't be held to a grammar.",
                fix="Use a JSON schema, or choose a model on this computer.",
            )
        *outer, field = provider.gbnf.split(".")
        for each in outer:
            body = body.setdefault(each, {})
        body[field] = grammar.text
        return
    schema = _schema(grammar.text, "The JSON schema")
    if schema == {"type": "object"} and provider.json_object:
        body["response_format"] = {"type": "json_object"}
        return
    if not provider.json_schema:
        raise Unsupported(
            f"{name} can't be held to a JSON schema.",
            "It would answer as it likes.",
            "Ask for any JSON object, or choose another model."
            if provider.json_object
            else "Choose another model.",
        )
    body["response_format"] = {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": is_strict(schema)},
    }


def _schema(text: str, what: str) -> dict[str, Any]:
    try:
        schema = decoded(text.encode())
    except ValueError:
        raise BadGrammar(f"{what} is not valid JSON.", fix="Correct it.") from None
    if not isinstance(schema, dict):
        raise BadGrammar(f"{what} is no JSON object.", fix="Correct it.")
    return schema
