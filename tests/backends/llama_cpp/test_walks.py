"""Random walks through conversations, beside an oracle that evaluates everything from scratch."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from backends.llama_cpp.backend import LlamaCppBackend
from backends.llama_cpp.session import LlamaCppSession
from backends.protocol import AppliedAdapter, LoadOptions, Message, StateKeeping
from backends.testing import last, text_of
from tests.backends.llama_cpp.conversing import (
    adapters,
    ask_together,
    assistant,
    from_scratch,
    request,
    user,
)
from tests.gguf_files import write_adapter, write_model, write_recurrent_model

CONVERSATIONS = st.integers(0, 2)
QUESTIONS = st.sampled_from(["Hello", "And then?", "the ello thing " * 12, "x", "Why not, " * 40])
STEPS, WALKS = 14, 6
FULL = 500
"""Tokens of a conversation that is not asked any further: the context must hold it twice."""


class Walk(RuleBasedStateMachine):
    """`model` and `stacks` are set by the test."""

    model: Path
    stacks: list[tuple[AppliedAdapter, ...]]

    @initialize(memory=st.sampled_from([1, 150_000, 10**9]))
    def begin(self, memory: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.memory = memory
        self.session = self.opened(memory, keeps=True)
        self.oracle = self.opened(1, keeps=False)
        self.conversations: list[list[Message]] = [[], [], []]
        self.stack: tuple[AppliedAdapter, ...] = ()

    def opened(self, memory: int, *, keeps: bool) -> LlamaCppSession:
        keep = StateKeeping(folder=self.folder.name, limit_bytes=10**8) if keeps else None
        options = LoadOptions(n_threads=1, n_ctx=1024, memory_for_states=memory, keep=keep)
        return LlamaCppBackend().open(str(self.model), options, lambda _: True)

    @rule(which=CONVERSATIONS, question=QUESTIONS)
    def ask(self, which: int, question: str) -> None:
        conversation = self.conversations[which]
        if self.session.count_tokens(conversation) < FULL:
            self.check(conversation, [*conversation, user(question)])

    @rule(which=CONVERSATIONS)
    def regenerate(self, which: int) -> None:
        conversation = self.conversations[which]
        if conversation:
            self.check(conversation, conversation[:-1])

    @rule(which=CONVERSATIONS, question=QUESTIONS)
    def edit(self, which: int, question: str) -> None:
        conversation = self.conversations[which]
        if conversation:
            self.check(conversation, [*conversation[:-2], user(question)])

    @rule(which=CONVERSATIONS, other=CONVERSATIONS)
    def branch(self, which: int, other: int) -> None:
        self.conversations[which] = list(self.conversations[other])

    @rule(number=st.integers(0, 2))
    def choose_adapters(self, number: int) -> None:
        self.stack = self.stacks[number]

    @rule()
    def restart(self) -> None:
        self.session.close()
        self.session = self.opened(self.memory, keeps=True)

    @rule(text=st.sampled_from(["abc " * 100, "something else " * 50]))
    def drive_out(self, text: str) -> None:
        list(self.session.chat(request(user(text), max_tokens=2)))

    @rule(which=CONVERSATIONS)
    def cancel(self, which: int) -> None:
        stream = self.session.chat(
            request(*self.conversations[which], user("Go on"), max_tokens=-1)
        )
        next(stream)
        stream.close()
        list(stream)

    @precondition(lambda self: any(self.conversations))
    @rule()
    def ask_all_at_once(self) -> None:
        requests = [
            request(*conversation[:-1], adapters=self.stack)
            for conversation in self.conversations
            if conversation
        ]
        answers = ask_together(self.session, requests)
        for each, events in zip(requests, answers, strict=True):
            assert text_of(events) == self.expected(list(each.messages))

    def check(self, conversation: list[Message], prompt: list[Message]) -> None:
        events = list(self.session.chat(request(*prompt, adapters=self.stack)))
        assert last(events).reason == "length"
        assert text_of(events) == self.expected(prompt)
        conversation[:] = [*prompt, assistant(text_of(events))]

    def expected(self, prompt: list[Message]) -> str:
        return text_of(from_scratch(self.oracle, *prompt, replays=False, adapters=self.stack))

    def teardown(self) -> None:
        if hasattr(self, "session"):
            self.session.close()
            self.oracle.close()
            self.folder.cleanup()


@pytest.mark.parametrize(
    "write", [write_model, write_recurrent_model], ids=["attention", "recurrent"]
)
def test_wherever_a_walk_leads_the_answers_are_those_from_scratch(
    write: Any, tmp_path: Path
) -> None:
    one = write_adapter(tmp_path / "one.gguf")
    other = write_adapter(tmp_path / "other.gguf", seed=2)

    class WalkOnModel(Walk):
        model = write(tmp_path / "model.gguf", context_length=2048, unambiguous=True)
        stacks = (
            [(), adapters((one, 1.0)), adapters((one, -0.5), (other, 1.5))]
            if write is write_model
            else [(), (), ()]
        )

    run_state_machine_as_test(
        WalkOnModel,
        settings=settings(
            max_examples=WALKS,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
