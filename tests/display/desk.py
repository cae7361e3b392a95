"""What a person does in the window, and what has become of it on disk."""

from contextlib import closing
from pathlib import Path

from PySide6.QtGui import QColor

from app.conversations.records import Message
from app.conversations.store import ConversationStore
from app.paths import paths_under
from tests.display.screen import Screen, has_run
from ui.theme import load_tokens

# The window follows the system, so that it may be light or dark here.
ACCENTS = (QColor(load_tokens().light["accent"]), QColor(load_tokens().dark["accent"]))


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

    def title(self) -> str:
        """Of the newest chat."""
        with closing(self.store) as store:
            return store.rows()[0].title

    def draft(self) -> str:
        with closing(self.store) as store:
            rows = store.rows()
            return store.get(rows[0].id).draft if rows else ""

    def last(self) -> Message | None:
        return next(reversed(self.messages()), None)

    def shows_accent(self, length: int, *, top: int = 0) -> bool:
        """Whether a line in the accent is on the screen, so many pixels long, from row `top` down."""
        picture = self.screen.picture()
        return any(has_run(picture, accent, length, top=top) for accent in ACCENTS)

    def wait_for_composer(self) -> None:
        """The composer has the focus: its edge, and nothing else there, is a line in the accent."""
        self.screen.wait_for(
            "the composer with the focus",
            lambda: self.shows_accent(400, top=500),
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
