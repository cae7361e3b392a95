"""Two processes that don't trust each other until both have proved the key."""

import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, Pipe

import msgspec
import pytest

from app.lending import talk
from app.lending.talk import TALK_ENDS, Talk, TooLarge, WrongKey

KEY, OTHER_KEY = b"k" * 32, b"o" * 32


class Word(msgspec.Struct):
    text: str


@pytest.fixture
def ends() -> Iterator[tuple[Connection, Connection]]:
    one, other = Pipe()
    yield one, other
    one.close()
    other.close()


def raised_by(work: Callable[[], object]) -> list[BaseException]:
    """What `work` raises, filled in once its thread has ended."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    return raised


def greet(
    host: Talk[Word], guest: Talk[Word], host_key: bytes, guest_key: bytes
) -> tuple[list[BaseException], list[BaseException]]:
    guests: list[BaseException] = []

    def greet_host() -> None:
        try:
            guest.greet_host(guest_key)
        except TALK_ENDS as error:
            guests.append(error)

    def greet_guest() -> None:
        try:
            host.greet_guest(host_key)
        except TALK_ENDS:
            host.hang_up()
            raise

    thread = threading.Thread(target=greet_host)
    thread.start()
    hosts = raised_by(greet_guest)
    thread.join(60)
    assert not thread.is_alive()
    return hosts, guests


def test_with_one_key_both_talk(ends: tuple[Connection, Connection]) -> None:
    host, guest = (Talk(end, Word) for end in ends)
    assert greet(host, guest, KEY, KEY) == ([], [])
    guest.send(Word("hello"))
    assert host.receive() == Word("hello")


def test_a_guest_with_the_wrong_key_is_refused(ends: tuple[Connection, Connection]) -> None:
    host, guest = (Talk(end, Word) for end in ends)
    hosts, guests = greet(host, guest, KEY, OTHER_KEY)
    assert [type(error) for error in hosts] == [WrongKey]
    assert guests


def test_a_host_that_only_repeats_what_it_hears_is_refused(
    ends: tuple[Connection, Connection],
) -> None:
    impostor, guest = ends[0], Talk(ends[1], Word)

    def impersonate() -> None:
        impostor.send_bytes(b"n" * 32)
        impostor.send_bytes(impostor.recv_bytes()[32:])

    thread = threading.Thread(target=impersonate)
    thread.start()
    (error,) = raised_by(lambda: guest.greet_host(KEY))
    thread.join()
    assert isinstance(error, WrongKey)


@pytest.mark.parametrize("said", [b"", b"short", b"n" * 64])
def test_a_greeting_of_another_length_is_refused(
    ends: tuple[Connection, Connection], said: bytes
) -> None:
    ends[0].send_bytes(said)
    (error,) = raised_by(lambda: Talk(ends[1], Word).greet_host(KEY))
    assert isinstance(error, TALK_ENDS)


def test_one_who_says_nothing_is_left(
    ends: tuple[Connection, Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "_GREETING_SECONDS", 0.1)
    (error,) = raised_by(lambda: Talk(ends[0], Word).greet_guest(KEY))
    assert isinstance(error, TALK_ENDS)


@pytest.mark.parametrize("said", [b"", b"\xc1", msgspec.msgpack.encode({"text": 3})])
def test_what_is_no_message_is_no_message(ends: tuple[Connection, Connection], said: bytes) -> None:
    ends[0].send_bytes(said)
    (error,) = raised_by(Talk(ends[1], Word).receive)
    assert isinstance(error, TALK_ENDS)


def test_too_large_a_message_is_neither_sent_nor_read(
    ends: tuple[Connection, Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "MAX_MESSAGE_BYTES", 100)
    one, other = (Talk(end, Word) for end in ends)
    with pytest.raises(TooLarge):
        one.send(Word("x" * 200))
    ends[0].send_bytes(msgspec.msgpack.encode(Word("x" * 200)))
    (error,) = raised_by(other.receive)
    assert isinstance(error, TALK_ENDS)


def test_hanging_up_wakes_who_waits(ends: tuple[Connection, Connection]) -> None:
    one, other = (Talk(end, Word) for end in ends)
    timer = threading.Timer(0.1, other.hang_up)
    timer.start()
    (error,) = raised_by(one.receive)
    timer.join()
    assert isinstance(error, TALK_ENDS)
    assert raised_by(other.receive)
    other.hang_up()
