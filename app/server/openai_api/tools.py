"""Tools that a model may ask for, and formats that it has to keep to, in the OpenAI API."""

import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from app.server.failures import Failure
from app.server.openai_api.fields import json_text
from backends import protocol
from backends.protocol import Grammar

_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,128}")
_MOST_TOOLS = 256
_ANY_OBJECT = '{"type":"object"}'

Chosen = tuple[tuple[protocol.Tool, ...], protocol.ToolChoice]


class FunctionTool(msgspec.Struct, frozen=True, kw_only=True):
    """`parameters` is a JSON schema."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class ChatTool(msgspec.Struct, frozen=True, kw_only=True):
    type: Literal["function"] = "function"
    function: FunctionTool


class NamedFunction(msgspec.Struct, frozen=True):
    name: str


class NamedTool(msgspec.Struct, frozen=True, kw_only=True):
    """This tool has to be called."""

    type: Literal["function"] = "function"
    function: NamedFunction


class JsonSchema(msgspec.Struct, frozen=True, kw_only=True):
    name: str = "answer"
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class ResponseFormat(msgspec.Struct, frozen=True, kw_only=True):
    """Some clients put the `schema` here, without the object around it that OpenAI wants."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None
    schema: dict[str, Any] | None = None


def chosen_tools(
    functions: Sequence[FunctionTool], choice: str, only: str, param: str = "tools"
) -> Chosen:
    """The tools of a request, where `only` names the one that has to be called. Raises `Failure`."""
    if len(functions) > _MOST_TOOLS:
        raise Failure("invalid", f"{param}: at most {_MOST_TOOLS} of them.", param=param)
    for each in functions:
        if not _NAME.fullmatch(each.name):
            raise Failure(
                "invalid",
                f"{param}: “{each.name[:50]}” is no name for a tool."
                " It has letters, digits, underscores, dots and dashes only.",
                param=param,
            )
    tools = tuple(_tool(each) for each in functions)
    if only:
        tools = tuple(tool for tool in tools if tool.name == only)
        if not tools:
            raise Failure(
                "invalid", f"tool_choice: there is no tool “{only[:50]}”.", param="tool_choice"
            )
        return tools, "required"
    if choice == "required" and not tools:
        raise Failure("invalid", "tool_choice: there are no tools.", param="tool_choice")
    return tools, msgspec.convert(choice, protocol.ToolChoice)


def grammar_of(kind: str, schema: dict[str, Any] | None, param: str) -> Grammar | None:
    """What an answer of that format must be. Raises `Failure`."""
    match kind:
        case "json_object":
            return Grammar("json_schema", json_text(schema) if schema else _ANY_OBJECT)
        case "json_schema":
            if schema is None:
                raise Failure("invalid", f"{param}: the schema is missing.", param=param)
            return Grammar("json_schema", json_text(schema))
    return None


def _tool(function: FunctionTool) -> protocol.Tool:
    parameters = function.parameters
    if not parameters:
        return protocol.Tool(name=function.name, description=function.description or "")
    return protocol.Tool(
        name=function.name,
        description=function.description or "",
        parameters=json_text(parameters),
    )
