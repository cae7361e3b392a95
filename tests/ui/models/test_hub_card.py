import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.models.hub_card import readable_card


def test_pictures_are_left_out_and_counted():
    card = readable_card(
        "# Name\n![a plot](https://x.example/p.png)\n"
        '<img src="https://x.example/i.png" width=3>\n'
        "[![badge](https://x.example/b.svg)](https://x.example)\nText."
    )
    assert card.images == 3
    assert "x.example" not in card.text
    assert card.text.startswith("# Name")
    assert card.text.endswith("Text.")


def test_html_is_taken_out_and_its_words_stay():
    card = readable_card(
        '<div align="center"><b>Bold</b><br>next</div><!-- hidden\nwords -->'
        "<script>alert(1)</script><style>p {}</style> end"
    )
    assert "<" not in card.text
    assert "hidden" not in card.text
    assert "alert" not in card.text
    assert "Bold" in card.text
    assert "end" in card.text


def test_links_of_html_become_links_of_markdown():
    card = readable_card('<a href="https://x.example/y" target=_blank>there</a>')
    assert card.text == "[there](https://x.example/y)"
    assert "javascript" not in readable_card('<a href="javascript:x()">there</a>').text


def test_code_is_left_as_it_is():
    text = "```html\n<img src='x'>\n<b>kept</b>\n```\n<b>gone</b>"
    assert readable_card(text).text == "```html\n<img src='x'>\n<b>kept</b>\n```\ngone"


def test_a_very_long_card_is_cut():
    card = readable_card("word " * 40_000)
    assert card.is_cut
    assert len(card.text) <= 40_000


@pytest.mark.timeout(20)  # unbounded, each of these takes minutes
@pytest.mark.parametrize(
    "piece", ["<img ", "![", "[![", "<a href='https://x'>", "<!--", "<script>", "<", "```", "<a "]
)
def test_a_card_of_nothing_but_beginnings_holds_nothing_up(piece):
    assert readable_card(piece * (40_000 // len(piece))).images == 0


@given(st.text(alphabet="<>![]()`~a -\n/=\"'i", max_size=300))
def test_whatever_a_card_holds_it_can_be_read(text):
    card = readable_card(text)
    assert card.images >= 0
    assert not card.is_cut
