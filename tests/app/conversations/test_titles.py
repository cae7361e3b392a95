import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.conversations.titles import TITLE_LENGTH, first_line, title_from


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Why is the sky blue?", "Why is the sky blue?"),
        ("Hello.", "Hello"),
        ("Hi! I have a question about cats. They purr.", "Hi! I have a question about cats"),
        ("What is e.g. a monad? And a functor?", "What is e.g. a monad?"),
        ("What is 3.14 times 2? Tell me.", "What is 3.14 times 2?"),
        ("\n\n  # A *bold* **heading**\n\ntext", "A bold heading"),
        ("> quoted `code` here", "quoted code here"),
        ("- [ ] see [the page](https://example.org/x)", "[ ] see the page"),
        ("1. first\n2. second", "first"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("```python\nprint(1)\n```\nWhat does this print?", "What does this print?"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("---\nReal words", "Real words"),
        ("東京の人口は何人ですか。また、面積は？", "東京の人口は何人ですか。また、面積は？"),
        ("東京の人口は現在およそ何人ですか？教えて。", "東京の人口は現在およそ何人ですか？"),
        ("And so on...", "And so on..."),
        ("🎉🎉", "🎉🎉"),
        ("", ""),
        (" \n ", ""),
        (
            "Please explain to me in detail how the borrow checker of Rust works",
            "Please explain to me in detail how the borrow…",
        ),
        ("x" * 100, "x" * TITLE_LENGTH + "…"),
    ],
)
def test_a_title_is_the_first_sentence_in_plain_words(question, title):
    assert title_from(question) == title


def test_a_long_title_ends_with_a_whole_word_and_no_comma():
    question = "Write a letter, politely but firmly worded 1234, to my landlord"
    assert title_from(question) == "Write a letter, politely but firmly worded 1234…"


@given(st.text())
@example(".")
def test_every_question_gives_one_short_line(question):
    title = title_from(question)
    assert len(title) <= TITLE_LENGTH + 1
    assert title == " ".join(title.split())
    assert bool(title) == bool(question.strip())


def test_a_long_text_is_read_only_as_far_as_needed():
    assert first_line("word " * 1_000_000) == first_line("word " * 200)
    assert len(first_line("*a " * 1_000_000)) <= 1000
    assert len(first_line("[" * 1_000_000)) <= 1000
    assert first_line("\n" * 10_000 + "Late words") == "Late words"
