"""Whatever a person does in whatever order: nothing is lost, nothing runs twice or too much."""

import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import DownloadError
from tests.catalog.downloads.queues import Opened, ScriptedFetch, request_of, until

NAMES = ("one", "two", "three", "four", "five")
AT_ONCE = 2

operations = st.lists(
    st.tuples(
        # What lets things run comes more often, or little would ever run at the same time.
        st.sampled_from(["add", "add", "add", "wait", "wait", "resume all"])
        | st.sampled_from(["add paused", "pause", "resume", "retry", "cancel", "remove", "move"])
        | st.sampled_from(["let go", "fail", "pause all", "clear", "restart"]),
        st.sampled_from(NAMES),
        st.integers(0, len(NAMES)),
    ),
    min_size=10,
    max_size=30,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(operations)
def test_no_order_of_wishes_loses_or_doubles_anything(
    wanted: list[tuple[str, str, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _follow(Path(folder), wanted)


def _follow(folder: Path, wanted: list[tuple[str, str, int]]) -> None:
    fetch = ScriptedFetch(seconds=0.02)
    opened = Opened(folder, fetch, at_once=lambda: AT_ONCE)
    listed: set[str] = set()
    try:
        for operation, name, position in wanted:
            queue, download_id = opened.queue, f"{name}:Q4_K_M"
            match operation:
                case "add" | "add paused":
                    queue.add(request_of(name), paused=operation == "add paused")
                    listed.add(name)
                case "cancel" | "remove":
                    (queue.cancel if operation == "cancel" else queue.remove)(download_id)
                    listed.discard(name)
                case "pause" | "resume" | "retry":
                    getattr(queue, operation)(download_id)
                case "move":
                    queue.move(download_id, position)
                case "let go":
                    fetch.let_go(f"{name}.gguf")
                case "fail":
                    fetch.failures[f"{name}.gguf"] = DownloadError("It broke.")
                case "pause all":
                    queue.pause_all()
                case "resume all":
                    queue.resume_all()
                case "clear":
                    done = {s.request.entry_id for s in queue.states() if s.phase == "done"}
                    queue.clear_finished()
                    left = {state.request.entry_id for state in queue.states()}
                    assert left >= listed - done - _finished(folder)
                    listed = left
                case "restart":
                    opened.queue.close()
                    opened = Opened(folder, fetch, at_once=lambda: AT_ONCE)
                case "wait":
                    time.sleep(0.03 * position)
            names = [state.request.entry_id for state in opened.queue.states()]
            assert sorted(names) == sorted(listed)
        fetch.failures.clear()
        fetch.let_all_go()
        queue = opened.queue
        queue.resume_all()
        until(lambda: queue.resume_all() or all(s.phase == "done" for s in queue.states()))
        assert {state.request.entry_id for state in queue.states()} == listed
        assert all((folder / "models" / f"{name}.gguf").exists() for name in listed)
        assert not fetch.twice
        assert fetch.most <= AT_ONCE
    finally:
        opened.queue.close()


def _finished(folder: Path) -> set[str]:
    """What may have been done between two looks."""
    return {path.stem for path in (folder / "models").glob("*.gguf")}
