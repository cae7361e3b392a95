"""Who waits at the engine is told so by the clock, however much happens there."""

import threading

from app.engine_line import EngineLine


def test_who_waits_is_told_while_the_line_is_notified_all_the_time() -> None:
    line = EngineLine()
    assert line.enter(lambda: 1, given_up=lambda: False, on_wait=lambda: None)
    told = threading.Event()
    over = threading.Event()

    def notify() -> None:
        while not over.is_set():
            with line.changed:
                line.changed.notify_all()
            over.wait(0.01)

    def wait_in_line() -> None:
        line.enter(lambda: 1, given_up=over.is_set, on_wait=told.set)

    threads = [threading.Thread(target=each) for each in (notify, wait_in_line)]
    for thread in threads:
        thread.start()
    assert told.wait(60)
    over.set()
    for thread in threads:
        thread.join()
