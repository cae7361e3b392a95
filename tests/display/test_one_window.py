"""A second start raises the window of the first, and hands over its file."""

from pathlib import Path

import pytest

from app.paths import paths_under
from tests.display.program import CLOSE_SECONDS, Program
from tests.display.screen import Screen
from tests.gguf_files import write_model


@pytest.mark.display
def test_a_second_start_leads_to_the_first_window(screen: Screen, tmp_path: Path) -> None:
    home = tmp_path / "home"
    model = write_model(tmp_path / "tiny.gguf", says="Hello.")
    library = paths_under(home).library_file
    with Program(home, screen.environment) as first:
        screen.focus_window("Causeway")
        with Program(home, screen.environment, str(model)) as second:
            assert second.process.wait(CLOSE_SECONDS) == 0
        screen.wait_for(
            "the file in the library",
            lambda: library.exists() and model.name in library.read_text("utf-8"),
        )
        assert len(screen.window_titles()) == 1
        assert first.quit() == 0
        assert "Traceback" not in first.log
