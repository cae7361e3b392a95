from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import formatting


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (98_362_432, "98 MB"),
        (999_600_000, "1.0 GB"),
        (2_500_000_000, "2.5 GB"),
        (9_960_000_000, "10 GB"),
        (41_200_000_000, "41 GB"),
        (1_500_000_000_000, "1.5 TB"),
        (2_000_000_000_000_000, "2,000 TB"),
    ],
)
def test_sizes_are_decimal(size, words):
    assert formatting.bytes_text(size) == words


def test_sizes_in_tables_have_two_digits_below_ten_gigabytes():
    assert formatting.bytes_text(4_683_000_000, digits=2) == "4.68 GB"
    assert formatting.bytes_text(9_999_000_000, digits=2) == "10 GB"


@given(st.integers(min_value=0, max_value=10**15))
def test_a_size_never_needs_more_than_three_digits_before_the_point(size):
    number, unit = formatting.bytes_text(size).split()
    assert len(number.split(".")[0]) <= 3 or (unit == "TB" and size >= 999.5e12)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0.0 s"),
        (0.42, "0.4 s"),
        (0.94, "0.9 s"),
        (0.96, "1 s"),
        (6.2, "6 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (97, "1 min 37 s"),
        (3599.7, "1 h"),
        (3600 * 2 + 300, "2 h 5 min"),
        (3600 * 24 - 1, "24 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds, words):
    assert formatting.duration_text(seconds) == words


def test_time_left_is_silent_while_unknown_and_never_none():
    assert formatting.time_left_text(None) == ""
    assert formatting.time_left_text(0.1) == "1 s left"
    assert formatting.time_left_text(97) == "1 min 37 s left"


def test_speeds_and_tokens():
    assert formatting.speed_text(18_430_000) == "18.4 MB/s"
    assert formatting.speed_text(820_000) == "820 kB/s"
    assert formatting.token_speed_text(31.42) == "31.4 tok/s"
    assert formatting.token_speed_text(212.3) == "212 tok/s"
    assert formatting.tokens_text(1) == "1 token"
    assert formatting.tokens_text(4096) == "4,096 tokens"


NOW = datetime(2026, 5, 14, 15, 30).timestamp()  # a Thursday


@pytest.mark.parametrize(
    ("moment", "words", "group"),
    [
        (datetime(2026, 5, 14, 10, 24), "10:24", "Today"),
        (datetime(2026, 5, 14, 0, 0), "00:00", "Today"),
        (datetime(2026, 5, 15, 1, 0), "01:00", "Today"),  # another computer's clock
        (datetime(2026, 5, 13, 23, 59), "Wed", "Yesterday"),
        (datetime(2026, 5, 8, 12, 0), "Fri", "Previous 7 days"),
        (datetime(2026, 5, 7, 12, 0), "7 May", "Previous 7 days"),
        (datetime(2026, 4, 14, 12, 0), "14 Apr", "Previous 30 days"),
        (datetime(2026, 1, 2, 12, 0), "2 Jan", "Older"),
        (datetime(2025, 12, 31, 12, 0), "31 Dec 2025", "Older"),
    ],
)
def test_list_dates_are_as_brief_as_today_allows(moment, words, group):
    assert formatting.list_date(moment.timestamp(), NOW) == words
    assert formatting.date_group(moment.timestamp(), NOW) == group
