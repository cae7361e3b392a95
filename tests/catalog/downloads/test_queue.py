"""The queue does what a person wants of it, whatever the fetch of one file meets."""

import errno
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from catalog.downloads.fetch import FetchedFile
from catalog.downloads.wanted import DownloadProblem, DownloadState
from catalog.errors import CatalogError, DownloadCancelled, DownloadError
from catalog.network import Network
from catalog.progress import DownloadProgress
from tests.catalog.downloads.queues import (
    SIZE,
    Opened,
    ScriptedFetch,
    file_of,
    phases,
    request_of,
    state_of,
    until,
)


def test_fetches_two_at_a_time_in_order(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    with Opened(tmp_path, fetch) as queue:
        for name in ("one", "two", "three"):
            queue.add(request_of(name))
        until(lambda: len(fetch.running) == 2)
        assert phases(queue) == {"one": "running", "two": "running", "three": "waiting"}
        fetch.let_go("one.gguf")
        until(lambda: "three.gguf" in fetch.running)
        fetch.let_all_go()
        until(lambda: set(phases(queue).values()) == {"done"})
    assert fetch.begun == ["one.gguf", "two.gguf", "three.gguf"]
    assert fetch.most == 2


def test_what_is_done_says_where_it_lies_and_stays_until_it_is_cleared(tmp_path: Path) -> None:
    noted: list[tuple[DownloadState, Sequence[FetchedFile]]] = []
    phase_at_note: list[str] = []

    def on_done(state: DownloadState, fetched: Sequence[FetchedFile]) -> None:
        noted.append((state, fetched))
        phase_at_note.extend(phases(queue).values())

    with Opened(tmp_path, ScriptedFetch(held=False), on_done=on_done) as queue:
        queue.add(request_of("one", file_of("a/one.gguf"), file_of("a/eye.gguf", role="projector")))
        until(lambda: phases(queue) == {"one": "done"})
        state = state_of(queue, "one")
        assert state.path == str(tmp_path / "models" / "a" / "one.gguf")
        assert state.done == state.total == 2 * SIZE
        assert state.finished_at >= state.added_at > 0
        queue.clear_finished()
        assert queue.states() == ()
    assert (tmp_path / "models/a/one.gguf").exists()
    ((told, fetched),) = noted
    assert (told.phase, told.path) == ("done", state.path)
    assert [each.path.name for each in fetched] == ["one.gguf", "eye.gguf"]
    assert phase_at_note == ["running"]


def test_a_listener_of_the_end_that_fails_harms_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def on_done(state: DownloadState, fetched: Sequence[FetchedFile]) -> None:
        raise OSError("the library is gone")

    with Opened(tmp_path, ScriptedFetch(held=False), on_done=on_done) as queue:
        queue.add(request_of("one"))
        until(lambda: phases(queue) == {"one": "done"})
    assert "the library is gone" in caplog.text


def test_tells_bytes_speed_and_time_left_of_one_and_of_all(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    with Opened(tmp_path, fetch) as queue:
        queue.add(request_of("one", file_of("one-1.gguf"), file_of("one-2.gguf")))
        queue.add(request_of("two", file_of("two.gguf", size=None)))
        fetch.let_go("one-1.gguf")
        until(lambda: state_of(queue, "one").done == SIZE + SIZE // 2)
        state = state_of(queue, "one")
        assert (state.stage, state.total) == ("downloading", 2 * SIZE)
        assert state.bytes_per_second == pytest.approx(100, rel=0.5)
        assert state.seconds_left is not None
        assert state.seconds_left >= 5
        until(lambda: state_of(queue, "two").total == SIZE)
        until(lambda: queue.total_speed() > 0)
        until(lambda: any(queue.speed_history()))
        assert len(queue.speed_history()) <= 60


def test_the_speed_fades_when_nothing_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.downloads.run._FADING_SECONDS", 0.2)
    with Opened(tmp_path, ScriptedFetch()) as queue:
        queue.add(request_of("one"))
        until(lambda: queue.total_speed() > 0)
        until(lambda: queue.total_speed() == 0)
        assert state_of(queue, "one").seconds_left is None


def test_pause_ends_a_running_one_and_resume_lets_it_go_on(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    with Opened(tmp_path, fetch) as queue:
        name = queue.add(request_of("one"))
        until(lambda: fetch.running)
        queue.pause(name)
        assert phases(queue) == {"one": "paused"}
        until(lambda: not fetch.running)
        queue.resume(name)
        until(lambda: fetch.running)
        fetch.let_all_go()
        until(lambda: phases(queue) == {"one": "done"})
    assert fetch.begun == ["one.gguf"] * 2


def test_pausing_all_makes_room_for_nobody(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    with Opened(tmp_path, fetch) as queue:
        for name in ("one", "two", "three"):
            queue.add(request_of(name))
        until(lambda: len(fetch.running) == 2)
        queue.pause_all()
        until(lambda: not fetch.running)
        assert set(phases(queue).values()) == {"paused"}
        queue.resume_all()
        fetch.let_all_go()
        until(lambda: set(phases(queue).values()) == {"done"})
    assert fetch.begun[:2] == ["one.gguf", "two.gguf"]
    assert fetch.begun.count("three.gguf") == 1


def test_a_failure_says_what_and_why_and_can_be_retried(tmp_path: Path) -> None:
    fetch = ScriptedFetch(held=False)
    fetch.failures["one.gguf"] = DownloadError("It broke.", "The wire was cut.", "Mend it.")
    with Opened(tmp_path, fetch) as queue:
        name = queue.add(request_of("one"))
        queue.add(request_of("two"))
        until(lambda: phases(queue) == {"one": "failed", "two": "done"})
        assert state_of(queue, "one").problem == DownloadProblem(
            "It broke.", "The wire was cut.", "Mend it."
        )
        queue.retry(name)
        until(lambda: phases(queue)["one"] == "done")
        assert state_of(queue, "one").problem is None


def test_a_bug_in_a_fetch_fails_that_one_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fetch = ScriptedFetch(held=False)
    fetch.failures["one.gguf"] = ZeroDivisionError("by zero")
    with Opened(tmp_path, fetch) as queue:
        queue.add(request_of("one"))
        queue.add(request_of("two"))
        until(lambda: phases(queue) == {"one": "failed", "two": "done"})
        problem = state_of(queue, "one").problem
    assert problem is not None
    assert "by zero" in problem.why
    assert "by zero" in caplog.text


def test_what_failed_goes_on_with_all(tmp_path: Path) -> None:
    fetch = ScriptedFetch(held=False)
    fetch.failures["one.gguf"] = DownloadError("It broke.")
    with Opened(tmp_path, fetch) as queue:
        queue.add(request_of("one"))
        until(lambda: phases(queue) == {"one": "failed"})
        queue.resume_all()
        until(lambda: phases(queue) == {"one": "done"})


def test_the_same_thing_twice_is_one(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    with Opened(tmp_path, fetch) as queue:
        assert queue.add(request_of("one")) == queue.add(request_of("one"))
        until(lambda: fetch.running)
        queue.add(request_of("one"))
        queue.add(request_of("one"), paused=True)
        fetch.let_all_go()
        until(lambda: phases(queue) == {"one": "done"})
        queue.add(request_of("one"))
        assert phases(queue) == {"one": "done"}
    assert fetch.begun == ["one.gguf"]


def test_what_is_asked_for_again_goes_on(tmp_path: Path) -> None:
    with Opened(tmp_path, ScriptedFetch(), started=False) as queue:
        queue.add(request_of("one"), paused=True)
        assert phases(queue) == {"one": "paused"}
        queue.add(request_of("one"))
        assert phases(queue) == {"one": "waiting"}


def test_what_is_done_but_gone_is_fetched_again(tmp_path: Path) -> None:
    fetch = ScriptedFetch(held=False)
    with Opened(tmp_path, fetch) as queue:
        queue.add(request_of("one"))
        until(lambda: phases(queue) == {"one": "done"})
        (tmp_path / "models/one.gguf").unlink()
        queue.add(request_of("one"))
        until(lambda: (tmp_path / "models/one.gguf").exists())
        until(lambda: phases(queue) == {"one": "done"})


def test_more_files_of_a_running_download_are_fetched_too(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    with Opened(tmp_path, fetch) as queue:
        queue.add(request_of("one"))
        until(lambda: fetch.running)
        queue.add(request_of("one", file_of("one.gguf"), file_of("eye.gguf", role="projector")))
        fetch.let_all_go()
        until(lambda: phases(queue) == {"one": "done"})
    assert (tmp_path / "models/eye.gguf").exists()


def test_reorders_what_waits(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    with Opened(tmp_path, fetch, at_once=lambda: 1) as queue:
        for name in ("one", "two", "three"):
            queue.add(request_of(name))
        until(lambda: fetch.running)
        queue.move("three:Q4_K_M", 1)
        assert list(phases(queue)) == ["one", "three", "two"]
        queue.move("two:Q4_K_M", 0)
        assert list(phases(queue)) == ["two", "one", "three"]
        queue.move("two:Q4_K_M", 99)
        queue.move("nothing", 0)
        fetch.let_all_go()
        until(lambda: set(phases(queue).values()) == {"done"})
    assert fetch.begun == ["one.gguf", "three.gguf", "two.gguf"]


def test_cancel_deletes_what_it_brought_and_nothing_else(tmp_path: Path) -> None:
    models = tmp_path / "models"
    (models / "a").mkdir(parents=True)
    (models / "a/old.gguf").write_bytes(bytes(SIZE))
    fetch = ScriptedFetch()
    fetch.let_go("a/old.gguf", "a/new.gguf", "b/shared.gguf")
    with Opened(tmp_path, fetch) as queue:
        queue.add(request_of("other", file_of("b/shared.gguf")))
        until(lambda: phases(queue) == {"other": "done"})
        name = queue.add(
            request_of(
                "one",
                file_of("a/old.gguf"),
                file_of("a/new.gguf"),
                file_of("b/shared.gguf"),
                file_of("c/held.gguf"),
            )
        )
        until(lambda: fetch.running == ["c/held.gguf"])
        (models / "c").mkdir()
        (models / "c/held.gguf.part").write_bytes(b"some")
        queue.cancel(name)
        assert phases(queue) == {"other": "done"}
        until(lambda: not (models / "a/new.gguf").exists())
        until(lambda: not fetch.running)
    left = sorted(str(path.relative_to(models)) for path in models.rglob("*"))
    assert left == ["a", "a/old.gguf", "b", "b/shared.gguf"]


def test_what_another_download_brought_outlives_its_place_in_the_list(tmp_path: Path) -> None:
    eye = file_of("eye.gguf", role="projector")
    fetch = ScriptedFetch()
    fetch.let_go("one.gguf", "eye.gguf")
    with Opened(tmp_path, fetch) as queue:
        queue.add(request_of("one", file_of("one.gguf"), eye))
        until(lambda: phases(queue) == {"one": "done"})
        two = queue.add(request_of("two", eye, file_of("two.gguf")))
        queue.clear_finished()
        queue.cancel(two)
        until(lambda: not queue.states() and not fetch.running)
    assert (tmp_path / "models/eye.gguf").exists()


def test_cancelling_a_paused_one_deletes_its_part_at_once(tmp_path: Path) -> None:
    part = tmp_path / "models/one.gguf.part"
    part.parent.mkdir()
    part.write_bytes(b"some")
    with Opened(tmp_path, ScriptedFetch(), started=False) as queue:
        name = queue.add(request_of("one"), paused=True)
        queue.cancel(name)
        assert queue.states() == ()
        assert not part.exists()


def test_on_a_full_disk_a_cancel_makes_room_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = tmp_path / "models/one.gguf.part"
    part.parent.mkdir()
    part.write_bytes(b"some")
    store = os.fsync

    def fill(descriptor: int) -> None:
        if part.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        store(descriptor)

    with Opened(tmp_path, ScriptedFetch(), started=False) as queue:
        name = queue.add(request_of("one"), paused=True)
        monkeypatch.setattr(os, "fsync", fill)
        queue.cancel(name)
        assert not part.exists()
    with Opened(tmp_path, ScriptedFetch(), started=False) as queue:
        assert queue.states() == ()


def test_a_cancel_that_makes_no_room_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Opened(tmp_path, ScriptedFetch(), started=False) as queue:
        name = queue.add(request_of("one"), paused=True)
        monkeypatch.setattr(os, "fsync", fill)
        with pytest.raises(CatalogError, match="No space left"):
            queue.cancel(name)


def test_cancelling_what_is_done_deletes_nothing(tmp_path: Path) -> None:
    with Opened(tmp_path, ScriptedFetch(held=False)) as queue:
        name = queue.add(request_of("one"))
        until(lambda: phases(queue) == {"one": "done"})
        queue.cancel(name)
        assert queue.states() == ()
        assert (tmp_path / "models/one.gguf").exists()


def test_asked_for_again_right_after_a_cancel_it_is_fetched(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    with Opened(tmp_path, fetch) as queue:
        name = queue.add(request_of("one"))
        until(lambda: fetch.running)
        queue.cancel(name)
        queue.add(request_of("one"))
        fetch.let_all_go()
        until(lambda: phases(queue) == {"one": "done"})
        assert (tmp_path / "models/one.gguf").exists()
    assert not fetch.twice


def test_cancelled_at_the_very_end_it_is_not_done(tmp_path: Path) -> None:
    noted: list[DownloadState] = []
    fetch = ScriptedFetch(held=False)

    def cancelled_meanwhile(wanted, folder, **others):  # type: ignore[no-untyped-def]
        fetched = fetch(wanted, folder, **others)
        queue.cancel("one:Q4_K_M")
        return fetched

    with Opened(
        tmp_path, cancelled_meanwhile, on_done=lambda state, fetched: noted.append(state)
    ) as queue:
        queue.add(request_of("one"))
        until(lambda: fetch.begun and not queue.states())
        until(lambda: not list((tmp_path / "models").iterdir()))
    assert not noted


def test_paused_at_the_very_end_it_is_done(tmp_path: Path) -> None:
    fetch = ScriptedFetch(held=False)

    def paused_meanwhile(wanted, folder, **others):  # type: ignore[no-untyped-def]
        fetched = fetch(wanted, folder, **others)
        queue.pause_all()
        return fetched

    with Opened(tmp_path, paused_meanwhile) as queue:
        queue.add(request_of("one"))
        until(lambda: phases(queue) == {"one": "done"})


def test_paused_while_it_fails_it_stays_paused(tmp_path: Path) -> None:
    def pause_and_fail(wanted, folder, **others):  # type: ignore[no-untyped-def]
        queue.pause_all()
        raise DownloadError("The line went dead.")

    with Opened(tmp_path, pause_and_fail) as queue:
        queue.add(request_of("one"))
        until(lambda: phases(queue) == {"one": "paused"})
    assert phases(queue) == {"one": "paused"}


def test_removing_forgets_and_keeps_the_bytes(tmp_path: Path) -> None:
    part = tmp_path / "models/one.gguf.part"
    part.parent.mkdir()
    part.write_bytes(b"some")
    fetch = ScriptedFetch()
    with Opened(tmp_path, fetch) as queue:
        name = queue.add(request_of("one"))
        until(lambda: fetch.running)
        queue.remove(name)
        assert queue.states() == ()
        until(lambda: not fetch.running)
    assert part.exists()


def test_offline_what_runs_fails_at_once_in_words(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    network = Network()
    with Opened(tmp_path, fetch, network=lambda: network) as queue:
        name = queue.add(request_of("one"))
        until(lambda: fetch.running)
        network = Network(offline=True)
        until(lambda: phases(queue) == {"one": "failed"})
        problem = state_of(queue, "one").problem
        assert problem is not None
        assert "offline" in problem.what
        network = Network()
        queue.retry(name)
        until(lambda: fetch.running)


def test_downloads_with_a_file_in_common_run_one_after_the_other(tmp_path: Path) -> None:
    eye = file_of("eye.gguf", role="projector")
    fetch = ScriptedFetch()
    with Opened(tmp_path, fetch, at_once=lambda: 3) as queue:
        queue.add(request_of("one", file_of("one.gguf"), eye))
        queue.add(request_of("two", file_of("two.gguf"), eye))
        queue.add(request_of("three"))
        until(lambda: fetch.running == ["one.gguf", "three.gguf"])
        assert phases(queue) == {"one": "running", "two": "waiting", "three": "running"}
        fetch.let_all_go()
        until(lambda: set(phases(queue).values()) == {"done"})


def test_tells_what_holds_a_download_up(tmp_path: Path) -> None:
    def held_up(wanted, folder, *, on_progress, cancelled, **others):  # type: ignore[no-untyped-def]
        on_progress(DownloadProgress("downloading", 5, SIZE, 9.0, 1.0, "The line is busy.", True))
        cancelled.wait()
        raise DownloadCancelled("The download was cancelled.")

    with Opened(tmp_path, held_up) as queue:
        queue.add(request_of("one"))
        until(lambda: state_of(queue, "one").note == "The line is busy.")
        assert state_of(queue, "one").elsewhere
        assert queue.total_speed() == 0


def test_nothing_is_fetched_before_the_start(tmp_path: Path) -> None:
    fetch = ScriptedFetch(held=False)
    with Opened(tmp_path, fetch, started=False) as queue:
        queue.add(request_of("one"))
        assert phases(queue) == {"one": "waiting"}
        assert not fetch.begun
        queue.start()
        until(lambda: phases(queue) == {"one": "done"})


def test_a_changed_number_at_once_counts_at_once(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    at_once = 1
    with Opened(tmp_path, fetch, at_once=lambda: at_once) as queue:
        for name in ("one", "two", "three"):
            queue.add(request_of(name))
        until(lambda: len(fetch.running) == 1)
        at_once = 3
        until(lambda: len(fetch.running) == 3)


@pytest.mark.parametrize(
    "target", ["../evil.gguf", "/etc/evil.gguf", "a/../../b.gguf", "C:/x.gguf"]
)
def test_refuses_a_file_that_would_leave_the_folder(tmp_path: Path, target: str) -> None:
    with (
        Opened(tmp_path, ScriptedFetch(), started=False) as queue,
        pytest.raises(CatalogError, match="leave the models folder"),
    ):
        queue.add(request_of("evil", file_of(target)))
    assert not (tmp_path / "downloads.json").exists()


def test_listeners_hear_of_each_phase_and_of_the_end(tmp_path: Path) -> None:
    heard: list[str] = []
    fetch = ScriptedFetch()
    with Opened(tmp_path, fetch) as queue:
        unsubscribe = queue.subscribe(lambda states: heard.extend(s.phase for s in states))
        name = queue.add(request_of("one"))
        until(lambda: "running" in heard)
        queue.pause(name)
        until(lambda: heard[-1] == "paused")
        queue.resume(name)
        until(lambda: heard[-1] == "running")
        fetch.let_all_go()
        until(lambda: heard[-1] == "done")
        unsubscribe()
        before = list(heard)
        queue.clear_finished()
        queue.add(request_of("two"))
        until(lambda: phases(queue) == {"two": "done"})
    assert heard == before


def test_listeners_hear_at_most_ten_times_a_second(tmp_path: Path) -> None:
    def busy_fetch(wanted, folder, *, on_progress, cancelled, **others):  # type: ignore[no-untyped-def]
        done = 0
        while not cancelled.wait(0.001):
            done += 1
            on_progress(DownloadProgress("downloading", done, 10**6, 1000.0, 1.0))
        raise DownloadCancelled("The download was cancelled.")

    heard = threading.Semaphore(0)
    with Opened(tmp_path, busy_fetch) as queue:
        queue.add(request_of("one"))
        until(lambda: state_of(queue, "one").done > 0)
        began = state_of(queue, "one").done
        queue.subscribe(lambda states: heard.release())
        for _ in range(5):
            assert heard.acquire(timeout=20)
        # Reports came a hundred times as often as they were passed on; ten is ample for a slow machine.
        assert state_of(queue, "one").done - began > 50


def test_a_listener_that_fails_does_not_stop_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    def broken(states: object) -> None:
        raise ValueError("no ears")

    with Opened(tmp_path, ScriptedFetch(held=False)) as queue:
        queue.subscribe(broken)
        queue.subscribe(lambda states: heard.extend(state.phase for state in states))
        queue.add(request_of("one"))
        until(lambda: "done" in heard)
    assert "no ears" in caplog.text


def test_a_listener_may_use_the_queue(tmp_path: Path) -> None:
    fetch = ScriptedFetch()
    with Opened(tmp_path, fetch) as queue:

        def pause_it(states: tuple[DownloadState, ...]) -> None:
            if any(state.phase == "running" for state in states):
                queue.pause_all()

        queue.subscribe(pause_it)
        queue.add(request_of("one"))
        until(lambda: phases(queue) == {"one": "paused"} and not fetch.running)


def test_what_is_gone_already_is_no_error(tmp_path: Path) -> None:
    with Opened(tmp_path, ScriptedFetch(), started=False) as queue:
        for wish in (queue.pause, queue.resume, queue.retry, queue.cancel, queue.remove):
            wish("nothing:Q4_0")
        assert queue.states() == ()
