"""A download that is killed twenty times at random ends in the right file, and loses little."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catalog.downloads.extents import Extents
from catalog.downloads.fetch import fetched_bytes
from catalog.downloads.part_file import read_sidecar
from tests.catalog.downloads.files import NAME, get, left_in, wanted_from
from tests.catalog.file_server import FileServer, Generated, Request

KILLS = 20
KEEPS = 12  # the round in which something is kept at the latest
SECONDS = 60
CONTENT = Generated(120_000_007)
SHA256 = CONTENT.sha256

FETCH = """
import sys
from pathlib import Path
from catalog.catalogues.entries import Url
from tests.catalog.downloads.files import get, wanted_from
print("ready", flush=True)
get(wanted_from(Url(sys.argv[2]), sha256=sys.argv[3]), Path(sys.argv[1]))
"""


def asked(requests: list[Request]) -> Extents:
    """The bytes that these requests asked for."""
    stretches = []
    for request in requests:
        first, _, last = request.range.removeprefix("bytes=").partition("-")
        stretches.append((int(first or 0), int(last or CONTENT.size - 1) + 1))
    return Extents(stretches)


def wait_until_sent(server: FileServer, before: int, count: int) -> None:
    """Until so many bytes went to the program; what is asked for later than `before` is its own."""
    deadline = time.monotonic() + SECONDS
    while sum(each.sent for each in server.requests[before:]) < count:
        assert time.monotonic() < deadline, "nothing was fetched"
        time.sleep(0.005)


def wait_until_kept(part: Path) -> None:
    """Until the program has noted that bytes are safely on the disk."""
    deadline = time.monotonic() + SECONDS
    while (sidecar := read_sidecar(part)) is None or not sidecar.extents:
        assert time.monotonic() < deadline, "nothing was kept"
        time.sleep(0.005)


@pytest.mark.timeout(900)  # twenty programs begin, each of which takes long on a loaded machine
def test_no_byte_before_the_last_flush_is_fetched_twice(tmp_path: Path) -> None:
    moments = random.Random(7)
    part = tmp_path / "owner/name" / f"{NAME}.part"
    killed_under_way = 0
    with FileServer({NAME: CONTENT}, bytes_per_second_per_connection=2e6) as server:
        wanted = wanted_from(server, sha256=SHA256)
        command = [sys.executable, "-c", FETCH, str(tmp_path), server.address(NAME), SHA256]
        kept = Extents()
        for number in range(KILLS):
            before = len(server.requests)
            with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
                assert program.stdout is not None
                program.stdout.readline()
                wait_until_sent(server, before, moments.randrange(100_000, 3_000_000))
                if number == KEEPS and not kept.extents:
                    wait_until_kept(part)
                killed_under_way += program.poll() is None
                program.kill()
            fetched_twice = [
                (start, end)
                for start, end in asked(server.requests[before:]).extents
                for there, until in kept.extents
                if start < until and there < end
            ]
            assert not fetched_twice
            sidecar = read_sidecar(part)
            if sidecar is not None:
                kept = Extents(sidecar.extents)
        assert killed_under_way == KILLS
        server.bytes_per_second = 0
        already = fetched_bytes(wanted, tmp_path)
        before = len(server.requests)
        fetched = get(wanted, tmp_path)
        sent = sum(request.sent for request in server.requests[before:])
        assert sent == CONTENT.size - already
    assert fetched.sha256 == SHA256
    assert fetched.path.stat().st_size == CONTENT.size
    assert left_in(tmp_path) == [NAME]
    assert already > 0
