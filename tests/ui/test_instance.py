from pathlib import Path

from pytestqt.qtbot import QtBot

from ui.background import Background
from ui.instance import FirstInstance, raise_running_window


def test_a_second_start_hands_its_file_to_the_first_window(qtbot: QtBot, tmp_path: Path) -> None:
    first = FirstInstance(tmp_path)
    background = Background()
    answers: list[bool] = []
    with qtbot.waitSignal(first.raised, timeout=5000) as raised:
        # A second start is another process; another thread comes closest to it here.
        background.run(first, lambda: raise_running_window(tmp_path, "/a/b.gguf"), answers.append)
    qtbot.waitUntil(lambda: answers == [True])
    assert raised.args == ["/a/b.gguf"]
    first.close()
    assert background.finish(60_000)


def test_without_a_window_a_start_is_the_first(qtbot: QtBot, tmp_path: Path) -> None:
    assert not raise_running_window(tmp_path, "")


def test_another_home_has_a_window_of_its_own(qtbot: QtBot, tmp_path: Path) -> None:
    first = FirstInstance(tmp_path / "one")
    assert not raise_running_window(tmp_path / "two", "")
    first.close()


def test_a_socket_that_a_killed_program_left_is_taken_over(qtbot: QtBot, tmp_path: Path) -> None:
    dead = FirstInstance(tmp_path)
    dead._server.setParent(None)  # as if it had never been closed
    successor = FirstInstance(tmp_path)
    assert raise_running_window(tmp_path, "")
    successor.close()
    dead.close()
