"""A text that arrives in pieces shows the same as the whole, and costs no more as it grows."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import ui.messages.markdown
import ui.messages.spans
from ui.messages.growing import GrowingMarkdown
from ui.messages.markdown import blocks_of

FRAGMENTS = st.sampled_from(
    [
        *("- ", "1. ", "2) ", "10. ", "* ", "+ ", "> ", "# ", "    ", "  ", "\t"),
        *("\n", "\n\n", "\r\n", "```", "~~~", "py", "---", "===", "$$", "\\[", "\\]", "$", "\\("),
        *("a", "b b", "**", "*", "_", "`", "[x](y)", "<b>", "https://x.example/", "x " * 20),
        *("|", "|a|b|\n", "|a|\n|-|\n|b|\n|c|\n", "|a|\n|-|\n", "|a|\n" * 8),
    ]
)
DOCUMENTS = st.lists(FRAGMENTS, max_size=30).map("".join)


@pytest.fixture(scope="module", autouse=True)
def short_stretches():
    """So that small examples reach where long paragraphs and tables are cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ui.messages.markdown, "LONG_TABLE", 3)
        patch.setattr(ui.messages.spans, "LONG_PARAGRAPH", 30)
        ui.messages.spans.read_spans.cache_clear()
        yield
    ui.messages.spans.read_spans.cache_clear()


@settings(max_examples=300, deadline=None)
@given(document=DOCUMENTS, sizes=st.lists(st.integers(1, 9), min_size=1, max_size=40))
@example(document="text\na | b\n---|---\n1 | 2\n", sizes=[1])
@example(document="- a\n- b\n\n- c\n1. d\n2. e\n\n   f\n", sizes=[1])
@example(document="para\n$$\nx\n\nnot closed\n", sizes=[1])
@example(document="a\r\nb\r\n\r\nc", sizes=[2, 1])
def test_any_cut_gives_the_blocks_of_the_whole(document, sizes):
    growing = GrowingMarkdown()
    position = turn = 0
    while position < len(document):
        size = sizes[turn % len(sizes)]
        shown = list(growing.blocks)
        changed = growing.feed(document[position : position + size])
        assert growing.blocks[:changed] == shown[:changed]
        position, turn = position + size, turn + 1
    assert growing.blocks == blocks_of(document)


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        ("", "Some **prose** here, with `code`.\n\n"),
        ("", "- an item\n"),
        ("", "7. a numbered item\n\n"),
        ("| a | b |\n|---|---|\n", "| 1 | 2 |\n"),
    ],
)
def test_only_the_tail_is_parsed_again(start, piece, monkeypatch):
    parsed: list[int] = []
    parse = ui.messages.growing.parse

    def counting(source, resume):
        parsed.append(len(source))
        return parse(source, resume)

    monkeypatch.setattr("ui.messages.growing.parse", counting)
    growing = GrowingMarkdown()
    growing.feed(start)
    for _ in range(100):
        growing.feed(piece)
    assert max(parsed) < len(start) + 6 * len(piece)
    monkeypatch.undo()
    assert growing.blocks == blocks_of(start + piece * 100)
