"""Going back and forth between open conversations: only what is new is evaluated."""

from pathlib import Path

from backends.llama_cpp.loaded_model import default_threads
from backends.protocol import Message
from benchmarks.engine_path import ask, session_on
from benchmarks.harness import Row
from benchmarks.starter import starter_model

TARGET = 8
SUBJECTS = ("the sea", "a mountain", "an old library", "the night train")
QUESTIONS = (
    "Describe {subject} in three sentences.",
    "Who lives near {subject}?",
    "Write a line about {subject} for a postcard.",
)
BACKGROUND = "You are a patient writer who likes plain words and short sentences. " * 12


def run(model: Path | None = None) -> list[Row]:
    beyond: list[int] = []
    regenerated: list[int] = []
    system = Message(role="system", content=BACKGROUND)
    chats = {subject: [system] for subject in SUBJECTS}
    with session_on(model or starter_model(), default_threads()) as session:
        for question in QUESTIONS:
            for subject, messages in chats.items():
                asked = Message(role="user", content=question.format(subject=subject))
                goes_on = len(messages) > 1
                before = session.count_tokens(messages) if goes_on else 0
                messages.append(asked)
                new = session.count_tokens(messages) - before
                text, usage = ask(session, messages)
                if goes_on:
                    beyond.append(usage.prompt_tokens - usage.cached_tokens - new)
                messages.append(Message(role="assistant", content=text))
        for messages in chats.values():
            _, usage = ask(session, messages[:-1])
            regenerated.append(usage.prompt_tokens - usage.cached_tokens)
    return [
        _row("switching between four chats: tokens evaluated beyond the new ones, worst", beyond),
        _row("regenerate after switching: prompt tokens evaluated, worst", regenerated),
    ]


def _row(measure: str, tokens: list[int]) -> Row:
    worst = max(tokens)
    return Row(measure, worst, "tokens", f"≤ {TARGET}", worst <= TARGET, {"tokens": tokens})
