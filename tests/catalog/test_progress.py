"""Progress comes about ten times a second, with a steady speed."""

import pytest

from catalog.progress import DownloadProgress, Meter


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def seen() -> list[DownloadProgress]:
    return []


@pytest.fixture
def meter(clock: Clock, seen: list[DownloadProgress]) -> Meter:
    return Meter(seen.append, clock)


def run(meter: Meter, clock: Clock, seconds: float, rate: int, start: int = 0) -> int:
    done = start
    for _ in range(round(seconds * 100)):
        clock.now += 0.01
        done += rate // 100
        meter.report("downloading", done, 10_000_000)
    return done


def test_reports_about_ten_times_a_second(
    meter: Meter, clock: Clock, seen: list[DownloadProgress]
) -> None:
    run(meter, clock, 3, 100_000)
    assert 25 <= len(seen) <= 31


def test_speed_and_time_left_agree(
    meter: Meter, clock: Clock, seen: list[DownloadProgress]
) -> None:
    run(meter, clock, 4, 500_000)
    assert seen[-1].bytes_per_second == pytest.approx(500_000, rel=0.05)
    assert seen[-1].seconds_left == pytest.approx(8_000_000 / 500_000, rel=0.1)


def test_no_speed_is_guessed_at_the_start(
    meter: Meter, clock: Clock, seen: list[DownloadProgress]
) -> None:
    run(meter, clock, 0.3, 500_000)
    assert {progress.seconds_left for progress in seen} == {None}
    assert {progress.bytes_per_second for progress in seen} == {0.0}


def test_the_speed_follows_within_seconds_but_does_not_jump(
    meter: Meter, clock: Clock, seen: list[DownloadProgress]
) -> None:
    done = run(meter, clock, 6, 500_000)
    run(meter, clock, 0.5, 100_000, done)
    assert seen[-1].bytes_per_second > 400_000
    run(meter, clock, 6, 100_000, done + 50_000)
    assert seen[-1].bytes_per_second == pytest.approx(100_000, rel=0.05)


def test_a_new_stage_and_the_end_are_always_told(
    meter: Meter, clock: Clock, seen: list[DownloadProgress]
) -> None:
    meter.report("finding")
    meter.report("downloading", 0, 10)
    meter.report("downloading", 5, 10)
    meter.report("downloading", 10, 10)
    meter.report("unpacking", 0, 10)
    assert [(progress.stage, progress.done) for progress in seen] == [
        ("finding", 0),
        ("downloading", 0),
        ("downloading", 10),
        ("unpacking", 0),
    ]


def test_a_restart_from_zero_gives_no_negative_speed(
    meter: Meter, clock: Clock, seen: list[DownloadProgress]
) -> None:
    run(meter, clock, 2, 500_000)
    run(meter, clock, 2, 500_000)
    assert min(progress.bytes_per_second for progress in seen) >= 0
    assert seen[-1].bytes_per_second == pytest.approx(500_000, rel=0.05)
