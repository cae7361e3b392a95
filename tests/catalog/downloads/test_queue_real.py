"""The queue with the real fetch, a real server on loopback, and processes that die."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from catalog.catalogues.entries import HubFile
from catalog.downloads.fetch import fetch_file
from catalog.downloads.queue import DownloadQueue
from catalog.downloads.wanted import DownloadRequest, DownloadState, WantedFile
from catalog.hub.errors import HubError
from catalog.network import Network
from catalog.remote_file import RemoteFile
from tests.catalog.downloads.queues import Opened, file_of, phases, request_of, state_of, until
from tests.catalog.file_server import FileServer

CONTENT = {
    "one.gguf": os.urandom(3_000_000),
    "two.gguf": os.urandom(2_000_000),
    "eye.gguf": os.urandom(500_000),
}

PROCESS = """
import sys, threading
from pathlib import Path
from tests.catalog.downloads.queues import Opened
from catalog.downloads.fetch import fetch_file
with Opened(Path(sys.argv[1]), fetch_file) as queue:
    print("started", flush=True)
    sys.stdin.read()
"""


def requests_of(server: FileServer) -> tuple[DownloadRequest, DownloadRequest]:
    files = {
        name: file_of(f"owner/model/{name}", url=f"{server.url}/{name}", size=len(content))
        for name, content in CONTENT.items()
    }
    return request_of("one", files["one.gguf"], files["eye.gguf"]), request_of(
        "two", files["two.gguf"]
    )


def add_both(queue: DownloadQueue, server: FileServer) -> None:
    for request in requests_of(server):
        queue.add(request)


def is_right(folder: Path) -> bool:
    models = folder / "models/owner/model"
    return {path.name: path.read_bytes() for path in models.iterdir()} == CONTENT


def sent(server: FileServer) -> int:
    return sum(request.sent for request in server.requests)


def done(queue: DownloadQueue) -> bool:
    return set(phases(queue).values()) == {"done"}


def test_fetches_models_with_their_projector(tmp_path: Path) -> None:
    with FileServer(CONTENT) as server, Opened(tmp_path, fetch_file) as queue:
        add_both(queue, server)
        until(lambda: done(queue))
        assert state_of(queue, "one").done == 3_500_000
    assert is_right(tmp_path)


def test_pausing_keeps_the_bytes_and_ends_the_connection(tmp_path: Path) -> None:
    with (
        FileServer(CONTENT, bytes_per_second_per_connection=400_000) as server,
        Opened(tmp_path, fetch_file) as queue,
    ):
        request, _ = requests_of(server)
        queue.add(request)
        until(lambda: state_of(queue, "one").done > 300_000)
        queue.pause(request.id)
        until(lambda: state_of(queue, "one").bytes_per_second == 0 and not queue.total_speed())
        paused = state_of(queue, "one")
        assert 0 < paused.done < 3_500_000
        assert paused.total == 3_500_000
        server.bytes_per_second = 0
        queue.resume(request.id)
        until(lambda: done(queue))
        assert sent(server) < 3_500_000 + 1_500_000


def test_cancelling_leaves_an_empty_folder(tmp_path: Path) -> None:
    with (
        FileServer(CONTENT, bytes_per_second_per_connection=400_000) as server,
        Opened(tmp_path, fetch_file) as queue,
    ):
        add_both(queue, server)
        until(lambda: all(state.done > 100_000 for state in queue.states()))
        for state in queue.states():
            queue.cancel(state.request.id)
        until(lambda: not list((tmp_path / "models").iterdir()))


def test_what_a_killed_process_fetched_is_not_fetched_again(tmp_path: Path) -> None:
    with FileServer(CONTENT, bytes_per_second_per_connection=400_000) as server:
        with Opened(tmp_path, fetch_file, started=False) as queue:
            add_both(queue, server)
        with subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            until(lambda: sent(server) > 1_500_000)
            process.kill()
        server.bytes_per_second = 0
        with Opened(tmp_path, fetch_file, started=False) as queue:
            assert set(phases(queue).values()) == {"waiting"}
            assert all(state.done > 0 for state in queue.states())
            queue.start()
            until(lambda: done(queue))
        until(lambda: not list(tmp_path.glob("*.lock")))
        # What was in the pipe when the process died is lost, and no more.
        assert sent(server) < sum(map(len, CONTENT.values())) * 1.5
    assert is_right(tmp_path)


def test_a_live_process_and_this_one_share_the_work(tmp_path: Path) -> None:
    with (
        FileServer(CONTENT, bytes_per_second_per_connection=1_000_000) as server,
        Opened(tmp_path, fetch_file, at_once=lambda: 1) as queue,
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        add_both(queue, server)
        until(lambda: [state.elsewhere for state in queue.states()].count(True) == 1)
        until(lambda: done(queue))
        process.communicate()
        assert process.returncode == 0
        assert sent(server) == sum(map(len, CONTENT.values()))
    assert is_right(tmp_path)


@pytest.mark.parametrize("fault", ["reset", "cut", "503", "429"])
def test_a_passing_fault_is_not_the_persons_business(tmp_path: Path, fault: str) -> None:
    with (
        FileServer(CONTENT, faults=[fault]) as server,  # type: ignore[list-item]
        Opened(tmp_path, fetch_file, started=False) as queue,
    ):
        request, _ = requests_of(server)
        ended = queue.run_one(request, lambda state: None, threading.Event())
    assert ended.phase == "done"


def test_a_lasting_fault_is_said_in_words_and_the_retry_goes_on(tmp_path: Path) -> None:
    seen: list[DownloadState] = []
    with (
        FileServer(CONTENT, faults=["404"], always=True) as server,
        Opened(tmp_path, fetch_file, started=False) as queue,
    ):
        request, _ = requests_of(server)
        ended = queue.run_one(request, seen.append, threading.Event())
        assert ended.phase == "failed"
        assert ended.problem is not None
        assert "does not have" in ended.problem.what
        server.faults.clear()
        assert queue.run_one(request, seen.append, threading.Event()).phase == "done"


def test_offline_what_waits_fails_at_once_in_words_and_can_be_retried(tmp_path: Path) -> None:
    network = Network(offline=True)
    with (
        FileServer(CONTENT) as server,
        Opened(tmp_path, fetch_file, network=lambda: network) as queue,
    ):
        add_both(queue, server)
        until(lambda: phases(queue) == {"one": "failed", "two": "failed"})
        problem = state_of(queue, "one").problem
        assert problem is not None
        assert "offline" in problem.what
        assert not server.requests
        network = Network()
        queue.resume_all()
        until(lambda: done(queue))


def test_offline_what_is_there_is_found(tmp_path: Path) -> None:
    models = tmp_path / "models/owner/model"
    models.mkdir(parents=True)
    (models / "two.gguf").write_bytes(CONTENT["two.gguf"])
    with (
        FileServer(CONTENT) as server,
        Opened(tmp_path, fetch_file, network=lambda: Network(offline=True)) as queue,
    ):
        queue.add(requests_of(server)[1])
        until(lambda: phases(queue) == {"two": "done"})


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_folder_that_leads_elsewhere_is_said_in_words_and_can_be_cancelled(
    tmp_path: Path,
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "elsewhere/model").mkdir(parents=True)
    (tmp_path / "models/owner").symlink_to(tmp_path / "elsewhere")
    with FileServer(CONTENT) as server, Opened(tmp_path, fetch_file) as queue:
        _, request = requests_of(server)
        queue.add(request)
        until(lambda: phases(queue) == {"two": "failed"})
        problem = state_of(queue, "two").problem
        assert problem is not None
        assert "A link leads from" in problem.why
        queue.cancel(request.id)
        assert queue.states() == ()
        # The run that failed may hold its claim a moment longer; then the queue's thread clears up.
        until(lambda: b"owner" not in (tmp_path / "downloads.json").read_bytes())
    assert (tmp_path / "elsewhere/model").exists()


def hub_request(name: str) -> DownloadRequest:
    file = HubFile("owner/model", name)
    return request_of(
        "hub", WantedFile(sources=(file,), target=f"owner/model/{name}", role="weights")
    )


def test_the_sizes_are_known_once_the_hub_has_answered(tmp_path: Path) -> None:
    with (
        FileServer(CONTENT, bytes_per_second_per_connection=2_000_000) as server,
        Opened(
            tmp_path,
            fetch_file,
            resolve=lambda file: RemoteFile(
                url=f"{server.url}/{file.name}", sha256=None, size=len(CONTENT[file.name])
            ),
        ) as queue,
    ):
        queue.add(hub_request("two.gguf"), paused=True)
        assert state_of(queue, "hub").total is None
        queue.resume_all()
        until(lambda: state_of(queue, "hub").total == 2_000_000)
        queue.pause_all()
        until(lambda: state_of(queue, "hub").total == 2_000_000)
        queue.resume_all()
        until(lambda: done(queue))


def test_a_silent_hub_holds_up_neither_a_pause_nor_the_end(tmp_path: Path) -> None:
    asked, released = threading.Event(), threading.Event()

    def silent(file: HubFile) -> RemoteFile:
        asked.set()
        released.wait()
        raise HubError("The Hub does not answer.")

    before = set(threading.enumerate())
    with Opened(tmp_path, fetch_file, resolve=silent) as queue:
        queue.add(hub_request("two.gguf"))
        assert asked.wait(60)
        asked.clear()
        queue.pause_all()
        until(lambda: not [t for t in threading.enumerate() if t.name.startswith("download hub")])
        queue.resume_all()
        assert asked.wait(60)
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert left <= {"resolve two.gguf"}
    assert phases(queue) == {"hub": "waiting"}
    released.set()


def test_the_hubs_refusal_is_told_in_its_words(tmp_path: Path) -> None:
    def gated(file: HubFile) -> RemoteFile:
        raise HubError("owner/model is gated.", "It wants a licence to be accepted.", "Ask for it.")

    with Opened(tmp_path, fetch_file, resolve=gated) as queue:
        queue.add(hub_request("two.gguf"))
        until(lambda: phases(queue) == {"hub": "failed"})
        problem = state_of(queue, "hub").problem
    assert problem is not None
    assert problem.what == "owner/model is gated."
    assert problem.fix == "Ask for it."
