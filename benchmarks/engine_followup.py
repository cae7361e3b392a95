"""How much of a chat a follow-up question evaluates again."""

from pathlib import Path

from backends.llama_cpp.loaded_model import default_threads
from backends.protocol import Message
from benchmarks.engine_path import ask, session_on
from benchmarks.harness import Row
from benchmarks.starter import starter_model

TARGET = 8
QUESTIONS = (
    "Describe the sea in three sentences.",
    "Write the words hello, Straße, naïve and 你好 in a list.",
    "Count from ten to one in words.",
    "Write a short Python function that adds two numbers.",
    "Now say goodbye.",
)


def run(model: Path | None = None) -> list[Row]:
    beyond: list[int] = []
    regenerated: list[int] = []
    messages: list[Message] = []
    in_memory = 0
    with session_on(model or starter_model(), default_threads()) as session:
        for question in QUESTIONS:
            asked = Message(role="user", content=question)
            if messages:
                before = session.count_tokens(messages)
                new = session.count_tokens([*messages, asked]) - before
            messages.append(asked)
            text, usage = ask(session, messages)
            if in_memory:
                beyond.append(usage.prompt_tokens - usage.cached_tokens - new)
            _, again = ask(session, messages)
            regenerated.append(again.prompt_tokens - again.cached_tokens)
            text, usage = ask(session, messages)
            messages.append(Message(role="assistant", content=text))
            in_memory = usage.prompt_tokens + usage.completion_tokens
    worst = max(beyond)
    return [
        Row(
            "follow-up turn: tokens evaluated beyond the new ones, worst of four",
            worst,
            "tokens",
            f"≤ {TARGET}",
            worst <= TARGET,
            {"beyond": beyond, "regenerated": regenerated},
        )
    ]
