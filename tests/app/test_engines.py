"""One model in memory, shared by those who ask it, out again when idle."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import pytest

from app.engines import Engines, EngineState
from app.errors import AppError
from backends.errors import EngineCrashed, LoadCancelled, ModelLoadError, OutOfMemory
from backends.protocol import ChatRequest, LoadOptions, Message, TextDelta
from catalog.library import InstalledModel
from tests.app.conftest import MakeEngines
from tests.scripted_backend import Script, ScriptedBackend

OPTIONS = LoadOptions()
REQUEST = ChatRequest(messages=(Message(role="user", content="hello"),))


def go_on(fraction: float) -> bool:
    return True


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def states_of(engines: Engines) -> list[EngineState]:
    seen: list[EngineState] = []
    engines.subscribe(seen.append)
    return seen


def test_a_model_is_loaded_once_for_many_answers(
    make_engines: MakeEngines, model: InstalledModel, scripted: ScriptedBackend
) -> None:
    engines = make_engines()
    for _ in range(3):
        with engines.use(model, OPTIONS, go_on) as session:
            assert any(isinstance(event, TextDelta) for event in session.chat(REQUEST))
    assert len(scripted.sessions) == 1


def test_states_are_told_in_order(make_engines: MakeEngines, model: InstalledModel) -> None:
    engines = make_engines()
    seen = states_of(engines)
    with engines.use(model, OPTIONS, go_on):
        assert engines.state.phase == "busy"
    phases = list(dict.fromkeys(state.phase for state in seen))
    assert phases == ["loading", "busy", "ready"]
    fractions = [state.fraction for state in seen if state.phase == "loading"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert seen[-1].info is not None
    assert seen[-1].model_id == model.id


def test_who_unsubscribed_hears_nothing(make_engines: MakeEngines, model: InstalledModel) -> None:
    engines = make_engines()
    seen: list[EngineState] = []
    unsubscribe = engines.subscribe(seen.append)
    unsubscribe()
    unsubscribe()
    with engines.use(model, OPTIONS, go_on):
        pass
    assert seen == []


def test_the_old_model_goes_before_another_comes(
    make_engines: MakeEngines,
    model: InstalledModel,
    other_model: InstalledModel,
    scripted: ScriptedBackend,
) -> None:
    engines = make_engines()
    with engines.use(model, OPTIONS, go_on):
        pass
    alive_while_loading: list[bool] = []

    def note(fraction: float) -> bool:
        alive_while_loading.append(scripted.sessions[0].alive)
        return True

    with engines.use(other_model, OPTIONS, note):
        pass
    assert alive_while_loading
    assert not any(alive_while_loading)
    assert [session.alive for session in scripted.sessions] == [False, True]


def test_other_load_options_load_again(
    make_engines: MakeEngines, model: InstalledModel, scripted: ScriptedBackend
) -> None:
    engines = make_engines()
    for options in (OPTIONS, LoadOptions(n_ctx=1024)):
        with engines.use(model, options, go_on):
            pass
    assert [session.options.n_ctx for session in scripted.sessions] == [0, 1024]


@contextmanager
def in_line(
    engines: Engines, model: InstalledModel, name: str, order: list[str]
) -> Iterator[threading.Thread]:
    """Somebody who waits for the model on another thread, and is noted once it is their turn."""
    waiting = threading.Event()

    def use() -> None:
        with engines.use(model, OPTIONS, go_on, on_wait=waiting.set):
            order.append(name)

    thread = threading.Thread(target=use)
    thread.start()
    assert waiting.wait(60)
    yield thread


def test_answers_of_one_model_are_given_at_once(
    make_engines: MakeEngines, model: InstalledModel, scripted: ScriptedBackend
) -> None:
    engines = make_engines()
    scripted.script = Script(tokens=("word ",) * 200, delay=0.001)
    with (
        engines.use(model, OPTIONS, go_on) as one,
        engines.use(model, OPTIONS, go_on) as other,
    ):
        streams = one.chat(REQUEST), other.chat(REQUEST)
        for _ in range(100):
            assert all(next(stream) for stream in streams)
        assert engines.state.phase == "busy"
    assert engines.state.phase == "ready"
    assert len(scripted.sessions) == 1


def test_as_long_as_one_is_answered_the_model_is_busy(
    make_engines: MakeEngines, model: InstalledModel
) -> None:
    engines = make_engines()
    with engines.use(model, OPTIONS, go_on):
        with engines.use(model, OPTIONS, go_on):
            pass
        assert engines.state.phase == "busy"


def test_where_the_backend_answers_one_at_a_time_the_second_waits(
    make_engines: MakeEngines, model: InstalledModel, scripted: ScriptedBackend
) -> None:
    scripted.capabilities = msgspec.structs.replace(scripted.capabilities, parallel=False)
    engines = make_engines()
    order: list[str] = []
    with (
        engines.use(model, OPTIONS, go_on),
        in_line(engines, model, "second", order) as thread,
    ):
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_who_wants_another_model_is_not_overtaken(
    make_engines: MakeEngines,
    model: InstalledModel,
    other_model: InstalledModel,
    scripted: ScriptedBackend,
) -> None:
    engines = make_engines()
    order: list[str] = []
    with (
        engines.use(model, OPTIONS, go_on),
        in_line(engines, other_model, "other", order) as other,
        in_line(engines, model, "late", order) as late,
    ):
        order.append("first")
    for thread in (other, late):
        thread.join()
    assert order == ["first", "other", "late"]
    assert [session.info.model for session in scripted.sessions] == [
        str(model.path),
        str(other_model.path),
        str(model.path),
    ]


def test_another_model_waits_until_all_users_have_left(
    make_engines: MakeEngines, model: InstalledModel, other_model: InstalledModel
) -> None:
    engines = make_engines()
    order: list[str] = []
    with engines.use(model, OPTIONS, go_on):
        with (
            engines.use(model, OPTIONS, go_on),
            in_line(engines, other_model, "other", order) as other,
        ):
            pass
        time.sleep(0.2)
        order.append("the last user")
    other.join()
    assert order == ["the last user", "other"]


def test_who_gives_up_lets_the_others_behind_go_on(
    make_engines: MakeEngines, model: InstalledModel, other_model: InstalledModel
) -> None:
    engines = make_engines()
    order: list[str] = []
    cancelled, waiting = threading.Event(), threading.Event()

    def give_up() -> None:
        with (
            pytest.raises(LoadCancelled),
            engines.use(other_model, OPTIONS, go_on, cancelled=cancelled, on_wait=waiting.set),
        ):
            pass

    thread = threading.Thread(target=give_up)
    with engines.use(model, OPTIONS, go_on):
        thread.start()
        assert waiting.wait(60)
        with in_line(engines, model, "behind", order) as behind:
            cancelled.set()
            behind.join(60)
            assert order == ["behind"], "it shares what is loaded"
    thread.join()


def test_unloading_waits_for_all_users(
    make_engines: MakeEngines, model: InstalledModel, scripted: ScriptedBackend
) -> None:
    engines = make_engines()
    thread = threading.Thread(target=engines.unload)
    with engines.use(model, OPTIONS, go_on):
        with engines.use(model, OPTIONS, go_on):
            thread.start()
        time.sleep(0.2)
        assert scripted.sessions[0].alive
    thread.join(60)
    assert engines.state == EngineState("", "unloaded")


def test_a_crash_with_two_users_is_told_once_both_have_left(
    make_engines: MakeEngines, model: InstalledModel, scripted: ScriptedBackend
) -> None:
    engines = make_engines()
    scripted.script = Script(crash_at=1)
    with engines.use(model, OPTIONS, go_on) as one:
        with pytest.raises(EngineCrashed), engines.use(model, OPTIONS, go_on) as other:
            list(other.chat(REQUEST))
        with pytest.raises(EngineCrashed, match="not running"):
            one.chat(REQUEST)
    assert engines.state.phase == "crashed"
    assert engines.state.problem is not None
    assert engines.state.problem.what == "The model stopped working."
    scripted.script = Script()
    with engines.use(model, OPTIONS, go_on) as session:
        assert list(session.chat(REQUEST))
    assert len(scripted.sessions) == 2


def test_after_a_crash_the_next_one_does_not_share_what_has_died(
    make_engines: MakeEngines, model: InstalledModel, scripted: ScriptedBackend
) -> None:
    engines = make_engines()
    order: list[str] = []
    with engines.use(model, OPTIONS, go_on) as session:
        session.close()
        with in_line(engines, model, "next", order) as following:
            assert order == []
    following.join()
    assert order == ["next"]
    assert len(scripted.sessions) == 2


def test_the_wait_can_be_cancelled(
    make_engines: MakeEngines, model: InstalledModel, other_model: InstalledModel
) -> None:
    engines = make_engines()
    cancelled = threading.Event()
    with (
        engines.use(model, OPTIONS, go_on),
        pytest.raises(LoadCancelled),
        engines.use(other_model, OPTIONS, go_on, cancelled=cancelled, on_wait=cancelled.set),
    ):
        pass


def test_a_load_can_be_cancelled_from_elsewhere(
    make_engines: MakeEngines, model: InstalledModel, scripted: ScriptedBackend
) -> None:
    engines = make_engines()

    def cancel_half_way(fraction: float) -> bool:
        if fraction >= 0.5:
            engines.cancel_load()
        return True

    with pytest.raises(LoadCancelled), engines.use(model, OPTIONS, cancel_half_way):
        pass
    assert engines.state == EngineState(model.id, "unloaded")
    with engines.use(model, OPTIONS, go_on):
        assert len(scripted.sessions) == 1


def test_a_failed_load_is_told_with_its_reason(
    make_engines: MakeEngines, model: InstalledModel, scripted: ScriptedBackend
) -> None:
    engines = make_engines()
    scripted.script = Script(load_error=ModelLoadError("It is damaged."))
    with pytest.raises(ModelLoadError), engines.use(model, OPTIONS, go_on):
        pass
    assert engines.state.phase == "unloaded"
    assert engines.state.problem is not None
    assert engines.state.problem.what == "It is damaged."


def test_a_load_that_fails_by_a_bug_is_not_loading_for_ever(
    make_engines: MakeEngines,
    model: InstalledModel,
    scripted: ScriptedBackend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    engines = make_engines()
    monkeypatch.setattr(scripted, "open", broken)
    with pytest.raises(ZeroDivisionError), engines.use(model, OPTIONS, go_on):
        pass
    assert engines.state == EngineState(model.id, "unloaded")


def test_a_crashed_model_is_dropped_and_loaded_again(
    make_engines: MakeEngines, model: InstalledModel, scripted: ScriptedBackend
) -> None:
    engines = make_engines()
    scripted.script = Script(crash_at=1)
    with pytest.raises(EngineCrashed), engines.use(model, OPTIONS, go_on) as session:
        list(session.chat(REQUEST))
    assert engines.state.phase == "crashed"
    assert engines.state.problem is not None
    assert engines.state.problem.what == "The model stopped working."
    scripted.script = Script()
    with engines.use(model, OPTIONS, go_on) as session:
        list(session.chat(REQUEST))
    assert engines.state.phase == "ready"
    assert len(scripted.sessions) == 2


def test_the_last_words_of_a_crashed_engine_are_logged(
    make_engines: MakeEngines,
    model: InstalledModel,
    scripted: ScriptedBackend,
    caplog: pytest.LogCaptureFixture,
) -> None:
    scripted.script = Script(load_error=EngineCrashed("It died.", detail="GGML_ASSERT failed"))
    with pytest.raises(EngineCrashed), make_engines().use(model, OPTIONS, go_on):
        pass
    assert "It died.\nGGML_ASSERT failed" in caplog.text


def test_an_idle_model_is_unloaded(
    make_engines: MakeEngines, model: InstalledModel, scripted: ScriptedBackend
) -> None:
    engines = make_engines(unload_after=0.1)
    with engines.use(model, OPTIONS, go_on) as session:
        time.sleep(0.3)
        assert session.alive, "it was in use"
    wait_until(lambda: engines.state.phase == "unloaded")
    assert not scripted.sessions[0].alive


def test_with_no_limit_an_idle_model_stays(
    make_engines: MakeEngines, model: InstalledModel, scripted: ScriptedBackend
) -> None:
    engines = make_engines(unload_after=0.0)
    with engines.use(model, OPTIONS, go_on):
        pass
    time.sleep(0.2)
    assert scripted.sessions[0].alive


def test_unloading_takes_the_model_out(
    make_engines: MakeEngines, model: InstalledModel, scripted: ScriptedBackend
) -> None:
    engines = make_engines()
    with engines.use(model, OPTIONS, go_on):
        pass
    engines.unload()
    assert not scripted.sessions[0].alive
    assert engines.state == EngineState("", "unloaded")


def test_a_model_that_cannot_fit_is_refused_and_the_loaded_one_stays(
    make_engines: MakeEngines,
    model: InstalledModel,
    other_model: InstalledModel,
    scripted: ScriptedBackend,
) -> None:
    def check(wanted: InstalledModel, options: LoadOptions, *, freed: int) -> str:
        if wanted.id == other_model.id:
            raise OutOfMemory("Too big.")
        return ""

    engines = make_engines(memory_check=check)
    with engines.use(model, OPTIONS, go_on):
        pass
    with pytest.raises(OutOfMemory), engines.use(other_model, OPTIONS, go_on):
        pass
    assert scripted.sessions[0].alive
    with engines.use(model, OPTIONS, go_on):
        pass
    assert len(scripted.sessions) == 1


def test_a_warning_about_memory_comes_with_the_model(
    make_engines: MakeEngines, model: InstalledModel
) -> None:
    engines = make_engines(memory_check=lambda *_, **__: "It is tight.")
    with engines.use(model, OPTIONS, go_on):
        assert engines.state.info is not None
        assert engines.state.info.warnings == ("It is tight.",)


def test_without_an_engine_for_files_the_error_says_so(model: InstalledModel) -> None:
    engines = Engines({}, unload_after=lambda: 0.0)
    with pytest.raises(AppError, match="No engine"), engines.use(model, OPTIONS, go_on):
        pass
    engines.close()


def test_after_closing_nothing_is_loaded(
    make_engines: MakeEngines, model: InstalledModel, scripted: ScriptedBackend
) -> None:
    engines = make_engines()
    with engines.use(model, OPTIONS, go_on):
        pass
    engines.close()
    assert not scripted.sessions[0].alive
    with pytest.raises(LoadCancelled), engines.use(model, OPTIONS, go_on):
        pass
