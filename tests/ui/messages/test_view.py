"""A message in its view: drawn, selected, copied; and nothing that it says is loaded or opened."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QTextCursor, QTextDocument, QWheelEvent
from PySide6.QtTest import QTest

from ui.messages.document import DocumentWriter
from ui.messages.markdown import blocks_of

EVERYTHING = """# Title

Prose with **bold** and `code here` and [a link](https://example.org).

- one
- two
  1. nested

> quoted

```python
def f():
    return 1
```

| a | b |
|---|---|
| 1 | **2** |

---

The end.
"""


def select(view, start: str, end: str) -> None:
    """Select from the first `start` to the end of the first `end` after it."""
    document = view.document()
    first = document.find(start)
    last = document.find(end, first.selectionStart())
    cursor = QTextCursor(document)
    cursor.setPosition(first.selectionStart())
    cursor.setPosition(last.selectionEnd(), QTextCursor.MoveMode.KeepAnchor)
    view.setTextCursor(cursor)


def copied() -> str:
    return QGuiApplication.clipboard().text()


def test_the_view_is_as_high_as_its_text(view):
    view.show_text("short")
    low = view.fit(640)
    view.show_text("long " * 500)
    high = view.fit(640)
    assert high > 10 * low
    assert view.fit(320) > 1.5 * high


def test_a_change_of_height_is_told(view, qtbot):
    with qtbot.waitSignal(view.height_changed, timeout=1000):
        view.show_text("a\n\nb\n\nc")


def test_copy_gives_the_text_without_what_only_serves_the_drawing(view, qtbot):
    view.show_text(EVERYTHING)
    view.selectAll()
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert copied() == (
        "Title\n\nProse with bold and code here and a link.\n\n- one\n- two\n  1. nested\n\n"
        "quoted\n\ndef f():\n    return 1\n\na\tb\n1\t2\n\n\n\nThe end."
    )


def test_copy_gives_tasks_as_they_were_written(view):
    view.show_text("- [ ] buy\n- [x] sold")
    view.selectAll()
    view.copy_selection()
    assert copied() == "- [ ] buy\n- [x] sold"


def test_copy_of_a_part_gives_that_part(view):
    view.show_text(EVERYTHING)
    select(view, "bold", "code")
    view.copy_selection()
    assert copied() == "bold and code"


def test_copy_gives_the_source_of_a_formula(view, formulas, qtbot):
    view.show_text("Let $x_1$ be.\n\n$$y$$")
    with qtbot.waitSignal(formulas.drawn, timeout=60_000):
        pass
    view.selectAll()
    view.copy_selection()
    assert copied() == "Let $x_1$ be.\n\n$$y$$"


def test_a_line_with_a_deep_formula_makes_room_below_the_baseline(view, formulas, qtbot):
    def descent(markdown):
        view.show_text(markdown)
        view.fit(600)
        return view.document().firstBlock().layout().lineAt(0).descent()

    deep = r"Deep $\frac{1}{2_{3_{4}}}$ here"
    with qtbot.waitSignal(formulas.drawn, timeout=10_000):
        view.show_text(deep)
    assert descent(deep) > descent("No formula here")


def test_a_formula_shows_its_source_until_it_is_drawn(view, formulas, qtbot):
    view.show_text("Let $x_1$ be.")
    assert "x_1" in view.toPlainText()
    with qtbot.waitSignal(formulas.drawn, timeout=60_000):
        pass
    assert "x_1" not in view.toPlainText()
    assert "\ufffc" in view.toPlainText()


def test_code_blocks_in_a_row_stand_apart(view):
    view.show_text("```\none\n```\n\n```\ntwo\n```")
    view.fit(640)
    ground = view._painter
    assert ground.code_rect(1).top() - ground.code_rect(0).bottom() >= 12


def test_a_wide_formula_ends_where_the_text_does(view, formulas, qtbot):
    view.show_text("$$" + "+".join(["aaaaaaaa"] * 20) + "$$")
    view.fit(640)
    with qtbot.waitSignal(formulas.drawn, timeout=60_000):
        pass
    view.fit(640)
    right = view.document().documentLayout().documentSize().width()
    assert right <= 640


def test_code_is_copied_by_a_click_on_its_header(view, qtbot):
    view.show_text("```sh\nls -l\n```\n")
    view.fit(640)
    click = QPoint(600, 18)
    QGuiApplication.clipboard().clear()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=click)
    assert copied() == "ls -l"
    QGuiApplication.clipboard().clear()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(300, 18))
    assert copied() == ""
    qtbot.waitUntil(lambda: not view._forget_copied.isActive(), timeout=4000)


def test_code_is_copied_from_the_menu_by_the_keyboard(view, qtbot):
    view.show_text("```sh\nls\n```\n\ntext\n\n```py\nx = 1\n```\n")
    menu = view.menu_at(None)
    actions = {action.text(): action for action in menu.actions()}
    actions["Copy code: Python, x = 1"].trigger()
    assert copied() == "x = 1"
    assert "Copy code: Bash, ls" in actions
    assert not actions["Copy"].isEnabled()
    actions["Copy as Markdown"].trigger()
    assert copied() == view.markdown
    view._forget_copied.stop()


def test_links_are_told_and_never_opened(view, qtbot):
    view.show_text("[link](https://example.org/x)")
    with qtbot.waitSignal(view.link_activated, timeout=1000) as told:
        view.anchorClicked.emit(QUrl("https://example.org/x"))
    assert told.args == ["https://example.org/x"]
    assert not view.openLinks()
    assert view.source().isEmpty()


@pytest.mark.parametrize(
    "hostile",
    [
        "![x](file:///etc/passwd)",
        "![x](http://127.0.0.1:9/x.png)",
        '<img src="file:///etc/passwd">',
        '<link rel="stylesheet" href="http://127.0.0.1:9/x.css">',
        "![x](formula:1)",
        "![x](data:image/png;base64,AAAA)",
    ],
)
def test_no_picture_is_ever_asked_for(view, hostile, monkeypatch):
    asked: list[object] = []
    monkeypatch.setattr(type(view), "loadResource", lambda self, *what: asked.append(what))
    view.show_text(hostile)
    view.fit(640)
    view.grab()
    assert asked == []
    assert "\ufffc" not in view.toPlainText()


def test_a_resource_that_is_asked_for_all_the_same_is_not_loaded(view, tmp_path):
    picture = tmp_path / "x.png"
    view.grab().save(str(picture))
    url = QUrl.fromLocalFile(str(picture))
    kind = QTextDocument.ResourceType.ImageResource
    assert view.loadResource(kind.value, url) is None
    assert view.document().resource(kind.value, url) is None


def test_the_wheel_is_left_to_what_holds_the_view(view):
    view.show_text("line\n\n" * 100)
    view.fit(640)
    down = QWheelEvent(
        QPointF(10, 10),
        view.viewport().mapToGlobal(QPointF(10, 10)),
        QPoint(0, -120),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QGuiApplication.sendEvent(view.viewport(), down)
    assert not down.isAccepted()
    assert view.verticalScrollBar().value() == 0


def test_a_change_of_theme_renders_again(view, theme):
    view.show_text("```py\nimport os\n```")
    view.fit(640)
    before = view.grab().toImage()
    theme.set_preference("dark")
    view.fit(640)
    assert view.grab().toImage() != before
    theme.set_preference("light")
    view.fit(640)
    assert view.grab().toImage() == before


def test_the_caret_waits_where_the_first_word_will_stand(view):
    view.fit(640)
    waiting = view._painter.caret_rect()
    view.show_text("i")
    view.fit(640)
    after = view._painter.caret_rect()
    assert abs(waiting.top() - after.top()) <= 1
    assert 0 < after.left() - waiting.left() < 12


def test_the_caret_takes_a_line_before_the_first_word(view):
    view.show_caret(True)
    assert view.fit(640) == 23
    view.show_caret(False)
    assert view.fit(640) == 0


@pytest.mark.parametrize("cut", range(1, 9))
def test_rewriting_the_end_gives_the_same_document(view, theme, formulas, qtbot, cut):
    """Taking back blocks of every kind leaves nothing behind, and their neighbours as they were."""
    blocks = blocks_of(EVERYTHING + "\n" + EVERYTHING)
    fresh = type(view)(theme, formulas)
    qtbot.addWidget(fresh)
    fresh.show_blocks(list(blocks), 0)
    view.show_blocks(list(blocks), 0)
    view.show_blocks(list(blocks[:cut]), cut)
    view.show_blocks(list(blocks), cut)
    assert view.toHtml() == fresh.toHtml()
    assert view.fit(640) == fresh.fit(640)
    assert view.grab().toImage() == fresh.grab().toImage()


def test_code_that_grows_writes_only_its_last_lines(view, monkeypatch):
    written: list[int] = []
    insert = DocumentWriter._insert_lines

    def counting(self, block, before, first):
        written.append(len(self._lines) - first)
        insert(self, block, before, first)

    monkeypatch.setattr(DocumentWriter, "_insert_lines", counting)
    for count in range(1, 60):
        source = "```python\n" + "x = 1\n" * count
        view.show_blocks(blocks_of(source), 0)
    assert max(written[1:]) <= 2
    assert view.toPlainText() == "\n".join(["x = 1"] * 59)


def test_a_megabyte_in_one_line_is_shown(view):
    view.show_text("word " * 200_000)
    assert view.fit(640) > 100_000


def test_hostile_texts_are_drawn_without_a_crash(view):
    for text in (
        "> " * 300 + "x",
        "z" + "\u0301" * 10_000,
        "\u202eabc\u2067def\u200f",
        "|" * 3000,
        "| a |\n|---|\n" + "| b |\n" * 300,
        "`" * 3000 + "x",
        "1. " * 200 + "x",
        "```" + "x" * 100_000,
    ):
        view.show_text(text)
        view.fit(320)
        view.grab()
