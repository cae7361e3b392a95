"""A bug of ours is written down without what the person said."""

from pathlib import Path

from app.crash_reports import write_crash_report


def crash(secret: str) -> Exception:
    try:
        raise KeyError(secret)
    except KeyError as error:
        return error


def test_the_report_says_where_but_not_what(tmp_path: Path) -> None:
    words = write_crash_report(crash("my diary"), tmp_path / "logs")
    (report,) = (tmp_path / "logs").iterdir()
    text = report.read_text()
    assert str(report) in words
    assert "KeyError" in text
    assert "test_crash_reports.py" in text
    assert "my diary" not in text


def test_with_nowhere_to_write_the_report_is_shown(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    assert "test_crash_reports.py" in write_crash_report(crash("x"), blocked)
