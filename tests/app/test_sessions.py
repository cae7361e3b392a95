import contextlib
import threading
from collections.abc import Iterator

import pytest

from app.errors import AppError
from app.models import OfferedModel
from app.sessions import Sessions
from backends.errors import LoadCancelled
from backends.protocol import Backend, Capabilities, LoadOptions, LoadProgress, Session
from backends.testing import HELLO, text_of
from tests.scripted_backend import Script, ScriptedBackend


def go_on(fraction: float) -> bool:
    return True


def offered(backend: str = "theirs", model: str = "scripted", *, leaves: bool = False):
    return OfferedModel(
        id=f"{backend}:{model}",
        name=model.title(),
        backend=backend,
        model=model,
        source="Theirs",
        leaves=leaves,
    )


class Elsewhere(ScriptedBackend):
    def __init__(self, script: Script = Script(), *, parallel: bool = True) -> None:  # noqa: B008
        super().__init__(script, parallel=parallel)
        self.capabilities = Capabilities(parallel=parallel)


@pytest.fixture
def make_sessions(make_engines) -> Iterator:
    with contextlib.ExitStack() as stack:

        def make(backends: dict[str, Backend], *, offline: bool = False) -> Sessions:
            sessions = Sessions(
                make_engines(),
                make_engines(),
                Capabilities(local=True),
                lambda: backends,
                offline=lambda: offline,
            )
            stack.callback(sessions.close)
            return sessions

        yield make


def test_a_file_is_answered_by_the_engines_and_another_by_its_own_backend(
    make_sessions, model, scripted
):
    theirs = Elsewhere(Script(tokens=("Theirs",)))
    sessions = make_sessions({"theirs": theirs})
    with sessions.use(model, LoadOptions(), go_on) as session:
        assert text_of(list(session.chat(HELLO))) == "Hello, world."
    with sessions.use(offered(), LoadOptions(), go_on) as session:
        assert text_of(list(session.chat(HELLO))) == "Theirs"
    assert len(scripted.sessions) == len(theirs.sessions) == 1


def test_models_for_vectors_have_an_engine_beside_the_chats(make_sessions, model, scripted):
    sessions = make_sessions({})
    with (
        sessions.use(model, LoadOptions(), go_on) as chatting,
        sessions.use(model, LoadOptions(embedding=True), go_on) as embedding,
    ):
        assert chatting is not embedding
        assert chatting.alive
        assert embedding.alive


def test_one_session_serves_those_who_ask_at_once_and_the_next(make_sessions):
    theirs = Elsewhere()
    sessions = make_sessions({"theirs": theirs})
    with (
        sessions.use(offered(), LoadOptions(), go_on) as one,
        sessions.use(offered(), LoadOptions(), go_on) as other,
    ):
        assert one is other
    with sessions.use(offered(), LoadOptions(), go_on):
        pass
    assert len(theirs.sessions) == 1


def test_who_can_do_one_thing_at_a_time_is_waited_for(make_sessions):
    theirs = Elsewhere(parallel=False)
    sessions = make_sessions({"theirs": theirs})
    waited = threading.Event()
    order: list[str] = []

    def second() -> None:
        with sessions.use(offered(), LoadOptions(), go_on, on_wait=waited.set):
            order.append("second")

    with sessions.use(offered(), LoadOptions(), go_on):
        thread = threading.Thread(target=second)
        thread.start()
        assert waited.wait(60)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert len(theirs.sessions) == 1


def test_a_wait_can_be_given_up(make_sessions):
    sessions = make_sessions({"theirs": Elsewhere(parallel=False)})
    cancelled = threading.Event()
    with (
        sessions.use(offered(), LoadOptions(), go_on),
        pytest.raises(LoadCancelled),
        sessions.use(offered(), LoadOptions(), go_on, cancelled=cancelled, on_wait=cancelled.set),
    ):
        pytest.fail("it was not to be had")


def test_a_dead_session_is_replaced(make_sessions):
    theirs = Elsewhere()
    sessions = make_sessions({"theirs": theirs})
    with sessions.use(offered(), LoadOptions(), go_on) as session:
        session.close()
    with sessions.use(offered(), LoadOptions(), go_on) as session:
        assert session.alive
    assert len(theirs.sessions) == 2


class Mortal(Elsewhere):
    """Its sessions can die by themselves, and count how often they are closed."""

    def open(self, model: str, options: LoadOptions, on_progress: LoadProgress) -> "MortalSession":
        session = MortalSession(super().open(model, options, on_progress))
        self.opened.append(session)
        return session

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[MortalSession] = []


class MortalSession:
    def __init__(self, session: Session) -> None:
        self._session = session
        self.alive = True
        self.closed = 0
        self.info = session.info
        self.chat = session.chat
        self.count_tokens = session.count_tokens
        self.embed = session.embed

    def close(self) -> None:
        self.closed += 1
        self.alive = False
        self._session.close()


def test_one_that_died_while_it_was_idle_is_closed_before_another_is_opened(make_sessions):
    theirs = Mortal()
    sessions = make_sessions({"theirs": theirs})
    with sessions.use(offered(), LoadOptions(), go_on):
        pass
    theirs.opened[0].alive = False
    with sessions.use(offered(), LoadOptions(), go_on) as session:
        assert session is theirs.opened[1]
        assert theirs.opened[0].closed == 1
    sessions.close()
    assert [each.closed for each in theirs.opened] == [1, 1]


def test_one_that_dies_in_use_is_closed_when_its_last_user_leaves(make_sessions):
    theirs = Mortal()
    sessions = make_sessions({"theirs": theirs})
    with sessions.use(offered(), LoadOptions(), go_on):
        with sessions.use(offered(), LoadOptions(), go_on):
            theirs.opened[0].alive = False
        assert theirs.opened[0].closed == 0
    assert theirs.opened[0].closed == 1
    sessions.close()
    assert theirs.opened[0].closed == 1


def test_one_that_died_is_replaced_while_it_still_has_a_user(make_sessions):
    theirs = Mortal()
    sessions = make_sessions({"theirs": theirs})
    with sessions.use(offered(), LoadOptions(), go_on):
        theirs.opened[0].alive = False
        with sessions.use(offered(), LoadOptions(), go_on) as session:
            assert session is theirs.opened[1]
    assert [each.closed for each in theirs.opened] == [1, 0]


def test_one_that_fails_to_close_keeps_nobody_from_the_next(make_sessions):
    theirs = Mortal()
    sessions = make_sessions({"theirs": theirs})
    with sessions.use(offered(), LoadOptions(), go_on):
        pass

    def fail() -> None:
        raise RuntimeError("of the plug-in")

    theirs.opened[0].alive = False
    theirs.opened[0].close = fail
    with sessions.use(offered(), LoadOptions(), go_on) as session:
        assert session.alive


def test_an_engine_here_keeps_one_model_open_at_a_time(make_sessions):
    theirs = ScriptedBackend()
    sessions = make_sessions({"theirs": theirs})
    for name in ("one", "two"):
        with sessions.use(offered(model=name), LoadOptions(), go_on):
            pass
    assert [session.alive for session in theirs.sessions] == [False, True]


def test_a_failed_opening_is_tried_again_by_the_next(make_sessions):
    theirs = Elsewhere(Script(load_error=LoadCancelled("Not now.")))
    sessions = make_sessions({"theirs": theirs})
    with pytest.raises(LoadCancelled), sessions.use(offered(), LoadOptions(), go_on):
        pass
    theirs.script = Script()
    with sessions.use(offered(), LoadOptions(), go_on) as session:
        assert session.alive


def test_offline_forbids_what_leaves_and_only_that(make_sessions):
    theirs = Elsewhere()
    sessions = make_sessions({"theirs": theirs}, offline=True)
    with (
        pytest.raises(AppError, match="stay offline"),
        sessions.use(offered(leaves=True), LoadOptions(), go_on),
    ):
        pass
    assert not theirs.sessions
    with sessions.use(offered(), LoadOptions(), go_on) as session:
        assert session.alive


def test_a_backend_that_is_gone_is_said_in_words(make_sessions):
    sessions = make_sessions({})
    with (
        pytest.raises(AppError, match="no longer there"),
        sessions.use(offered(), LoadOptions(), go_on),
    ):
        pass


def test_closing_ends_what_is_open_and_opens_nothing_more(make_sessions):
    theirs = Elsewhere()
    sessions = make_sessions({"theirs": theirs})
    opened: list[Session] = []
    with sessions.use(offered(), LoadOptions(), go_on) as session:
        opened.append(session)
        sessions.close()
    assert not opened[0].alive
    with pytest.raises(LoadCancelled), sessions.use(offered(), LoadOptions(), go_on):
        pass
