"""The whole of it in a real window: first start, a model, a chat, stop, edit, and all of it again."""

import io
import zipfile
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from PySide6.QtGui import QColor

from app.conversations.records import Message
from app.conversations.store import ConversationStore
from app.paths import paths_under
from tests.catalog.index_server import STARTER_MEMBER, IndexServer
from tests.display.program import Program
from tests.display.screen import Screen, has_run
from ui.theme import load_tokens

pytestmark = [pytest.mark.display, pytest.mark.model, pytest.mark.timeout(300)]

ACCENT = QColor(load_tokens().light["accent"])
QUESTION = "Name the capital of France."
LONG_TASK = "Write a very long story about a lighthouse."
DRAFT = "Hello again."


class Desk:
    """A screen, a home, and what a person can see of both."""

    def __init__(self, screen: Screen, home: Path) -> None:
        self.screen = screen
        self.home = home

    @property
    def store(self) -> ConversationStore:
        return ConversationStore(paths_under(self.home).database_file)

    def messages(self) -> tuple[Message, ...]:
        """The shown branch of the newest chat."""
        with closing(self.store) as store:
            rows = store.rows()
            return store.page(rows[0].id).messages if rows else ()

    def draft(self) -> str:
        with closing(self.store) as store:
            rows = store.rows()
            return store.get(rows[0].id).draft if rows else ""

    def last(self) -> Message | None:
        return next(reversed(self.messages()), None)

    def wait_for_composer(self) -> None:
        """The composer has the focus: its edge, and nothing else there, is a line in the accent."""
        self.screen.wait_for(
            "the composer with the focus",
            lambda: has_run(self.screen.picture(), ACCENT, 400, top=500),
            seconds=60,
        )

    def send(self, text: str) -> None:
        self.screen.type(text)
        self.screen.press("Return")

    def wait_for_answer(self, *statuses: str, with_text: bool = True) -> Message:
        """The newest answer, once it has one of these statuses."""

        def there() -> bool:
            last = self.last()
            return (
                last is not None
                and last.role == "assistant"
                and last.status in statuses
                and (bool(last.text) or not with_text)
            )

        self.screen.wait_for(f"an answer that is {' or '.join(statuses)}", there, seconds=90)
        last = self.last()
        assert last is not None
        return last


@pytest.fixture
def desk(screen: Screen, tmp_path: Path) -> Desk:
    return Desk(screen, tmp_path / "home")


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
            screen.wait_for("Start chatting", lambda: has_run(screen.picture(), ACCENT, 60))
            screen.press("space")
            desk.wait_for_composer()
            fetched = paths_under(desk.home).models_folder / starter_model.name
            assert fetched.stat().st_size == starter_model.stat().st_size

            desk.send(QUESTION)
            answer = desk.wait_for_answer("complete")
            assert "Paris" in answer.text
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
            screen.focus_window(title_of(desk))
            desk.wait_for_composer()
            assert desk.messages() == before
            screen.press("Return")
            desk.wait_for_answer("complete", "length")
            *earlier, question, _ = desk.messages()
            assert tuple(earlier) == before
            assert question.text == DRAFT
            assert program.quit() == 0
            assert "Traceback" not in program.log


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


def title_of(desk: Desk) -> str:
    with closing(desk.store) as store:
        return store.rows()[0].title
