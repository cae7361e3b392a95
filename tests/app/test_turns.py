"""A turn, from the question on disk to the last word on disk."""

import contextlib
import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from app.adapters import AdapterGlance, Adapters
from app.chats import Chats
from app.conversations.records import Message
from app.conversations.store import ConversationStore
from app.errors import AppError, StorageError
from app.models import OfferedModel
from app.options import effective
from app.options.adapter_stack import StackedAdapter, stack_text
from app.paths import Paths
from app.profiles import Profiles
from app.settings_file import SettingsFile
from app.turns import ModelLoading, Turn, TurnEnded, TurnEvent, Waiting
from backends.errors import EngineCrashed, ModelLoadError, PromptTooLong
from backends.protocol import (
    AppliedAdapter,
    Capabilities,
    Finished,
    ReasoningDelta,
    TextDelta,
    Warned,
)
from catalog.gguf.files import read_header
from catalog.library import InstalledModel, Library
from tests.app.conftest import MakeChats, MakeEngines
from tests.gguf_files import write_adapter, write_model
from tests.scripted_backend import Script, ScriptedBackend


@pytest.fixture
def conversation_id(store: ConversationStore, model: InstalledModel) -> str:
    return store.create(model_id=model.id).id


def run(turn: Turn | None) -> tuple[list[TurnEvent], TurnEnded]:
    assert turn is not None
    events = list(turn.events())
    ended = events[-1]
    assert isinstance(ended, TurnEnded)
    return events, ended


def answer_to(turn: Turn | None) -> Message:
    return run(turn)[1].message


def run_until(turn: Turn, wanted: type[TurnEvent]) -> Iterator[TurnEvent]:
    """The turn's events from the first of that type on."""
    events = turn.events()
    for event in events:
        if isinstance(event, wanted):
            return events
    raise AssertionError("the turn ended early")


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def test_an_answer_streams_and_is_saved_with_what_produced_it(
    chats: Chats, store: ConversationStore, conversation_id: str, model: InstalledModel
) -> None:
    store.set_options(conversation_id, {"temperature": 0.25, "seed": 5})
    events, ended = run(chats.send(conversation_id, "Say hello"))
    streamed = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert streamed == "Hello, world."
    assert ended.problem is None
    saved = store.message(ended.message.id)
    assert saved == ended.message
    assert (saved.text, saved.status, saved.problem) == ("Hello, world.", "complete", "")
    origin = saved.origin
    assert origin is not None
    assert (origin.backend, origin.model_id) == ("llama_cpp", model.id)
    assert origin.model_file == str(model.path)
    assert (origin.model_bytes, origin.model_sha256) == (model.size_bytes, "")
    assert (origin.seed, origin.options["temperature"]) == (5, 0.25)
    assert origin.usage.completion_tokens == 4
    assert origin.template == "scripted"


def test_a_chat_has_its_model_before_its_first_question_is_stored(
    paths: Paths, make_chats: MakeChats
) -> None:
    """A chat with messages and no model may not be answered by a service."""
    service = OfferedModel(
        id="study:words",
        name="words",
        backend="connection study",
        model="words",
        source="Study",
        leaves=True,
    )
    models: list[str] = []

    class Watched(ConversationStore):
        def add_question(
            self, conversation_id: str, *, parent_id: str | None, text: str
        ) -> tuple[Message, Message]:
            models.append(self.get(conversation_id).model_id)
            return super().add_question(conversation_id, parent_id=parent_id, text=text)

    with contextlib.closing(Watched(paths.database_file)) as store:
        chats = make_chats(store=store, offers=[service])
        new = store.create()
        chats.send(new.id, "Hello")
        assert models == [service.id]
        assert chats.model_for(store.get(new.id)) == service
        chats.close()


def test_the_question_is_on_disk_before_the_model_starts(
    chats: Chats, store: ConversationStore, conversation_id: str, scripted: ScriptedBackend
) -> None:
    turn = chats.send(conversation_id, "Are you there?")
    assert scripted.sessions == []
    question, answer = store.page(conversation_id).messages
    assert (question.text, question.status) == ("Are you there?", "complete")
    assert (answer.id, answer.status) == (turn.answer.id, "streaming")
    run(turn)


def test_loading_is_told(chats: Chats, conversation_id: str, model: InstalledModel) -> None:
    events, _ = run(chats.send(conversation_id, "Hello"))
    loading = [event for event in events if isinstance(event, ModelLoading)]
    assert {event.model_name for event in loading} == {model.name}
    assert loading[-1].fraction == 1.0
    again, _ = run(chats.send(conversation_id, "Hello again"))
    assert not [event for event in again if isinstance(event, ModelLoading)]


def test_a_streaming_answer_is_on_disk_within_a_second_even_if_it_stalls(
    chats: Chats, conversation_id: str, scripted: ScriptedBackend, paths: Paths
) -> None:
    scripted.script = Script(tokens=("Slow", " words"), hang_at=2)
    turn = chats.send(conversation_id, "Hello")
    events = run_until(turn, TextDelta)
    other_process = ConversationStore(paths.database_file)
    try:
        wait_until(lambda: other_process.message(turn.answer.id).text == "Slow words", 5.0)
        assert other_process.message(turn.answer.id).status == "streaming"
    finally:
        other_process.close()
        turn.stop()
    last = list(events)[-1]
    assert isinstance(last, TurnEnded)
    assert (last.message.text, last.message.status) == ("Slow words", "stopped")


def test_a_stopped_answer_keeps_what_there_is(
    chats: Chats, conversation_id: str, scripted: ScriptedBackend
) -> None:
    scripted.script = Script(tokens=("word ",) * 10_000, delay=0.005)
    turn = chats.send(conversation_id, "Hello")
    events = run_until(turn, TextDelta)
    turn.stop()
    last = list(events)[-1]
    assert isinstance(last, TurnEnded)
    assert last.problem is None
    assert last.message.status == "stopped"
    assert last.message.text.startswith("word ")


def test_leaving_the_events_early_stops_and_saves(
    chats: Chats, store: ConversationStore, conversation_id: str, scripted: ScriptedBackend
) -> None:
    scripted.script = Script(tokens=("word ",) * 10_000, delay=0.005)
    turn = chats.send(conversation_id, "Hello")
    events = turn.events()
    assert any(isinstance(event, TextDelta) for event in events)
    events.close()
    saved = store.message(turn.answer.id)
    assert (saved.status, saved.text[:5]) == ("stopped", "word ")


def test_stopping_cancels_the_load_too(
    chats: Chats, conversation_id: str, scripted: ScriptedBackend
) -> None:
    scripted.script = Script(load_seconds=5)
    turn = chats.send(conversation_id, "Hello")
    events = run_until(turn, ModelLoading)
    turn.stop()
    *_, last = events
    assert isinstance(last, TurnEnded)
    assert (last.message.status, last.message.text, last.problem) == ("stopped", "", None)
    assert scripted.sessions == []


def test_an_engine_that_dies_of_being_stopped_was_stopped(
    chats: Chats,
    conversation_id: str,
    scripted: ScriptedBackend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turn = chats.send(conversation_id, "Hello")

    def die(*_: object) -> None:
        turn.stop()
        raise EngineCrashed("The model stopped working.")

    monkeypatch.setattr(scripted, "open", die)
    _, ended = run(turn)
    assert (ended.message.status, ended.problem) == ("stopped", None)


def test_a_second_chat_waits_for_the_first_and_can_be_stopped_there(
    chats: Chats, store: ConversationStore, conversation_id: str, scripted: ScriptedBackend
) -> None:
    scripted.capabilities = Capabilities(parallel=False)
    scripted.script = Script(tokens=("word ",) * 10_000, delay=0.005)
    first = chats.send(conversation_id, "Hello")
    first_events = run_until(first, TextDelta)
    other = store.create(model_id=store.get(conversation_id).model_id)
    second = chats.send(other.id, "Me too")
    second_events = run_until(second, Waiting)
    second.stop()
    *_, last = second_events
    assert isinstance(last, TurnEnded)
    assert last.message.status == "stopped"
    first.stop()
    list(first_events)


def test_two_chats_are_answered_at_once(
    chats: Chats, store: ConversationStore, conversation_id: str, scripted: ScriptedBackend
) -> None:
    scripted.script = Script(tokens=("word ",) * 10_000, delay=0.005)
    first = chats.send(conversation_id, "Hello")
    first_events = run_until(first, TextDelta)
    second = chats.send(store.create(model_id=store.get(conversation_id).model_id).id, "Me too")
    second_events = run_until(second, TextDelta)
    assert len(scripted.sessions) == 1
    second.stop()
    assert [event.message.status for event in second_events if isinstance(event, TurnEnded)] == [
        "stopped"
    ]
    assert isinstance(next(first_events), TextDelta), "the first one goes on"
    first.stop()
    list(first_events)


def test_waiting_for_a_load_that_is_under_way_shows_the_load(
    store: ConversationStore,
    make_chats: MakeChats,
    make_engines: MakeEngines,
    model: InstalledModel,
    scripted: ScriptedBackend,
) -> None:
    engines = make_engines()
    chats = make_chats(engines=engines)
    scripted.script = Script(load_seconds=1)
    begun = threading.Event()
    options = chats.loading(model, effective())

    def load() -> None:
        with engines.use(model, options, lambda fraction: begun.set() or True):
            pass

    loading = threading.Thread(target=load)
    loading.start()
    assert begun.wait(60)
    events, _ = run(chats.send(store.create(model_id=model.id).id, "Hello"))
    loading.join()
    assert any(isinstance(event, ModelLoading) for event in events)
    assert not any(isinstance(event, Waiting) for event in events)
    assert len(scripted.sessions) == 1


def test_a_crash_keeps_the_partial_answer_and_says_why(
    chats: Chats, store: ConversationStore, conversation_id: str, scripted: ScriptedBackend
) -> None:
    scripted.script = Script(crash_at=2)
    _, ended = run(chats.send(conversation_id, "Hello"))
    assert ended.problem is not None
    assert ended.problem.what == "The model stopped working."
    saved = store.message(ended.message.id)
    assert (saved.text, saved.status) == ("Hello,", "interrupted")
    assert saved.problem == "The model stopped working. It was scripted to."
    scripted.script = Script()
    retried = answer_to(chats.regenerate(saved.id))
    assert (retried.text, retried.sibling_index) == ("Hello, world.", 1)


def test_an_answer_that_ends_without_its_end_is_kept_and_said_to_be_cut_off(
    chats: Chats, store: ConversationStore, conversation_id: str, scripted: ScriptedBackend
) -> None:
    scripted.script = Script(break_at=2)
    _, ended = run(chats.send(conversation_id, "Hello"))
    saved = store.message(ended.message.id)
    assert (saved.text, saved.status) == ("Hello,", "interrupted")
    assert "without finishing" in saved.problem


@pytest.mark.parametrize(
    "script",
    [
        Script(load_error=ModelLoadError("It is damaged.")),
        Script(load_error=PromptTooLong("It is too long.")),
    ],
)
def test_an_answer_that_could_not_begin_says_why(
    chats: Chats, conversation_id: str, scripted: ScriptedBackend, script: Script
) -> None:
    scripted.script = script
    _, ended = run(chats.send(conversation_id, "Hello"))
    assert ended.message.status == "interrupted"
    assert ended.problem is not None
    assert ended.message.problem == ended.problem.sentence()


def test_without_a_model_the_answer_says_how_to_get_one(
    chats: Chats, store: ConversationStore
) -> None:
    _, ended = run(chats.send(store.create().id, "Hello"))
    assert ended.problem is not None
    assert ended.problem.what == "No model is installed."
    assert "page Models" in ended.problem.fix
    assert "causeway pull" in ended.problem.command


def test_a_model_that_is_gone_is_named(
    chats: Chats, store: ConversationStore, model: InstalledModel
) -> None:
    _, ended = run(chats.send(store.create(model_id="vanished").id, "Hello"))
    assert ended.problem is not None
    assert "“vanished”" in ended.problem.why


@pytest.mark.parametrize(
    ("count", "notice"),
    [
        (1, "The oldest message no longer fits and was left out. It stays in the chat."),
        (6, "The 6 oldest messages no longer fit and were left out. They stay in the chat."),
    ],
)
def test_what_left_the_context_is_noted_on_the_answer(
    chats: Chats, conversation_id: str, scripted: ScriptedBackend, count: int, notice: str
) -> None:
    scripted.script = Script(trimmed=count)
    assert answer_to(chats.send(conversation_id, "Hello")).notice == notice


def test_thinking_is_kept_apart_and_timed(
    chats: Chats, conversation_id: str, scripted: ScriptedBackend
) -> None:
    scripted.script = Script(reasoning=("Let me", " think."), tokens=("Yes.",))
    events, ended = run(chats.send(conversation_id, "Hello"))
    assert sum(isinstance(event, ReasoningDelta) for event in events) == 2
    assert (ended.message.reasoning, ended.message.text) == ("Let me think.", "Yes.")
    assert ended.message.reasoning_seconds > 0


def test_warnings_of_the_model_are_told_when_it_is_loaded(
    make_chats: MakeChats, make_engines: MakeEngines, conversation_id: str
) -> None:
    chats = make_chats(engines=make_engines(memory_check=lambda *_, **__: "It is tight."))
    events, _ = run(chats.send(conversation_id, "Hello"))
    assert Warned("It is tight.") in events
    events, _ = run(chats.send(conversation_id, "Hello again"))
    assert Warned("It is tight.") not in events


class UnreliableStore(ConversationStore):
    """A disk that is full for as long as `full` is set."""

    full = False

    def stream_into(self, message_id: str, **columns: object) -> None:
        self._refuse_if_full()
        super().stream_into(message_id, **columns)

    def finish(self, message_id: str, **columns: object) -> Message:
        self._refuse_if_full()
        return super().finish(message_id, **columns)

    def _refuse_if_full(self) -> None:
        if self.full:
            raise StorageError("The disk is full.")


@pytest.fixture
def unreliable(tmp_path: Path) -> Iterator[UnreliableStore]:
    store = UnreliableStore(tmp_path / "unreliable.sqlite3")
    yield store
    store.close()


@pytest.mark.parametrize("frees_up", [True, False])
def test_a_full_disk_does_not_end_the_answer(
    unreliable: UnreliableStore,
    make_chats: MakeChats,
    model: InstalledModel,
    scripted: ScriptedBackend,
    frees_up: bool,
) -> None:
    chats = make_chats(store=unreliable)
    scripted.script = Script(tokens=("word ",) * 10_000, delay=0.005)
    turn = chats.send(unreliable.create(model_id=model.id).id, "Hello")
    unreliable.full = True
    events = turn.events()
    warned = next(event for event in events if isinstance(event, Warned))
    assert "The disk is full." in warned.text
    assert any(isinstance(event, TextDelta) for event in events), "it went on"
    unreliable.full = not frees_up
    turn.stop()
    rest = list(events)
    assert not any(isinstance(event, Warned) for event in rest), "told once"
    ended = rest[-1]
    assert isinstance(ended, TurnEnded)
    assert ended.message.text.startswith("word ")
    if frees_up:
        assert ended.problem is None
        assert unreliable.message(turn.answer.id).text == ended.message.text
    else:
        assert ended.problem is not None
        assert ended.problem.what == "The disk is full."


def test_a_bug_in_the_engine_is_raised_and_the_answer_is_not_left_open(
    chats: Chats,
    store: ConversationStore,
    conversation_id: str,
    scripted: ScriptedBackend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(scripted, "open", broken)
    turn = chats.send(conversation_id, "Hello")
    with pytest.raises(ZeroDivisionError):
        list(turn.events())
    assert store.message(turn.answer.id).status == "interrupted"
    assert chats.send(conversation_id, "Once more").question is not None


def test_regenerating_makes_a_sibling_from_the_same_question(
    chats: Chats, store: ConversationStore, conversation_id: str, scripted: ScriptedBackend
) -> None:
    first = answer_to(chats.send(conversation_id, "Hello"))
    second = answer_to(chats.regenerate(first.id))
    assert (second.parent_id, second.sibling_index, second.sibling_count) == (first.parent_id, 1, 2)
    assert store.get(conversation_id).leaf_id == second.id
    asked = [[message.content for message in request.messages] for request in scripted.requests]
    assert asked == [["Hello"], ["Hello"]]


@pytest.fixture
def adapter(library: Library, tmp_path: Path) -> InstalledModel:
    return library.add_file(write_adapter(tmp_path / "terse.gguf"))


def with_stack(store: ConversationStore, conversation_id: str, *stack: StackedAdapter) -> None:
    store.set_options(conversation_id, {"adapters": stack_text(stack)})


def test_a_chats_adapters_take_part_and_are_recorded(
    chats: Chats,
    store: ConversationStore,
    conversation_id: str,
    adapter: InstalledModel,
    scripted: ScriptedBackend,
) -> None:
    with_stack(store, conversation_id, StackedAdapter(adapter.id, 0.8))
    answer = answer_to(chats.send(conversation_id, "Hello"))
    assert scripted.requests[-1].adapters == (AppliedAdapter(str(adapter.path), 0.8),)
    assert answer.origin is not None
    (used,) = answer.origin.adapters
    digest = hashlib.sha256(adapter.path.read_bytes()).hexdigest()
    assert (used.id, used.name, used.sha256, used.scale) == (
        adapter.id,
        adapter.name,
        digest,
        0.8,
    )
    again = answer_to(chats.regenerate(answer.id, without_adapters=True))
    assert again.origin is not None
    assert (again.origin.adapters, scripted.requests[-1].adapters) == ((), ())
    assert again.parent_id == answer.parent_id
    assert "terse" in str(store.get(conversation_id).options["adapters"]), "the chat keeps them"


def test_a_muted_adapter_and_one_of_no_strength_take_no_part(
    chats: Chats,
    store: ConversationStore,
    conversation_id: str,
    adapter: InstalledModel,
    library: Library,
    tmp_path: Path,
    scripted: ScriptedBackend,
) -> None:
    other = library.add_file(write_adapter(tmp_path / "other.gguf", seed=2))
    stack = StackedAdapter(adapter.id, 1.0, muted=True), StackedAdapter(other.id, 0.0)
    with_stack(store, conversation_id, *stack)
    answer = answer_to(chats.send(conversation_id, "Hello"))
    assert scripted.requests[-1].adapters == ()
    assert answer.origin is not None
    assert answer.origin.adapters == ()


def test_an_adapter_that_is_gone_or_fits_another_model_is_left_out_in_words(
    chats: Chats,
    store: ConversationStore,
    conversation_id: str,
    library: Library,
    tmp_path: Path,
    scripted: ScriptedBackend,
) -> None:
    wide = library.add_file(write_adapter(tmp_path / "wide.gguf", n_embd=128))
    with_stack(store, conversation_id, StackedAdapter("lost"), StackedAdapter(wide.id))
    events, ended = run(chats.send(conversation_id, "Hello"))
    assert ended.problem is None
    assert scripted.requests[-1].adapters == ()
    lost, unfit = (event.text for event in events if isinstance(event, Warned))
    assert "lost is gone" in lost
    assert "was left out" in unfit


def test_a_profile_carries_adapters(
    make_chats: MakeChats,
    store: ConversationStore,
    model: InstalledModel,
    adapter: InstalledModel,
    paths: Paths,
    scripted: ScriptedBackend,
) -> None:
    profiles = Profiles(paths.profiles_file)
    stack = stack_text([StackedAdapter(adapter.id, -0.5)])
    profiles.create(model.id, "Terse", {"adapters": stack})
    chats = make_chats(profiles=profiles)
    answer_to(chats.send(store.create(model_id=model.id).id, "Hello"))
    assert scripted.requests[-1].adapters == (AppliedAdapter(str(adapter.path), -0.5),)


def test_adapters_are_offered_with_the_models_they_fit(
    library: Library, model: InstalledModel, adapter: InstalledModel, tmp_path: Path
) -> None:
    wide = library.add_file(write_adapter(tmp_path / "wide.gguf", n_embd=128))
    big = library.add_file(write_model(tmp_path / "big.gguf", n_embd=128))
    adapters = Adapters(library)
    fitting, unfit = adapters.for_model(model)
    assert (fitting.adapter.id, fitting.fit.fits) == (adapter.id, True)
    assert (unfit.adapter.id, unfit.fit.fits) == (wide.id, False)
    assert unfit.fit.reason
    assert [each.id for each, fit in adapters.models_for(wide) if fit.fits] == [big.id]
    assert adapters.facts(adapter).rank == 4
    assert adapters.glance(wide) == AdapterGlance(rank="4", n_fitting=1)
    assert adapters.models_for_header(read_header(wide.path)) == adapters.models_for(wide)
    write_adapter(adapter.path, n_embd=128)
    assert not adapters.fit(adapter, model).fits, "what was read is read again after a change"


def test_states_are_kept_where_and_as_long_as_the_person_likes(
    make_chats: MakeChats,
    store: ConversationStore,
    conversation_id: str,
    paths: Paths,
    scripted: ScriptedBackend,
) -> None:
    settings = SettingsFile(paths.settings_file)
    chats = make_chats(settings=settings)
    answer_to(chats.send(conversation_id, "Hello"))
    settings.update(keep_states=False)
    answer_to(chats.send(conversation_id, "Hello"))
    kept, not_kept = (session.options.keep for session in scripted.sessions)
    assert kept is not None
    assert Path(kept.folder).is_relative_to(paths.cache_folder)
    assert kept.limit_bytes == 4 * 10**9
    assert not_kept is None


def test_probabilities_are_stored_and_go_on_with_the_answer(
    chats: Chats, store: ConversationStore, conversation_id: str, scripted: ScriptedBackend
) -> None:
    store.set_options(conversation_id, {"logprobs": 1})
    answer = answer_to(chats.send(conversation_id, "Hello"))
    assert [token.text for token in store.logprobs(answer.id)] == list(scripted.script.tokens)
    continued = answer_to(chats.continue_answer(answer.id))
    tokens = store.logprobs(continued.id)
    assert "".join(token.text for token in tokens) == continued.text


def test_regenerating_a_question_answers_it_beside_the_answers_that_it_has(
    chats: Chats, conversation_id: str
) -> None:
    turn = chats.send(conversation_id, "Hello")
    run(turn)
    assert turn.question is not None
    answer = answer_to(chats.regenerate(turn.question.id))
    assert (answer.parent_id, answer.sibling_index) == (turn.question.id, 1)


def test_editing_a_question_asks_anew_beside_it(
    chats: Chats, conversation_id: str, scripted: ScriptedBackend
) -> None:
    turn = chats.send(conversation_id, "Helo")
    run(turn)
    assert turn.question is not None
    edited = chats.edit(turn.question.id, "Hello")
    run(edited)
    assert edited is not None
    assert edited.question is not None
    assert (edited.question.text, edited.question.sibling_index) == ("Hello", 1)
    assert [message.content for message in scripted.requests[-1].messages] == ["Hello"]


def test_editing_an_answer_stores_a_sibling_and_asks_nothing(
    chats: Chats, store: ConversationStore, conversation_id: str, scripted: ScriptedBackend
) -> None:
    answer = answer_to(chats.send(conversation_id, "Hello"))
    assert chats.edit(answer.id, "Good day.") is None
    *_, shown = store.page(conversation_id).messages
    assert (shown.text, shown.sibling_index, shown.origin) == ("Good day.", 1, None)
    assert len(scripted.requests) == 1


def test_continuing_appends_to_the_same_answer(
    chats: Chats, store: ConversationStore, conversation_id: str, scripted: ScriptedBackend
) -> None:
    store.set_options(conversation_id, {"max_tokens": 2})
    cut = answer_to(chats.send(conversation_id, "Hello"))
    assert (cut.text, cut.status) == ("Hello,", "length")
    scripted.script = Script(tokens=(" dear", " reader."))
    turn = chats.continue_answer(cut.id)
    assert store.message(cut.id).status == "streaming"
    whole = answer_to(turn)
    assert (whole.id, whole.text, whole.status) == (cut.id, "Hello, dear reader.", "complete")
    request = scripted.requests[-1]
    assert request.continue_last
    assert request.messages[-1].content == "Hello,"
    assert whole.origin is not None
    assert whole.origin.usage.completion_tokens == 4


def test_what_cannot_go_on_leaves_the_answer_as_it_ended(
    make_chats: MakeChats, store: ConversationStore, conversation_id: str, scripted: ScriptedBackend
) -> None:
    store.set_options(conversation_id, {"max_tokens": 2})
    scripted.capabilities = msgspec.structs.replace(scripted.capabilities, continue_answer=False)
    chats = make_chats()
    cut = answer_to(chats.send(conversation_id, "Hello"))
    with pytest.raises(AppError, match="can't go on with an answer"):
        chats.continue_answer(cut.id)
    assert store.message(cut.id).status == "length"


def test_continuing_an_answer_that_never_began_asks_for_it(
    chats: Chats, conversation_id: str, scripted: ScriptedBackend
) -> None:
    scripted.script = Script(load_error=ModelLoadError("Not now."))
    empty = answer_to(chats.send(conversation_id, "Hello"))
    scripted.script = Script()
    whole = answer_to(chats.continue_answer(empty.id))
    assert (whole.id, whole.text, whole.problem) == (empty.id, "Hello, world.", "")
    assert not scripted.requests[-1].continue_last


def test_one_answer_at_a_time_in_a_chat(
    chats: Chats, conversation_id: str, scripted: ScriptedBackend
) -> None:
    turn = chats.send(conversation_id, "Hello")
    with pytest.raises(AppError, match="still being written"):
        chats.send(conversation_id, "And?")
    assert turn.question is not None
    with pytest.raises(AppError, match="still being written"):
        chats.regenerate(turn.answer.id)
    with pytest.raises(AppError, match="still being written"):
        chats.edit(turn.question.id, "Hello!")
    run(turn)
    run(chats.send(conversation_id, "And?"))


@pytest.mark.parametrize("text", ["", "  \n"])
def test_nothing_is_not_sent(chats: Chats, conversation_id: str, text: str) -> None:
    with pytest.raises(AppError, match="nothing to send"):
        chats.send(conversation_id, text)


def test_closing_stops_and_saves_running_answers(
    chats: Chats, store: ConversationStore, conversation_id: str, scripted: ScriptedBackend
) -> None:
    scripted.script = Script(tokens=("word ",) * 10_000, delay=0.005)
    turn = chats.send(conversation_id, "Hello")
    begun = threading.Event()

    def consume() -> None:
        for event in turn.events():
            if isinstance(event, TextDelta):
                begun.set()

    thread = threading.Thread(target=consume)
    thread.start()
    assert begun.wait(60)
    chats.close()
    assert store.message(turn.answer.id).status == "stopped"
    thread.join()


def test_options_come_from_the_chat_before_the_profile_before_the_person(
    store: ConversationStore, make_chats: MakeChats, model: InstalledModel, paths: Paths
) -> None:
    settings = SettingsFile(paths.settings_file)
    settings.update(chat_defaults={"top_k": 11, "top_p": 0.5, "colour": "red"})
    profiles = Profiles(paths.profiles_file)
    profiles.create(model.id, "Brief", {"min_p": 0.2, "top_k": 13})
    chats = make_chats(settings=settings, profiles=profiles)
    conversation = store.create(
        model_id=model.id, options={"top_k": 12, "temperature": 99.0, "seed": 3}
    )
    options = chats.options_for(conversation)
    assert (options["top_k"], options["top_p"], options["seed"]) == (12, 0.5, 3)
    assert options["min_p"] == 0.2
    assert options["temperature"] == 0.7, "a value out of range is no value"
    assert "colour" not in options


def test_finished_tells_how_it_ended(chats: Chats, conversation_id: str) -> None:
    events, _ = run(chats.send(conversation_id, "Hello"))
    assert [event.reason for event in events if isinstance(event, Finished)] == ["stop"]


def test_a_question_is_stored_with_its_answer_or_not_at_all(
    chats: Chats, store: ConversationStore, conversation_id: str, paths: Paths
) -> None:
    with contextlib.closing(sqlite3.connect(paths.database_file)) as connection:
        connection.execute(
            "CREATE TRIGGER no_answer BEFORE INSERT ON messages WHEN NEW.role = 'assistant'"
            " BEGIN SELECT RAISE (ABORT, 'no room'); END"
        )
        connection.commit()
        with pytest.raises(sqlite3.IntegrityError, match="no room"):
            chats.send(conversation_id, "Hello")
        assert store.page(conversation_id).messages == ()
        connection.execute("DROP TRIGGER no_answer")
        connection.commit()
    assert answer_to(chats.send(conversation_id, "Hello")).text == "Hello, world."


def test_an_answer_whose_end_was_not_saved_does_not_close_its_chat(
    chats: Chats,
    store: ConversationStore,
    conversation_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> Message:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(store, "finish", refuse)
    _, ended = run(chats.send(conversation_id, "One"))
    assert ended.problem is not None
    monkeypatch.undo()
    assert store.message(ended.message.id).status == "streaming"
    assert answer_to(chats.send(conversation_id, "Two")).status == "complete"
    cut = store.message(ended.message.id)
    assert (cut.status, cut.problem) == (
        "interrupted",
        "The end of this answer could not be saved.",
    )


def test_an_answer_that_another_process_writes_is_waited_for(
    chats: Chats, store: ConversationStore, conversation_id: str, paths: Paths
) -> None:
    question, answer = store.add_question(conversation_id, parent_id=None, text="One")
    parent = psutil.Process(os.getppid())
    with contextlib.closing(sqlite3.connect(paths.database_file)) as connection:
        connection.execute(
            "UPDATE messages SET writer_pid = ?, writer_started = ? WHERE id = ?",
            (parent.pid, parent.create_time(), answer.id),
        )
        connection.commit()
    with pytest.raises(AppError, match="still being written"):
        chats.send(conversation_id, "Two")
    assert store.page(conversation_id).messages == (question, answer)


def test_a_question_without_an_answer_is_answered(
    chats: Chats, store: ConversationStore, conversation_id: str
) -> None:
    question = store.add_message(conversation_id, parent_id=None, role="user", text="Hello")
    answer = answer_to(chats.regenerate(question.id))
    assert (answer.parent_id, answer.status, answer.sibling_count) == (question.id, "complete", 1)
    alone = store.add_message(conversation_id, parent_id=None, role="assistant", text="Welcome")
    with pytest.raises(AppError, match="no question"):
        chats.regenerate(alone.id)
