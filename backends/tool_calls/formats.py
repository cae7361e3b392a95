"""All the forms that are known, and which of them a model writes."""

from backends.tool_calls.call_format import CallFormat
from backends.tool_calls.deepseek import DEEPSEEK, DEEPSEEK_FENCED
from backends.tool_calls.gemma import FUNCTION_GEMMA, GEMMA_4
from backends.tool_calls.marked_json import HERMES, LLAMA_3
from backends.tool_calls.mistral import MISTRAL_LIST, MISTRAL_NAMED
from backends.tool_calls.qwen_coder import QWEN_CODER

FORMATS = (
    QWEN_CODER,
    HERMES,
    MISTRAL_NAMED,
    MISTRAL_LIST,
    FUNCTION_GEMMA,
    GEMMA_4,
    DEEPSEEK,
    DEEPSEEK_FENCED,
    LLAMA_3,
)
"""Where several signs are in a text, the first of them counts."""


def recognised(chat: str) -> CallFormat | None:
    """The form that a chat is written in which has a call of the tool `PROBE`, as templates write it."""
    tight = chat.replace(": ", ":").replace("> ", ">").replace("] ", "]")
    return next(
        (form for form in FORMATS if form.sign in chat or form.sign.replace(": ", ":") in tight),
        None,
    )
