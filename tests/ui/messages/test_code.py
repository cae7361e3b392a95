"""Code in colours, line by line, also while it grows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ui.messages.code import LONGEST, highlight, language_name

PYTHON = '''import os

def f(x):
    """Say
    something."""
    return x + 1  # one more
'''


def plain(lines) -> str:
    return "\n".join("".join(text for text, _ in line) for line in lines)


def roles(lines) -> dict[str, str]:
    return {text.strip(): role for line in lines for text, role in line if text.strip()}


def test_words_of_a_known_language_have_colours():
    found = roles(highlight(PYTHON, "py"))
    assert found["import"] == "syn_kw"
    assert found["f"] == "syn_fn"
    assert found["1"] == "syn_num"
    assert found["# one more"] == "syn_com"
    assert found['"""Say'] == found['something."""'] == "syn_str"


@pytest.mark.parametrize("language", ["", "no-such-language", "a" * 40, "\N{SNOWMAN}"])
def test_an_unknown_language_stays_plain(language):
    assert roles(highlight("if x:\n  y", language)) == {"if x:": "text", "y": "text"}


def test_names_are_those_of_the_language():
    assert language_name("py") == "Python"
    assert language_name("JS") == "JavaScript"
    assert language_name("klingon") == "klingon"


@pytest.mark.parametrize("text", ["", "\n", "x", "x\n", "\n\nx\n\n", "  x\n"])
@pytest.mark.parametrize("language", ["python", "json", "html", "console", ""])
def test_no_character_is_lost(text, language):
    assert plain(highlight(text, language)) == text


def test_very_long_code_stays_plain():
    lines = highlight("x = 1\n" * LONGEST, "python")
    assert lines[0] == (("x = 1", "text"),)


PIECES = st.sampled_from(
    [
        "def f():\n",
        "    x = 1\n",
        "\n",
        '    """\n',
        "# c\n",
        "y = 'a'\n",
        '"""',
        "class A:\n",
        "}\n",
    ]
)


@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(PIECES, min_size=1, max_size=400))
def test_long_code_keeps_every_line(pieces):
    text = "".join(pieces)
    assert plain(highlight(text, "python")) == text


def test_code_that_grows_keeps_its_first_lines():
    text = (PYTHON + "\n") * 60
    lines = text.split("\n")
    whole = highlight(text, "python")
    for count in range(100, len(lines), 37):
        part = highlight("\n".join(lines[:count]), "python")
        assert part[: count - 70] == whole[: count - 70]


def test_a_long_string_does_not_end_where_a_chunk_would():
    inside = "\n".join(["", "word and words"] * 40)
    lines = highlight(f'x = """{inside}\n"""\n', "python")
    assert all(role == "syn_str" for line in lines[1:80] for _, role in line)
