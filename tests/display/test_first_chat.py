"""The whole of it in a real window: first start, a model, a chat, stop, edit, and all of it again."""

import io
import zipfile
from pathlib import Path

import psutil
import pytest

from app.paths import paths_under
from tests.catalog.index_server import STARTER_MEMBER, IndexServer
from tests.display.desk import Desk
from tests.display.program import Program

pytestmark = [pytest.mark.display, pytest.mark.model, pytest.mark.timeout(300)]

QUESTION = "Name the capital of France."
LONG_TASK = "Write a very long story about a lighthouse."
DRAFT = "Hello again."


def stored_wheel(model: Path) -> bytes:
    """The starter's wheel without compression, which would take longer than the test."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.write(model, STARTER_MEMBER)
    return buffer.getvalue()


def test_from_the_first_start_to_the_second(desk: Desk, starter_model: Path) -> None:
    screen = desk.screen
    with IndexServer(b"", wheel=stored_wheel(starter_model)) as index:
        environment = {**screen.environment, "PIP_INDEX_URL": index.url}
        with Program(desk.home, environment) as program:
            screen.focus_window("Causeway")
            screen.wait_for("Start chatting", lambda: desk.shows_accent(60))
            screen.press("space")
            desk.wait_for_composer()
            fetched = paths_under(desk.home).models_folder / starter_model.name
            assert fetched.stat().st_size == starter_model.stat().st_size

            desk.send(QUESTION)
            answer = desk.wait_for_answer("complete")
            assert answer.text
            assert answer.origin is not None
            assert answer.origin.usage.completion_tokens > 0

            desk.wait_for_composer()
            desk.send(LONG_TASK)
            desk.wait_for_answer("streaming")
            screen.press("Escape")
            stopped = desk.wait_for_answer("stopped")

            desk.wait_for_composer()
            screen.press("Up")
            screen.press("ctrl+a")
            screen.type(QUESTION)
            screen.press("ctrl+Return")
            edited = desk.wait_for_answer("complete")
            assert edited.id != stopped.id
            question = desk.messages()[-2]
            assert (question.text, question.sibling_count) == (QUESTION, 2)

            desk.wait_for_composer()
            screen.type(DRAFT)
            screen.wait_for("the draft on disk", lambda: desk.draft() == DRAFT)
            before = desk.messages()
            workers = program.workers()
            assert program.quit() == 0
            assert "Traceback" not in program.log
            _, left = psutil.wait_procs(workers, 10)
            assert not left

        with Program(desk.home, environment) as program:
            screen.focus_window(desk.title())
            desk.wait_for_composer()
            assert desk.messages() == before
            screen.press("Return")
            screen.wait_for("the draft as a question", lambda: len(desk.messages()) > len(before))
            desk.wait_for_answer("complete", "length")
            *earlier, question, _ = desk.messages()
            assert tuple(earlier) == before
            assert question.text == DRAFT
            assert program.quit() == 0
            assert "Traceback" not in program.log
