"""Where the program goes: to the window or to the command line."""

import subprocess
import sys

import pytest

from ui.launch import main


@pytest.mark.parametrize("arguments", [[], ["/models/a model.GGUF"]])
def test_nothing_or_a_model_file_opens_the_window(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    opened: list[list[str]] = []

    def run(given: list[str]) -> int:
        opened.append(given)
        return 7

    monkeypatch.setattr("ui.application.run", run)
    monkeypatch.setattr(sys, "argv", ["causeway", *arguments])
    assert main() == 7
    assert opened == [arguments]


def test_a_command_never_touches_qt() -> None:
    program = (
        "import sys; sys.argv = ['causeway', '--version'];"
        "from ui.launch import main; code = main();"
        "sys.exit(code or any(name.startswith('PySide6') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.startswith("causeway ")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a screen")
def test_without_a_screen_the_window_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "argv", ["causeway"])
    assert main() == 1
    assert "causeway --help" in capsys.readouterr().err
