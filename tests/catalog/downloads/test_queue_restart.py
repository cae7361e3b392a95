"""The queue survives its process, and shares its list with others that run at the same time."""

import threading
from pathlib import Path

import pytest

from catalog.downloads.queue import DownloadQueue
from catalog.downloads.wanted import DownloadState
from catalog.errors import CatalogError, DownloadError
from catalog.network import Network
from tests.catalog.downloads.queues import (
    PATIENCE_SECONDS,
    SIZE,
    Opened,
    ScriptedFetch,
    phases,
    request_of,
    state_of,
    until,
)


def ignore(state: DownloadState) -> None:
    pass


def run_aside(
    queue: DownloadQueue, name: str, cancelled: threading.Event, ended: list[DownloadState]
) -> threading.Thread:
    """`run_one` on a thread, as if another process did it."""
    thread = threading.Thread(
        target=lambda: ended.append(queue.run_one(request_of(name), ignore, cancelled))
    )
    thread.start()
    return thread


def test_a_restart_goes_on_with_everything_as_it_was(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    fetch.let_go("done.gguf", "failed.gguf")
    fetch.failures["failed.gguf"] = DownloadError("It broke.")
    with Opened(tmp_path, fetch) as queue:
        for name in ("done", "failed"):
            queue.add(request_of(name))
        until(lambda: phases(queue) == {"done": "done", "failed": "failed"})
        queue.add(request_of("paused"), paused=True)
        queue.add(request_of("running"))
        until(lambda: fetch.running == ["running.gguf"])
        before = queue.states()
    assert not fetch.running
    with Opened(tmp_path, fetch, started=False) as queue:
        after = queue.states()
        assert phases(queue) == {
            "done": "done",
            "failed": "failed",
            "paused": "paused",
            "running": "waiting",
        }
        assert after[:2] == before[:2]
        queue.start()
        until(lambda: fetch.running == ["running.gguf"])


def test_closing_ends_every_thread_and_what_comes_later_does_not_begin(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    threads = set(threading.enumerate())
    opened = Opened(tmp_path, fetch)
    queue = opened.queue
    heard: list[str] = []
    queue.subscribe(lambda states: heard.extend(state.phase for state in states))
    queue.add(request_of("one"))
    until(lambda: fetch.running)
    queue.close()
    assert not set(threading.enumerate()) - threads
    assert heard[-1] == "waiting"
    queue.close()
    queue.start()
    queue.add(request_of("two"))
    assert not set(threading.enumerate()) - threads
    assert fetch.begun == ["one.gguf"]


def test_a_cancel_that_a_crash_interrupted_is_finished_by_the_next_start(tmp_path: Path) -> None:
    part = tmp_path / "models/one.gguf.part"
    part.parent.mkdir()
    part.write_bytes(b"some")
    with Opened(tmp_path, ScriptedFetch(), started=False) as queue:
        queue.add(request_of("one"))
    listed = tmp_path / "downloads.json"
    listed.write_bytes(listed.read_bytes().replace(b'"waiting"', b'"cancelled"'))
    with Opened(tmp_path, ScriptedFetch()) as queue:
        assert queue.states() == ()
        until(lambda: not part.exists())
        until(lambda: b"one" not in listed.read_bytes())


def test_two_processes_never_fetch_the_same(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    with Opened(tmp_path, fetch) as one, Opened(tmp_path, fetch) as other:
        names = [f"model-{number}" for number in range(6)]
        for name in names:
            one.add(request_of(name))
        until(lambda: len(fetch.running) == 4)
        assert len({state.request.id for state in one.states() if state.phase == "running"}) == 4
        assert sum(state.elsewhere for state in one.states()) == 2
        fetch.let_all_go()
        until(lambda: set(phases(one).values()) == set(phases(other).values()) == {"done"})
    assert sorted(fetch.begun) == [f"{name}.gguf" for name in names]
    assert not fetch.twice


def test_another_process_can_add_pause_and_cancel_what_this_one_fetches(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    with Opened(tmp_path, fetch) as window, Opened(tmp_path, fetch, started=False) as line:
        name = line.add(request_of("one"))
        until(lambda: fetch.running == ["one.gguf"])
        assert state_of(line, "one").elsewhere
        line.pause(name)
        until(lambda: not fetch.running)
        assert phases(window) == {"one": "paused"}
        line.resume(name)
        until(lambda: fetch.running == ["one.gguf"])
        part = tmp_path / "models/one.gguf.part"
        part.parent.mkdir(exist_ok=True)
        part.write_bytes(b"some")
        line.cancel(name)
        until(lambda: not fetch.running)
        until(lambda: not part.exists())
        assert window.states() == line.states() == ()


def test_fetches_one_in_the_foreground(tmp_path: Path) -> None:
    seen: list[DownloadState] = []
    threads: set[threading.Thread] = set()
    fetch = ScriptedFetch()

    def on_state(state: DownloadState) -> None:
        seen.append(state)
        threads.add(threading.current_thread())
        fetch.let_all_go()

    with Opened(tmp_path, fetch, started=False) as queue:
        queue.add(request_of("bystander"))
        ended = queue.run_one(request_of("one"), on_state, threading.Event())
        assert phases(queue) == {"bystander": "waiting", "one": "done"}
    assert ended == seen[-1]
    assert (ended.phase, ended.path) == ("done", str(tmp_path / "models/one.gguf"))
    assert seen[0].phase == "running"
    assert threads == {threading.current_thread()}


def test_a_failure_in_the_foreground_is_kept_for_a_retry(tmp_path: Path) -> None:
    fetch = ScriptedFetch(held=False)
    fetch.failures["one.gguf"] = DownloadError("It broke.")
    with Opened(tmp_path, fetch, started=False) as queue:
        ended = queue.run_one(request_of("one"), ignore, threading.Event())
        assert ended.problem is not None
        assert (ended.phase, ended.problem.what) == ("failed", "It broke.")
        assert queue.run_one(request_of("one"), ignore, threading.Event()).phase == "done"
        assert queue.run_one(request_of("one"), ignore, threading.Event()).phase == "done"
    assert fetch.begun == ["one.gguf"] * 2


@pytest.mark.parametrize("interrupt", [False, True], ids=["cancelled", "interrupted"])
def test_a_cancel_in_the_foreground_leaves_it_paused(tmp_path: Path, interrupt: bool) -> None:
    fetch = ScriptedFetch()
    cancelled = threading.Event()

    def on_state(state: DownloadState) -> None:
        if not fetch.running:
            return
        if interrupt:
            raise KeyboardInterrupt
        cancelled.set()

    with Opened(tmp_path, fetch, started=False) as queue:
        if interrupt:
            with pytest.raises(KeyboardInterrupt):
                queue.run_one(request_of("one"), on_state, cancelled)
        else:
            ended = queue.run_one(request_of("one"), on_state, cancelled)
            assert (ended.phase, ended.done, ended.total) == ("paused", 0, SIZE)
        assert not fetch.running
        assert phases(queue) == {"one": "paused"}
        assert not state_of(queue, "one").elsewhere


def test_what_the_window_fetches_is_followed_in_the_foreground(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    seen: list[DownloadState] = []

    def on_state(state: DownloadState) -> None:
        seen.append(state)
        if state.elsewhere:
            fetch.let_all_go()

    with Opened(tmp_path, fetch) as window, Opened(tmp_path, fetch, started=False) as line:
        window.add(request_of("one"))
        until(lambda: fetch.running)
        ended = line.run_one(request_of("one"), on_state, threading.Event())
    assert ended.phase == "done"
    assert any(state.elsewhere for state in seen)
    assert fetch.begun == ["one.gguf"]


def test_a_cancel_while_following_leaves_it_to_the_window(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    cancelled = threading.Event()
    cancelled.set()
    with Opened(tmp_path, fetch) as window, Opened(tmp_path, fetch, started=False) as line:
        window.add(request_of("one"))
        until(lambda: fetch.running)
        ended = line.run_one(request_of("one"), ignore, cancelled)
        assert (ended.phase, ended.elsewhere) == ("running", True)
        assert fetch.running == ["one.gguf"]


def test_a_cancel_does_not_pause_what_the_queue_itself_fetches(tmp_path: Path) -> None:
    """A client of the server leaves, and the person has asked for the same model in the window."""
    fetch = ScriptedFetch()
    cancelled = threading.Event()
    cancelled.set()
    with Opened(tmp_path, fetch) as queue:
        queue.add(request_of("one"))
        until(lambda: fetch.running)
        assert queue.run_one(request_of("one"), ignore, cancelled).phase == "running"
        assert fetch.running == fetch.begun == ["one.gguf"]


def test_only_the_last_call_for_a_download_pauses_it(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    first, second = threading.Event(), threading.Event()
    followed = threading.Event()
    with Opened(tmp_path, fetch) as queue:
        leaving = run_aside(queue, "one", first, [])
        until(lambda: fetch.running)
        staying = threading.Thread(
            target=lambda: queue.run_one(request_of("one"), lambda _: followed.set(), second)
        )
        staying.start()
        assert followed.wait(PATIENCE_SECONDS)
        first.set()
        leaving.join()
        until(lambda: fetch.running)
        assert phases(queue) == {"one": "running"}
        second.set()
        staying.join()
        assert phases(queue) == {"one": "paused"}


def test_the_foreground_goes_on_where_the_window_closes(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    ended: list[DownloadState] = []
    with Opened(tmp_path, fetch, started=False) as line:
        with Opened(tmp_path, fetch) as window:
            window.add(request_of("one"))
            until(lambda: fetch.running)
            thread = run_aside(line, "one", threading.Event(), ended)
        fetch.let_all_go()
        thread.join()
    assert [state.phase for state in ended] == ["done"]
    assert fetch.begun == ["one.gguf"] * 2
    assert not fetch.twice


def test_the_window_can_pause_and_cancel_what_is_fetched_in_the_foreground(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    ended: list[DownloadState] = []
    with Opened(tmp_path, fetch, started=False) as line, Opened(tmp_path, fetch) as window:
        thread = run_aside(line, "one", threading.Event(), ended)
        until(lambda: phases(window) == {"one": "running"})
        assert state_of(window, "one").elsewhere
        window.pause("one:Q4_K_M")
        thread.join()
        thread = run_aside(line, "one", threading.Event(), ended)
        until(lambda: fetch.running)
        window.cancel("one:Q4_K_M")
        thread.join()
        assert window.states() == ()
    assert [state.phase for state in ended] == ["paused", "failed"]
    assert ended[1].problem is not None
    assert "taken off the list" in ended[1].problem.what


def test_an_unreadable_list_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "downloads.json").write_bytes(b'{"version": 99}')
    queue = Opened(tmp_path, ScriptedFetch(), started=False).queue
    for use in (
        queue.start,
        queue.states,
        lambda: queue.add(request_of("one")),
        lambda: queue.run_one(request_of("one"), ignore, threading.Event()),
    ):
        with pytest.raises(CatalogError, match="newer Causeway"):
            use()
    queue.close()


def test_a_list_that_becomes_unreadable_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fetch = ScriptedFetch()
    listed = tmp_path / "downloads.json"
    with Opened(tmp_path, fetch) as queue:
        queue.add(request_of("one"))
        until(lambda: fetch.running)
        before = tmp_path / "before.json"
        before.write_bytes(listed.read_bytes())
        newer = tmp_path / "newer.json"
        newer.write_bytes(b'{"version": 99}')
        newer.replace(listed)
        until(lambda: "newer Causeway" in caplog.text)
        before.replace(listed)
        fetch.let_all_go()
        until(lambda: phases(queue) == {"one": "done"})


def test_the_setting_of_the_network_is_not_asked_for_while_nothing_runs(tmp_path: Path) -> None:
    asked = 0

    def network() -> Network:
        nonlocal asked
        asked += 1
        return Network()

    with Opened(tmp_path, ScriptedFetch(), network=network) as queue:
        heard = threading.Event()
        queue.subscribe(lambda states: heard.set())
        queue.add(request_of("one"), paused=True)
        assert heard.wait(60)
    assert asked == 0
