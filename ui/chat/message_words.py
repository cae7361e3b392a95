"""What is said about an answer besides the answer: its cost, its end, what produced it."""

from PySide6.QtCore import QCoreApplication

from app.connections.connections import is_of_service
from app.conversations.records import Message, Origin
from app.formatting import duration_text, token_speed_text, tokens_text
from app.options import CHAT_OPTIONS, Option, Value
from ui.chat.option_words import option_words

_LEAST_READ = 16  # tokens that tell a reading speed


def _tr(words: str) -> str:
    return QCoreApplication.translate("Messages", words)


def ending(message: Message) -> str:
    """How an answer ended, in words."""
    return {
        "streaming": _tr("Being written"),
        "complete": _tr("Finished"),
        "stopped": _tr("Stopped"),
        "length": _tr("Cut at the limit"),
        "interrupted": _tr("Interrupted"),
    }[message.status]


def summary(message: Message) -> str:
    """One line: speed, tokens and model; first how it ended, where it is not simply finished."""
    parts = [] if message.status in ("complete", "streaming") else [ending(message)]
    origin = message.origin
    if origin is not None:
        if origin.timings.tokens_per_second > 0:
            parts.append(token_speed_text(origin.timings.tokens_per_second))
        if origin.usage.completion_tokens > 0:
            parts.append(tokens_text(origin.usage.completion_tokens))
        if origin.model_name:
            parts.append(maker_words(origin))
    return " · ".join(parts)


def model_words(origin: Origin) -> str:
    """The model's name, with its quant where the name lacks it."""
    if origin.quant and origin.quant not in origin.model_name:
        return f"{origin.model_name} {origin.quant}"
    return origin.model_name


def came_from_service(message: Message) -> bool:
    """Whether a connected service answered, or was to."""
    return message.origin is not None and is_of_service(message.origin.backend)


def maker_words(origin: Origin) -> str:
    """The model, and what it was changed by: an adapter with its strength, or their number."""
    adapters = origin.adapters
    if not adapters:
        return model_words(origin)
    if len(adapters) > 1:
        added = _tr("{count} adapters").format(count=len(adapters))
    else:
        (adapter,) = adapters
        added = adapter.name if adapter.scale == 1 else f"{adapter.name} {adapter.scale:g}"
    return f"{model_words(origin)} + {added}"


def details(message: Message) -> list[tuple[str, str]]:
    """Everything known of an answer, as pairs of name and value."""
    rows: list[tuple[str, str]] = []
    origin = message.origin
    if origin is not None:
        usage, timings = origin.usage, origin.timings
        rows += [
            (_tr("Model"), model_words(origin)),
            (
                _tr("Service"),
                origin.model_id.partition(":")[0] if came_from_service(message) else "",
            ),
            (_tr("File"), origin.model_file),
            (_tr("SHA-256"), origin.model_sha256),
            (_tr("Chat template"), origin.template),
        ]
        for adapter in origin.adapters:
            rows += [
                (_tr("Adapter"), f"{adapter.name} · {adapter.scale:g}"),
                (_tr("Its SHA-256"), adapter.sha256),
            ]
        if usage.prompt_tokens or usage.completion_tokens:
            cached = _tr("{tokens}, {cached} of them known already")
            prompt = tokens_text(usage.prompt_tokens)
            if usage.cached_tokens:
                prompt = cached.format(tokens=prompt, cached=f"{usage.cached_tokens:,}")
            rows += [
                (_tr("Prompt"), prompt),
                (_tr("Answer"), tokens_text(usage.completion_tokens)),
            ]
        if timings.first_token_ms:
            rows.append((_tr("First token after"), duration_text(timings.first_token_ms / 1000)))
        new = usage.prompt_tokens - usage.cached_tokens
        if timings.prompt_ms > 0 and new >= _LEAST_READ:
            speed = token_speed_text(new / timings.prompt_ms * 1000)
            rows.append((_tr("Reading speed"), speed))
        if timings.tokens_per_second > 0:
            rows.append((_tr("Writing speed"), token_speed_text(timings.tokens_per_second)))
        rows.append((_tr("Seed"), str(origin.seed)))
        rows += [
            (_tr(option.title), option_words(option, origin.options[option.key]))
            for option in CHAT_OPTIONS
            if option.key in origin.options and _tells(option, origin.options[option.key])
        ]
    rows.append((_tr("Ended"), ending(message)))
    return [(name, value) for name, value in rows if value]


def _tells(option: Option, value: Value) -> bool:
    """Whether a setting belongs to how an answer came about: the usual ones always do."""
    if option.key == "seed":
        return False  # the one that was drawn is told
    if option.section in ("sampling", "length"):
        return True
    if option.kind in ("schema", "grammar"):
        return False  # pages long
    return option.section in ("advanced", "format") and value != option.default


def sentences(words: str) -> tuple[str, str]:
    """The first sentence of a problem, which is shown in bold, and the rest."""
    first, stop, rest = words.partition(". ")
    return (first + stop.strip(), rest) if rest else (words, "")
