"""Markdown becomes blocks; nothing of it is trusted."""

from time import perf_counter

import pytest

from ui.messages.blocks import (
    DONE,
    TO_DO,
    Code,
    Container,
    Formula,
    Heading,
    Paragraph,
    Rule,
    Table,
)
from ui.messages.grammar import MAX_DEPTH
from ui.messages.markdown import LONG_TABLE, blocks_of
from ui.messages.spans import LONG_PARAGRAPH


def text_of(block: Paragraph | Heading) -> str:
    return "".join(span.text for span in block.spans)


def whole_text(markdown: str) -> str:
    return "\n".join(
        text_of(block) for block in blocks_of(markdown) if isinstance(block, Paragraph | Heading)
    )


def links(markdown: str) -> list[str]:
    return [
        span.link
        for block in blocks_of(markdown)
        if isinstance(block, Paragraph)
        for span in block.spans
        if span.link
    ]


def test_each_kind_of_block_is_read():
    blocks = blocks_of(
        "# Title\n\nProse.\n\n---\n\n```py\nx = 1\n```\n\n|a|b|\n|-|-:|\n|1|2|\n\n$$x$$"
    )
    kinds = [type(block) for block in blocks]
    assert kinds == [Heading, Paragraph, Rule, Code, Table, Formula]
    assert blocks[3] == Code(text="x = 1", language="py")
    assert blocks[4].alignments == ("left", "right")
    assert blocks[5] == Formula(tex="x")


def test_styles_become_spans():
    (block,) = blocks_of("a **b** *c* ~~d~~ `e` $f$ [g](https://h.example)")
    styled = {
        span.text: (span.bold, span.italic, span.struck, span.code, span.formula, span.link)
        for span in block.spans
        if span.text.strip() != "" and span.text != "a "
    }
    assert styled == {
        "b": (True, False, False, False, False, ""),
        "c": (False, True, False, False, False, ""),
        "d": (False, False, True, False, False, ""),
        "e": (False, False, False, True, False, ""),
        "f": (False, False, False, False, True, ""),
        "g": (False, False, False, False, False, "https://h.example"),
    }


def test_blocks_in_lists_and_quotes_know_how_deep_they_stand():
    blocks = blocks_of("1. a\n   - b\n\n> c\n> - d\n")
    assert [block.containers for block in blocks] == [
        (Container("number", "1."),),
        (Container("number"), Container("bullet", "•")),
        (Container("quote"),),
        (Container("quote"), Container("bullet", "•")),
    ]


def test_items_are_tight_only_where_no_blank_line_lies_between():
    blocks = blocks_of("Before\n- a\n- b\n\n- c")
    assert [block.tight for block in blocks] == [False, False, True, False]


def test_an_empty_item_keeps_its_marker():
    blocks = blocks_of("- a\n-\n- c")
    assert [block.containers[0].marker for block in blocks] == ["•", "•", "•"]


def test_line_breaks_are_kept():
    assert whole_text("roses\nare red") == "roses\nare red"


@pytest.mark.parametrize(
    ("source", "formulas"),
    [
        (r"so \(a+b\) and \[c\] hold", ["a+b", "c"]),
        ("it costs $5, or $10 in town", []),
        ("from US$5 to $6.", []),
        ("a $x$-axis and $$y$$ too", ["x", "y"]),
        ("an open $x", []),
        (r"escaped \$x\$ stays", []),
        ("`$code$` stays code", []),
    ],
)
def test_dollars_are_formulas_only_where_they_mean_it(source, formulas):
    (block,) = blocks_of(source)
    assert [span.text for span in block.spans if span.formula] == formulas


def test_a_displayed_formula_may_hold_lines_that_look_like_a_list():
    assert blocks_of("$$\na\n- b\n$$") == [Formula(tex="a\n- b")]


def test_a_blank_line_ends_what_was_no_formula():
    assert not any(isinstance(block, Formula) for block in blocks_of("$$ a\n\nb"))


def test_html_is_shown_as_it_was_written():
    source = '<script>alert(1)</script>\n\n<img src="file:///etc/passwd">\n\n<b>x</b>'
    assert whole_text(source) == source.replace("\n\n", "\n")


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "vbscript:x",
        "JaVaScRiPt:alert(1)",
        "//host/path",
        "relative/path",
        "smb://host/share",
        "http://",
    ],
)
def test_other_addresses_than_web_and_mail_are_no_links(address):
    assert links(f"[text]({address}) and ![picture]({address})") == []


def test_web_and_mail_addresses_are_links_also_when_they_stand_bare():
    source = "[a](https://a.example/x?y=1#z) <mailto:me@b.example> see http://c.example/d_e_f."
    assert links(source) == [
        "https://a.example/x?y=1#z",
        "mailto:me@b.example",
        "http://c.example/d_e_f",
    ]


def test_pictures_become_words():
    assert whole_text("![a cat](http://x.example/cat.png)") == "image: a cat"
    assert links("![a cat](http://x.example/cat.png)") == ["http://x.example/cat.png"]


def test_sources_in_brackets_do_not_vanish():
    assert whole_text("See [1].\n\n[1]: https://a.example") == "See [1].\n[1]: https://a.example"


def test_nesting_is_bounded_and_loses_nothing():
    blocks = blocks_of("> " * 500 + "deep")
    assert len(blocks) == 1
    assert len(blocks[0].containers) <= MAX_DEPTH
    assert text_of(blocks[0]).endswith("deep")
    deep_list = "\n".join("  " * depth + f"- level {depth}" for depth in range(60))
    text = whole_text(deep_list)
    assert all(f"level {depth}" in text for depth in range(60))


def test_control_characters_and_what_qt_uses_itself_are_taken_out():
    (block,) = blocks_of("a\x00b\x1b[0m\x07c\ufffcd\ufdd0e\u202ef\ud800")
    assert text_of(block) == "ab[0mc\ufffdd\ufffdef\ufffd"


def test_other_line_ends_are_line_breaks():
    assert whole_text("a\r\nb\rc\u2029d\u2028e") == "a\nb\nc\nd\ne"


def test_right_to_left_marks_stay_in_prose_and_leave_code():
    source = "שלום\u200f x\n\n```\na\u2066b\u200fc\n```\n\n`d\u200fe`"
    prose, code, inline = blocks_of(source)
    assert "\u200f" in text_of(prose)
    assert code.text == "abc"
    assert text_of(inline) == "de"


def test_piles_of_marks_are_cut():
    (block,) = blocks_of("z" + "\u0301" * 200 + "algo, but e\u0301 stays")
    assert text_of(block) == "z" + "\u0301" * 4 + "algo, but e\u0301 stays"


def test_a_megabyte_of_one_line_becomes_bounded_paragraphs():
    source = "word " * 200_000
    blocks = blocks_of(source)
    assert all(len(text_of(block)) <= LONG_PARAGRAPH for block in blocks)
    assert [block.continues for block in blocks[:2]] == [False, True]
    assert "".join(text_of(block) for block in blocks).split() == source.split()


def test_a_megabyte_without_a_space_is_cut_too():
    blocks = blocks_of("x" * 1_000_000)
    assert sum(len(text_of(block)) for block in blocks) == 1_000_000


@pytest.mark.parametrize(
    "piece", ["[", "![", "`", "*", "_", "*a_", "<", "&", "$", "\\(", "](", "[a](", "~~", "| "]
)
def test_no_pattern_takes_long(piece):
    """Twice the text takes about twice the time: nothing is worse than linear in the whole."""

    def seconds(length: int) -> float:
        source = piece * (length // len(piece))
        times = []
        for attempt in range(2):
            began = perf_counter()
            blocks_of(f"{attempt} {source}")
            times.append(perf_counter() - began)
        return min(times)

    assert seconds(20_000) < 12 * seconds(5_000) + 0.1


def test_tasks_have_a_box_in_place_of_a_bullet():
    blocks = blocks_of("- [ ] buy\n- [x] sold\n- [x]no\n1. [ ] number\n\n[ ] prose")
    assert [block.containers[0].marker for block in blocks[:4]] == [TO_DO, DONE, "•", "1."]
    assert [text_of(block) for block in blocks[:2]] == ["buy", "sold"]
    assert text_of(blocks[4]) == "[ ] prose"


def test_a_long_table_becomes_several_with_the_same_columns():
    rows = "".join(f"|{n}|x|\n" for n in range(3 * LONG_TABLE + 1))
    tables = blocks_of("|first column|b|\n|-|-|\n" + rows)
    assert [len(table.rows) for table in tables] == [LONG_TABLE] * 3 + [1]
    assert [table.header is None for table in tables] == [False, True, True, True]
    assert len({table.widths for table in tables}) == 1
    assert sum(tables[0].widths) == pytest.approx(1)


def test_a_narrow_column_has_room_for_its_longest_word_beside_a_wide_one():
    (table,) = blocks_of(f"|Name|Number|\n|-|-|\n|{'words ' * 30}|1|\n")
    characters_in_a_line = 80
    assert table.widths[1] * characters_in_a_line > len("Number") + 3
