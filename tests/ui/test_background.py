import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import SIGNAL, QCoreApplication, QEvent, QObject, QThread
from pytestqt.qtbot import QtBot

from ui.background import Background, Cancelled, Report, Task


@pytest.fixture
def background(qtbot: QtBot) -> Iterator[Background]:
    background = Background()
    yield background
    assert background.finish(60_000)


@pytest.fixture
def owner() -> QObject:
    return QObject()


def on_main_thread() -> bool:
    app = QCoreApplication.instance()
    return app is not None and QThread.currentThread() is app.thread()


def test_the_operation_runs_elsewhere_and_its_result_comes_back(
    background: Background, owner: QObject, qtbot: QtBot
) -> None:
    seen: list[tuple[bool, bool]] = []
    background.run(owner, on_main_thread, lambda there: seen.append((there, on_main_thread())))
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [(False, True)]


def test_a_failure_comes_back_as_the_exception(
    background: Background, owner: QObject, qtbot: QtBot
) -> None:
    seen: list[tuple[str, bool]] = []
    background.run(
        owner,
        lambda: 1 / 0,
        on_error=lambda error: seen.append((type(error).__name__, on_main_thread())),
    )
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [("ZeroDivisionError", True)]


def test_a_failure_nobody_expects_reaches_the_reporter(
    background: Background, owner: QObject, qtbot: QtBot
) -> None:
    with qtbot.captureExceptions() as raised:
        background.run(owner, lambda: 1 / 0)
        qtbot.waitUntil(lambda: bool(raised))
    assert raised[0][0] is ZeroDivisionError


def test_nothing_is_delivered_to_what_is_gone(background: Background, qtbot: QtBot) -> None:
    go = threading.Event()
    seen: list[str] = []
    owner, other = QObject(), QObject()
    background.run(owner, go.wait, lambda _: seen.append("gone"))
    owner.deleteLater()
    QCoreApplication.sendPostedEvents(owner, QEvent.Type.DeferredDelete)
    go.set()
    # Both are delivered in the order in which they end, so the second says when to look.
    background.run_in_order(
        other, lambda: background._pool.waitForDone(2000), lambda _: seen.append("there")
    )
    qtbot.waitUntil(lambda: "there" in seen)
    assert seen == ["there"]


def test_ordered_operations_never_overtake_each_other(
    background: Background, owner: QObject, qtbot: QtBot
) -> None:
    ran: list[int] = []
    delivered: list[int] = []

    def note(number: int) -> int:
        ran.append(number)
        return number

    for number in range(50):
        background.run_in_order(owner, lambda number=number: note(number), delivered.append)
    qtbot.waitUntil(lambda: len(delivered) == 50)
    assert ran == delivered == list(range(50))


def test_others_run_beside_each_other(background: Background, owner: QObject, qtbot: QtBot) -> None:
    meet = threading.Barrier(3, timeout=60)
    done: list[int] = []
    for _ in range(3):
        background.run(owner, meet.wait, done.append)
    qtbot.waitUntil(lambda: len(done) == 3)


def test_reports_come_in_order_and_before_the_result(
    background: Background, owner: QObject, qtbot: QtBot
) -> None:
    seen: list[object] = []

    def count(report: Report) -> str:
        for number in range(100):
            report(number)
        return "done"

    background.run_reporting(owner, count, seen.append, seen.append)
    qtbot.waitUntil(lambda: "done" in seen)
    assert seen == [*range(100), "done"]


def test_after_the_end_nothing_is_delivered_and_nothing_begins(
    owner: QObject, qtbot: QtBot
) -> None:
    background = Background()
    seen: list[str] = []
    background.run(owner, lambda: "late", seen.append)
    assert background.finish(60_000)
    background.run(owner, lambda: "later", seen.append)
    qtbot.wait(20)
    assert seen == []


def test_the_end_says_when_something_still_runs(owner: QObject, qtbot: QtBot) -> None:
    background = Background()
    go = threading.Event()
    background.run(owner, go.wait)
    assert not background.finish(10)
    go.set()
    assert background.finish(60_000)


def hold_every_lookup(background: Background, owner: QObject, count: int = 50) -> list[Task]:
    return [background.look_up(owner, lambda cancelled: cancelled.wait(60)) for _ in range(count)]


def test_nothing_waits_behind_lookups_that_hang(
    background: Background, owner: QObject, qtbot: QtBot
) -> None:
    hold_every_lookup(background, owner)
    ended: list[str] = []
    background.run(owner, lambda: "short", ended.append)
    background.run_in_order(owner, lambda: "database", ended.append)
    background.run_long(owner, lambda cancelled: "answer", ended.append)
    background.run_reporting(owner, lambda report: "work", lambda _: None, ended.append)
    qtbot.waitUntil(lambda: sorted(ended) == ["answer", "database", "short", "work"])


def test_as_many_answers_are_written_at_once_as_are_asked_for(
    background: Background, owner: QObject, qtbot: QtBot
) -> None:
    meet = threading.Barrier(30, timeout=10)
    done: list[int] = []
    for _ in range(30):
        background.run_long(owner, lambda cancelled: meet.wait(), done.append)
    qtbot.waitUntil(lambda: len(done) == 30, timeout=60_000)


def test_what_is_cancelled_ends_makes_room_and_is_not_heard_of(
    background: Background, owner: QObject, qtbot: QtBot
) -> None:
    heard: list[object] = []
    tasks = [
        background.look_up(owner, lambda cancelled: cancelled.wait(60), heard.append)
        for _ in range(50)
    ]
    for task in tasks:
        task.cancel()
        task.cancel()
    background.look_up(owner, lambda cancelled: "next", heard.append)
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == ["next"]


def test_lookups_end_with_their_owner(background: Background, qtbot: QtBot) -> None:
    begun, ended = threading.Event(), threading.Event()
    owner = QObject()

    def op(cancelled: Cancelled) -> None:
        begun.set()
        if cancelled.wait(60):
            ended.set()

    background.look_up(owner, op)
    assert begun.wait(10)
    owner.deleteLater()
    QCoreApplication.sendPostedEvents(owner, QEvent.Type.DeferredDelete)
    assert ended.wait(10)


def test_an_owner_keeps_nothing_of_what_has_ended(
    background: Background, owner: QObject, qtbot: QtBot
) -> None:
    done: list[int] = []

    def receivers_after(count: int) -> int:
        for number in range(count):
            background.look_up(owner, lambda cancelled, number=number: number, done.append)
        qtbot.waitUntil(lambda: len(done) == count)
        done.clear()
        return owner.receivers(SIGNAL("destroyed(QObject*)"))

    assert receivers_after(20) == receivers_after(1)


def test_the_end_cancels_what_runs(owner: QObject, qtbot: QtBot) -> None:
    background = Background()
    hold_every_lookup(background, owner)
    background.run_long(owner, lambda cancelled: cancelled.wait(60))
    assert background.finish(10_000)
