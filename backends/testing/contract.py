"""What every backend must do. A test module subclasses `BackendContract` and gives the fixtures."""

import threading
from collections.abc import Iterator
from typing import cast

import pytest

from backends.errors import BackendError, LoadCancelled, Unsupported
from backends.protocol import (
    PROTOCOL_VERSION,
    Backend,
    Capabilities,
    ChatRequest,
    Detokenize,
    Event,
    Finished,
    LoadOptions,
    Logprobs,
    Message,
    PromptEcho,
    PromptProgress,
    ReasoningDelta,
    Sampling,
    Session,
    TextDelta,
    Tokenize,
    TokenSession,
    Tool,
    ToolCall,
    ToolCallDelta,
    Usage,
)

HELLO = ChatRequest(
    messages=(Message(role="user", content="Hello"),),
    sampling=Sampling(temperature=0),
    max_tokens=40,
)


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def last(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished)
    return events[-1]


class BackendContract:
    """Needs the fixtures `backend`, `model` and `long_request`.

    `model` is what the backend opens; `long_request` takes some seconds to answer, all of them in
    which events arrive.
    """

    @pytest.fixture(scope="class")
    @classmethod
    def session(cls, backend: Backend, model: str) -> Iterator[Session]:
        session = backend.open(model, LoadOptions(n_threads=1), lambda _: True)
        yield session
        session.close()

    @pytest.fixture(scope="class")
    @classmethod
    def embedding_session(cls, session: Session) -> Session:
        """The session that is asked for vectors; override it where that is another model's."""
        return session

    def test_says_what_it_can_do(self, backend: Backend) -> None:
        assert backend.name
        assert backend.protocol_version == PROTOCOL_VERSION
        assert isinstance(backend.capabilities, Capabilities)
        assert backend.capabilities.chat

    def test_loading_progress_rises_and_stays_a_fraction(
        self, backend: Backend, model: str
    ) -> None:
        fractions: list[float] = []

        def note(fraction: float) -> bool:
            fractions.append(fraction)
            return True

        backend.open(model, LoadOptions(n_threads=1), note).close()
        assert fractions
        assert fractions == sorted(fractions)
        assert all(0 <= fraction <= 1 for fraction in fractions)

    def test_refusing_progress_cancels_the_load(self, backend: Backend, model: str) -> None:
        with pytest.raises(LoadCancelled):
            backend.open(model, LoadOptions(), lambda _: False)

    def test_an_open_session_is_alive_and_knows_its_model(self, session: Session) -> None:
        assert session.alive
        assert session.info.model
        assert session.info.n_ctx >= 0

    def test_an_answer_ends_with_its_usage_and_one_finish(self, session: Session) -> None:
        events = list(session.chat(HELLO))
        assert text_of(events)
        assert [type(event) for event in events[-2:]] == [Usage, Finished]
        assert sum(isinstance(event, Finished) for event in events) == 1
        assert last(events).usage == events[-2]
        assert last(events).usage.completion_tokens > 0

    def test_the_prompt_is_read_up_to_its_end_before_the_text_where_it_says_so(
        self, backend: Backend, session: Session
    ) -> None:
        if not backend.capabilities.prompt_progress:
            pytest.skip("does not tell how far the prompt is read")
        events = list(session.chat(HELLO))
        progress = [event for event in events if isinstance(event, PromptProgress)]
        assert progress[-1].done == progress[-1].total == last(events).usage.prompt_tokens
        first_text = next(
            i for i, event in enumerate(events) if isinstance(event, (TextDelta, ReasoningDelta))
        )
        assert all(not isinstance(event, PromptProgress) for event in events[first_text:])

    def test_an_answer_can_be_cut_at_a_number_of_tokens(self, session: Session) -> None:
        messages = (Message(role="user", content="Tell me of the sea and the wind"),)
        request = ChatRequest(messages=messages, sampling=HELLO.sampling, max_tokens=2)
        finished = last(list(session.chat(request)))
        assert finished.reason == "length"
        assert finished.usage.completion_tokens == 2

    def test_a_drawn_seed_is_told(self, session: Session) -> None:
        assert last(list(session.chat(HELLO))).seed >= 0

    def test_a_given_seed_is_kept(self, session: Session) -> None:
        request = ChatRequest(messages=HELLO.messages, sampling=Sampling(seed=7), max_tokens=2)
        assert last(list(session.chat(request))).seed == 7

    def test_closing_from_another_thread_ends_the_stream_as_cancelled(
        self, session: Session, long_request: ChatRequest
    ) -> None:
        stream = session.chat(long_request)
        events: list[Event] = []
        closer: threading.Thread | None = None
        for event in stream:
            events.append(event)
            if isinstance(event, TextDelta) and closer is None:
                closer = threading.Thread(target=stream.close)
                closer.start()
                closer.join()
        assert last(events).reason == "cancelled"
        assert last(events).usage.completion_tokens > 0

    def test_a_session_answers_again_after_a_cancelled_answer(
        self, session: Session, long_request: ChatRequest
    ) -> None:
        expected = text_of(list(session.chat(HELLO)))
        stream = session.chat(long_request)
        next(stream)
        stream.close()
        stream.close()
        assert last(list(stream)).reason == "cancelled"
        assert text_of(list(session.chat(HELLO))) == expected

    def test_two_streams_at_once_are_independent_where_it_says_so(
        self, backend: Backend, session: Session, long_request: ChatRequest
    ) -> None:
        if not backend.capabilities.parallel:
            pytest.skip("answers one after the other")
        expected = text_of(list(session.chat(HELLO)))
        long = session.chat(long_request)
        received = [next(long)]
        while not isinstance(received[-1], TextDelta):
            received.append(next(long))
        assert text_of(list(session.chat(HELLO))) == expected
        received.append(next(long))
        long.close()
        received.extend(long)
        assert last(received).reason == "cancelled"

    def test_closing_a_finished_stream_changes_nothing(self, session: Session) -> None:
        stream = session.chat(HELLO)
        events = list(stream)
        stream.close()
        assert list(stream) == []
        assert last(events).reason in ("stop", "length")

    def test_pieces_of_a_call_come_to_the_call_where_it_tells_them(
        self, backend: Backend, session: Session
    ) -> None:
        if not backend.capabilities.tools:
            pytest.skip("calls no tools")
        request = ChatRequest(
            messages=HELLO.messages,
            sampling=HELLO.sampling,
            tools=(Tool(name="t", parameters='{"properties": {"a": {"enum": ["one", "two"]}}}'),),
            tool_choice="required",
            tool_call_deltas=True,
            max_tokens=200,
        )
        pieces: list[ToolCallDelta] = []
        for event in session.chat(request):
            if isinstance(event, ToolCallDelta):
                pieces.append(event)
                assert (event.id, event.name) == (pieces[0].id, pieces[0].name)
            elif isinstance(event, ToolCall) and pieces:
                assert (event.id, event.name) == (pieces[0].id, pieces[0].name)
                assert event.arguments == "".join(piece.arguments for piece in pieces)
                pieces = []
            else:
                assert not pieces or isinstance(event, Logprobs | Usage | Finished)

    def test_counts_tokens_where_it_says_so(self, backend: Backend, session: Session) -> None:
        if not backend.capabilities.count_tokens:
            pytest.skip("does not count tokens")
        short = [Message(role="user", content="one two")]
        long = [Message(role="user", content="one two three four five six seven")]
        assert 0 < session.count_tokens(short) < session.count_tokens(long)

    def test_tells_the_tokens_of_a_text_where_it_says_so(
        self, backend: Backend, session: Session
    ) -> None:
        if not backend.capabilities.tokens:
            pytest.skip("tells no tokens")
        asked = cast(TokenSession, session)
        found = asked.spell(Tokenize(text="one two"))
        assert b"".join(found.pieces).strip() == b"one two"
        assert len(found.tokens) == len(found.pieces)
        assert asked.spell(Detokenize(found.tokens)).text.strip() == "one two"
        with pytest.raises(Unsupported):
            asked.spell(Detokenize((2**31 - 1,)))

    def test_tells_a_prompt_back_where_it_says_so(self, backend: Backend, session: Session) -> None:
        if not backend.capabilities.echo:
            pytest.skip("tells no prompt back")
        request = ChatRequest(prompt="one two", echo=True, logprobs=1, max_tokens=0)
        told = [event for event in session.chat(request) if isinstance(event, PromptEcho)]
        tokens = [token for event in told for token in event.tokens]
        assert "".join(event.text for event in told) == "one two"
        assert tokens[0].logprob is None
        assert all(token.logprob is not None and token.logprob <= 0 for token in tokens[1:])

    def test_makes_vectors_where_it_says_so_and_else_refuses_in_words(
        self, backend: Backend, embedding_session: Session
    ) -> None:
        texts = ["a cat", "a dog", "the sea"]
        if not backend.capabilities.embed:
            with pytest.raises(Unsupported):
                embedding_session.embed(texts)
            return
        made = embedding_session.embed(texts)
        assert len(made.vectors) == len(texts)
        assert len({len(vector) for vector in made.vectors}) == 1
        assert made.tokens > 0
        assert embedding_session.embed([]).vectors == ()
        for vector in made.vectors:
            assert sum(value * value for value in vector) == pytest.approx(1, abs=1e-3)

    def test_a_closed_session_is_not_alive_and_refuses_in_words(
        self, backend: Backend, model: str
    ) -> None:
        session = backend.open(model, LoadOptions(n_threads=1), lambda _: True)
        session.close()
        assert not session.alive
        with pytest.raises(BackendError) as error:
            list(session.chat(HELLO))
        assert error.value.what
