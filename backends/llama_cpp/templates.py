"""From messages to the text of a prompt: the file's own template, a built-in one, or none."""

import ctypes
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import jinja2
import llama_cpp.llama_cpp as native

from backends.llama_cpp.model import Model
from backends.llama_cpp.sandbox import BoundedEnvironment
from backends.llama_cpp.template_chat import GivenJson, as_dicts, one_call_each, text_of
from backends.protocol import Message, Tool, ToolCall
from backends.tainted import (
    Tainted,
    as_json_texts,
    as_tainted,
    raw,
    taint,
    taint_all,
    taint_answer,
)
from backends.tool_calls.call_format import PROBE, CallFormat
from backends.tool_calls.formats import recognised
from backends.tool_calls.in_words import declaration

MAX_TEMPLATE_LENGTH = 500_000
_LONGEST_DATE_PATTERN = 100
_LONGEST_JSON_SPACING = 32
_CHATML_MARK = "<|im_start|>"
_QUESTION = Message(role="user", content="question-probe")
_TOOL = Tool(name=PROBE, description="A probe.")
_RESULT = "result-probe"


class TemplateFailed(Exception):
    """A template could not be used; the text says why, for a person."""


class Template(Protocol):
    """Writes a prompt."""

    @property
    def source(self) -> str:
        """Where it comes from, in words."""
        ...

    @property
    def call_format(self) -> CallFormat | None:
        """The form of the tool calls that it writes; None: it knows no tools, and gets none."""
        ...

    @property
    def splits_calls(self) -> bool:
        """Whether it writes `one_call_each`, whatever the messages have."""
        ...

    def render(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        think: bool | None = None,
    ) -> Tainted:
        """The prompt, up to where an answer begins; what the messages say is tainted in it.

        Raises TemplateFailed.
        """
        ...


class JinjaTemplate:
    """A Jinja template, as a model's file brings it. It is a stranger's program, so sandboxed."""

    def __init__(self, text: str, *, bos: str, eos: str, source: str = "from the file") -> None:
        """Raises TemplateFailed for a template that can't be read or can't write a prompt."""
        self.source = source
        if len(text) > MAX_TEMPLATE_LENGTH:
            raise TemplateFailed("it is too long")
        self._special = {"bos_token": bos, "eos_token": eos}
        self._environment = BoundedEnvironment()
        self._environment.add_filter("tojson", _to_json)
        self._environment.globals.update(raise_exception=_raise, strftime_now=_strftime_now)
        try:
            self._template = self._environment.from_string(text)
        except Exception as error:
            raise TemplateFailed(_reason(error)) from error
        self.call_format: CallFormat | None = None
        self.splits_calls = False
        self._merges_system = False
        self._arguments_as_text = False
        self._try_out()
        self._try_out_tools()

    def render(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        think: bool | None = None,
    ) -> Tainted:
        if self._merges_system:
            messages = _system_in_first_question(messages)
        if self.splits_calls:
            messages = one_call_each(messages)
        self._environment.start()
        try:
            # Templates ask whether there are tools in ways that an empty list confuses.
            offered: dict[str, object] = {}
            if tools:
                offered["tools"] = [taint_all(declaration(tool)) for tool in tools]
            if think is not None:  # as the templates call it that know both ways
                offered["enable_thinking"] = offered["thinking"] = think
            prompt = self._template.render(
                messages=as_dicts(messages, arguments_as_text=self._arguments_as_text),
                add_generation_prompt=True,
                **offered,
                **self._special,
            )
        except Exception as error:
            # Whatever a stranger's program raises is its failure, not ours.
            raise TemplateFailed(_reason(error)) from error
        return as_tainted(prompt)

    def _try_out(self) -> None:
        if _QUESTION.content not in self.render([_QUESTION]):
            raise TemplateFailed("it leaves out the messages")
        system = Message(role="system", content="system-probe")
        try:
            self._merges_system = system.content not in self.render([system, _QUESTION])
        except TemplateFailed:
            self._merges_system = True

    def _try_out_tools(self) -> None:
        """Find out whether it knows tools, in which form, and how it wants to be given calls."""
        try:
            if PROBE not in self.render([_QUESTION], [_TOOL]).replace(_QUESTION.content, ""):
                return
        except TemplateFailed:
            return
        for self._arguments_as_text in (False, True):
            chat = self._tried(1)
            # Where a template pastes arguments into a text, Python writes an object in its own way.
            if '"key"' in chat or ("key" in chat and "'key'" not in chat):
                self.call_format = recognised(chat)
                break
        if self.call_format is not None and not self._tried(2):
            self.splits_calls = True

    def _tried(self, n_calls: int) -> str:
        """A chat with calls of a tool and what came of them; empty where it can't be written."""
        calls = tuple(ToolCall(f"call_{i}", PROBE, '{"key": "value"}') for i in range(n_calls))
        results = (Message(role="tool", content=_RESULT, tool_call_id=call.id) for call in calls)
        asked = Message(role="assistant", content="", tool_calls=calls)
        try:
            chat = self.render([_QUESTION, asked, *results], [_TOOL])
        except TemplateFailed:
            return ""
        return chat if chat.count(_RESULT) >= n_calls else ""


class BuiltInTemplate:
    """One of llama.cpp's own templates, which are no programs."""

    call_format = None
    splits_calls = False

    def __init__(self, selector: str, source: str) -> None:
        """`selector` is its name, or a Jinja text whose looks decide. Raises TemplateFailed."""
        self.source = source
        self._selector = selector.encode()
        self.render([Message(role="user", content="")])

    def render(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        think: bool | None = None,
    ) -> Tainted:
        chat = (native.llama_chat_message * len(messages))()
        for slot, message in zip(chat, messages, strict=True):
            slot.role = message.role.encode()
            slot.content = raw(_tainted_within(message)).encode("utf-8", "replace")
        room = 0
        while True:
            buffer = ctypes.create_string_buffer(room + 1)
            length = native.llama_chat_apply_template(
                self._selector, chat, len(chat), True, buffer, room
            )
            if length < 0:
                raise TemplateFailed("llama.cpp has none like it")
            if length <= room:
                return as_tainted(buffer.raw[:length].decode("utf-8", "replace"))
            room = length


class PlainText:
    """No template: a base model goes on with the text it is given."""

    source = "none: plain completion"
    call_format = None
    splits_calls = False

    def render(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        think: bool | None = None,
    ) -> Tainted:
        texts = [_tainted(message, message.content) for message in messages if message.content]
        if messages and messages[-1].role == "assistant":
            texts.append(as_tainted(""))
        return as_tainted("\n\n".join(texts))


def choose_template(model: Model, override: str = "") -> tuple[Template, str]:
    """The template to use, and a warning for the person (or an empty text).

    `override` is used instead of the file's own where it is not empty.
    """
    text = override.strip() or model.metadata("tokenizer.chat_template")
    if not text:
        return PlainText(), ""
    source = "given instead of the file's" if override.strip() else "from the file"
    try:
        return JinjaTemplate(text, bos=model.bos, eos=model.eos, source=source), ""
    except TemplateFailed as error:
        fallback = fallback_template(model)
        return fallback, fallback_warning(error, fallback)


def fallback_template(model: Model) -> Template:
    """What to use when the file's template fails: the built-in one that it resembles."""
    text = model.metadata("tokenizer.chat_template")
    try:
        return BuiltInTemplate(text, "built in, chosen by the looks of the file's")
    except TemplateFailed:
        if model.has_token(_CHATML_MARK):
            return BuiltInTemplate("chatml", "ChatML, built in")
        return PlainText()


def fallback_warning(error: TemplateFailed, fallback: Template) -> str:
    return (
        f"The model's chat template could not be used: {error}. "
        f"Another one stands in ({fallback.source}), so answers may be worse."
    )


def _system_in_first_question(messages: Sequence[Message]) -> Sequence[Message]:
    """Some templates know no system role: what it says then opens the first question."""
    if not messages or messages[0].role != "system":
        return messages
    system, *rest = messages
    if not rest or rest[0].role != "user":
        return [Message(role="user", content=system.content), *rest]
    return [Message(role="user", content=f"{system.content}\n\n{rest[0].content}"), *rest[1:]]


def _tainted(message: Message, text: str) -> Tainted:
    return taint_answer(text) if message.role == "assistant" else taint(text)


def _tainted_within(message: Message) -> str:
    """A content with the white space around it left as it is, for code that trims."""
    content = message.content.replace("\0", "")
    if isinstance(content, Tainted):
        return content
    within = content.strip()
    start = content.find(within)
    return content[:start] + raw(_tainted(message, within)) + content[start + len(within) :]


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__


def _raise(message: object) -> None:
    raise jinja2.TemplateError(str(message))


def _strftime_now(pattern: str) -> str:
    if len(pattern) > _LONGEST_DATE_PATTERN:  # the C library pads to any width it is told
        raise TemplateFailed("it makes too long a text")
    return datetime.now().strftime(pattern)


def _to_json(value: Any, ensure_ascii: bool = False, **options: Any) -> Tainted:
    # Jinja's own filter of that name escapes for HTML, which no model expects.
    if isinstance(value, GivenJson) and not options:
        return text_of(value)
    value = as_json_texts(value, ensure_ascii=ensure_ascii)
    allowed = {key: options[key] for key in ("indent", "separators", "sort_keys") if key in options}
    # Both are repeated for each item at each depth, which no count of the value's length shows.
    for spacing in (allowed.get("indent"), *(allowed.get("separators") or ())):
        if (spacing if isinstance(spacing, int) else len(str(spacing))) > _LONGEST_JSON_SPACING:
            raise TemplateFailed("it makes too long a text")
    # `as_json_texts` has escaped the texts already, as `ensure_ascii` says.
    return as_tainted(json.dumps(value, ensure_ascii=False, **allowed))
