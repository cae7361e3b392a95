"""Processes killed in the middle of an answer, seen from the real window."""

from pathlib import Path

import psutil
import pytest

from tests.display.desk import Desk
from tests.display.program import Program

pytestmark = [pytest.mark.display, pytest.mark.model, pytest.mark.timeout(300)]

QUESTION = "Name the capital of France."
LONG_TASK = "Write a very long story about a lighthouse."


def test_a_killed_window_leaves_its_answer_and_no_worker(desk: Desk, starter_model: Path) -> None:
    screen = desk.screen
    with Program(desk.home, screen.environment, str(starter_model)) as program:
        screen.focus_window("Causeway")
        desk.wait_for_composer()
        desk.send(LONG_TASK)
        partial = desk.wait_for_answer("streaming")
        workers = program.workers()
        assert workers
        program.kill()
        _, left = psutil.wait_procs(workers, 10)
        assert not left

    with Program(desk.home, screen.environment) as program:
        screen.focus_window("Causeway")
        kept = desk.wait_for_answer("interrupted")
        assert kept.id == partial.id
        assert kept.text.startswith(partial.text)
        assert program.quit() == 0


def test_a_killed_worker_leaves_its_answer_and_a_window_that_goes_on(
    desk: Desk, starter_model: Path
) -> None:
    with Program(desk.home, desk.screen.environment, str(starter_model)) as program:
        desk.screen.focus_window("Causeway")
        desk.wait_for_composer()
        desk.send(LONG_TASK)
        partial = desk.wait_for_answer("streaming")
        for worker in program.workers():
            worker.kill()
        cut = desk.wait_for_answer("interrupted")
        assert cut.id == partial.id
        assert cut.text.startswith(partial.text)
        assert cut.problem

        desk.wait_for_composer()
        desk.screen.press("ctrl+n")
        desk.screen.wait_for("a new chat", lambda: desk.screen.window_titles() == ["Causeway"])
        desk.send(QUESTION)
        assert desk.wait_for_answer("complete").text
        assert program.quit() == 0
        assert "Traceback" not in program.log
