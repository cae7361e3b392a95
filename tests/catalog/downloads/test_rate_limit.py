"""All downloads together keep to one limit."""

import threading
import time
from pathlib import Path

import pytest

from catalog.downloads.rate_limit import RateLimiter
from tests.catalog.downloads.files import NAME, get, wanted_from
from tests.catalog.file_server import FileServer, Generated

CHUNK = 1 << 14


def take(limiter: RateLimiter, count: int, cancelled: threading.Event) -> None:
    for _ in range(count // CHUNK):
        limiter.take(CHUNK, cancelled)


@pytest.mark.parametrize("takers", [1, 4])
def test_takers_share_the_limit(takers: int) -> None:
    limiter = RateLimiter(lambda: 2_000_000)
    threads = [
        threading.Thread(target=take, args=(limiter, 1_000_000 // takers, threading.Event()))
        for _ in range(takers)
    ]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started > 0.8 * (1_000_000 / 2_000_000 - 0.1)


def test_no_limit_makes_nobody_wait() -> None:
    limiter = RateLimiter(lambda: 0, clock=lambda: 0.0)
    take(limiter, 1 << 30, threading.Event())


def test_a_limit_that_is_lifted_frees_who_waits() -> None:
    rate = 1
    limiter = RateLimiter(lambda: rate)
    limiter.take(1000, threading.Event())
    waiting = threading.Thread(target=limiter.take, args=(1000, threading.Event()))
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    rate = 0
    waiting.join(60)
    assert not waiting.is_alive()


def test_a_cancel_frees_who_waits() -> None:
    cancelled = threading.Event()
    limiter = RateLimiter(lambda: 1)
    limiter.take(1000, cancelled)
    waiting = threading.Thread(target=limiter.take, args=(1000, cancelled))
    waiting.start()
    cancelled.set()
    waiting.join(60)
    assert not waiting.is_alive()


def test_idle_time_is_not_saved_up() -> None:
    now = 0.0
    limiter = RateLimiter(lambda: 1000, clock=lambda: now)
    now = 3600.0
    cancelled = threading.Event()
    cancelled.set()  # so that nobody waits: `take` returns at the first pause
    granted = 0
    while limiter._pause(50) == 0:
        granted += 50
    assert granted <= 200


def test_a_download_keeps_to_the_limit(tmp_path: Path) -> None:
    content = Generated(1_500_000)
    with FileServer({NAME: content}) as server:
        started = time.monotonic()
        fetched = get(wanted_from(server), tmp_path, bytes_per_second=2_000_000)
        assert time.monotonic() - started > 0.5
    assert fetched.sha256 == content.sha256
