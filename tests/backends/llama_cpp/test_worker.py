import subprocess
import sys
from io import BytesIO

import msgspec
import pytest

from backends.llama_cpp.abort_flag import AbortFlag
from backends.llama_cpp.wire import (
    MAX_FRAME_BYTES,
    Cancel,
    Channel,
    Chat,
    Counted,
    Order,
    Reply,
)
from backends.llama_cpp.worker import Jobs
from backends.testing import HELLO


def frames(*messages: object) -> bytes:
    file = BytesIO()
    channel = Channel(BytesIO(), file, Order)
    for message in messages:
        channel.send(message)
    return file.getvalue()


def reading(data: bytes) -> Channel[Reply]:
    return Channel(BytesIO(data), BytesIO(), Reply)


def test_messages_arrive_as_they_were_sent() -> None:
    sent = [Reply(1, Counted(3)), Reply(2, Counted(4))]
    channel = reading(frames(*sent))
    assert [channel.receive(), channel.receive()] == sent
    with pytest.raises(EOFError):
        channel.receive()


def test_a_message_cut_short_is_an_end() -> None:
    with pytest.raises(EOFError):
        reading(frames(Reply(1, Counted(3)))[:-1]).receive()


def test_a_monstrous_message_is_refused_before_it_is_read() -> None:
    with pytest.raises(ValueError, match="bytes"):
        reading((MAX_FRAME_BYTES + 1).to_bytes(4, "little")).receive()


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        reading(b"\x01\x00\x00\x00\x05").receive()


def test_a_cancel_stops_what_is_computed_until_the_orders_are_taken() -> None:
    abort = AbortFlag()
    jobs = Jobs(abort)
    jobs.put(Order(1, Chat(HELLO)))
    assert not abort.is_set
    jobs.put(Order(1, Cancel()))
    assert abort.is_set
    assert [type(order.command) for order in jobs.take(wait=True)] == [Chat, Cancel]
    assert not abort.is_set
    assert list(jobs.take(wait=False)) == []


def test_a_cancel_waits_where_stopping_would_cost_more() -> None:
    abort = AbortFlag()
    abort.is_armed = False
    jobs = Jobs(abort)
    jobs.put(Order(1, Cancel()))
    assert not abort.is_set
    assert [order.job for order in jobs.take(wait=False)] == [1]


def test_what_libraries_print_stays_out_of_the_protocol() -> None:
    code = (
        "import os, sys\n"
        "from backends.llama_cpp.worker import take_over_streams\n"
        "from backends.llama_cpp.wire import Counted, Reply\n"
        "channel = take_over_streams()\n"
        "print('a Python library', flush=True)\n"
        "os.write(1, b'a native one')\n"
        "assert os.read(0, 1) == b''\n"
        "channel.send(Reply(channel.receive().job, Counted(5)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=frames(Order(7, Chat(HELLO))), capture_output=True
    )
    assert reading(done.stdout).receive() == Reply(7, Counted(5))
    assert b"a Python library" in done.stderr
    assert b"a native one" in done.stderr


def test_a_worker_ends_when_its_stdin_closes() -> None:
    command = [sys.executable, "-m", "backends.llama_cpp.worker"]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=30)
    assert done.returncode == 0
    assert done.stdout == b""


def test_an_error_of_ours_says_where_but_not_what() -> None:
    code = (
        "import os\n"
        "from backends.llama_cpp import worker\n"
        "def broken(self, order):\n"
        "    raise KeyError('my ' + 'diary')\n"
        "worker.Worker.carry_out = broken\n"
        "worker.main()\n"
    )
    done = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert done.stdin is not None
    done.stdin.write(frames(Order(1, Chat(HELLO))))
    done.stdin.flush()
    assert done.stderr is not None
    log = done.stderr.read()  # until it ends by itself
    done.communicate()
    assert b"KeyError" in log
    assert b"line 4" in log
    assert b"my diary" not in log
