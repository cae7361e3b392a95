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
from backends.protocol import Message

MAX_TEMPLATE_LENGTH = 500_000
_LONGEST_DATE_PATTERN = 100
_LONGEST_JSON_SPACING = 32
_CHATML_MARK = "<|im_start|>"


class TemplateFailed(Exception):
    """A template could not be used; the text says why, for a person."""


class Template(Protocol):
    """Writes a prompt."""

    @property
    def source(self) -> str:
        """Where it comes from, in words."""
        ...

    def render(self, messages: Sequence[Message]) -> str:
        """The prompt, up to where an answer begins. Raises TemplateFailed."""
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
        self._merges_system = False
        self._try_out()

    def render(self, messages: Sequence[Message]) -> str:
        if self._merges_system:
            messages = _system_in_first_question(messages)
        self._environment.start()
        try:
            return self._template.render(
                messages=[_as_dict(message) for message in messages],
                add_generation_prompt=True,
                **self._special,
            )
        except Exception as error:
            # Whatever a stranger's program raises is its failure, not ours.
            raise TemplateFailed(_reason(error)) from error

    def _try_out(self) -> None:
        question = Message(role="user", content="question-probe")
        if question.content not in self.render([question]):
            raise TemplateFailed("it leaves out the messages")
        system = Message(role="system", content="system-probe")
        try:
            self._merges_system = system.content not in self.render([system, question])
        except TemplateFailed:
            self._merges_system = True


class BuiltInTemplate:
    """One of llama.cpp's own templates, which are no programs."""

    def __init__(self, selector: str, source: str) -> None:
        """`selector` is its name, or a Jinja text whose looks decide. Raises TemplateFailed."""
        self.source = source
        self._selector = selector.encode()
        self.render([Message(role="user", content="")])

    def render(self, messages: Sequence[Message]) -> str:
        chat = (native.llama_chat_message * len(messages))()
        for slot, message in zip(chat, messages, strict=True):
            slot.role = message.role.encode()
            slot.content = message.content.replace("\0", "").encode("utf-8", "replace")
        room = 0
        while True:
            buffer = ctypes.create_string_buffer(room + 1)
            length = native.llama_chat_apply_template(
                self._selector, chat, len(chat), True, buffer, room
            )
            if length < 0:
                raise TemplateFailed("llama.cpp has none like it")
            if length <= room:
                return buffer.raw[:length].decode("utf-8", "replace")
            room = length


class PlainText:
    """No template: a base model goes on with the text it is given."""

    source = "none: plain completion"

    def render(self, messages: Sequence[Message]) -> str:
        texts = [message.content for message in messages if message.content]
        if messages and messages[-1].role == "assistant":
            texts.append("")
        return "\n\n".join(texts)


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


def _as_dict(message: Message) -> dict[str, str]:
    fields = {"role": message.role, "content": message.content}
    return fields | ({"reasoning_content": message.reasoning} if message.reasoning else {})


def _system_in_first_question(messages: Sequence[Message]) -> Sequence[Message]:
    """Some templates know no system role: what it says then opens the first question."""
    if not messages or messages[0].role != "system":
        return messages
    system, *rest = messages
    if not rest or rest[0].role != "user":
        return [Message(role="user", content=system.content), *rest]
    return [Message(role="user", content=f"{system.content}\n\n{rest[0].content}"), *rest[1:]]


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__


def _raise(message: object) -> None:
    raise jinja2.TemplateError(str(message))


def _strftime_now(pattern: str) -> str:
    if len(pattern) > _LONGEST_DATE_PATTERN:  # the C library pads to any width it is told
        raise TemplateFailed("it makes too long a text")
    return datetime.now().strftime(pattern)


def _to_json(value: Any, ensure_ascii: bool = False, **options: Any) -> str:
    # Jinja's own filter of that name escapes for HTML, which no model expects.
    allowed = {key: options[key] for key in ("indent", "separators", "sort_keys") if key in options}
    # Both are repeated for each item at each depth, which no count of the value's length shows.
    for spacing in (allowed.get("indent"), *(allowed.get("separators") or ())):
        if (spacing if isinstance(spacing, int) else len(str(spacing))) > _LONGEST_JSON_SPACING:
            raise TemplateFailed("it makes too long a text")
    return json.dumps(value, ensure_ascii=ensure_ascii, **allowed)
