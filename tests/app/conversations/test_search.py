import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.conversations.store import ConversationStore

TEXT = (
    "The café's Wi-Fi isn't FREE. She said “no”, then \"maybe\" — naïve AND/OR rude.\n"
    "東京は日本の首都です。 Ich möchte Straßenbahn fahren. ฉันรักเมืองไทย 🎉party🦩 "
    "def f(x): return x**2  # 3.14 и Привет мир, 한국어를 배웁니다"
)


@pytest.fixture
def conversation_id(store: ConversationStore) -> str:
    conversation = store.create()
    store.rename(conversation.id, "Holiday plans 夏休み")
    store.add_message(conversation.id, parent_id=None, role="user", text=TEXT)
    unrelated = store.create()
    store.add_message(unrelated.id, parent_id=None, role="user", text="One of a kind")
    return conversation.id


@pytest.mark.parametrize(
    "query",
    [
        "cafe",
        "CAFÉ",
        "café's",
        "wi-fi",
        "isn't",
        '"maybe"',
        "“no”",
        "naive and",
        "AND",
        "and/or",
        "free.",
        "rude fre",  # any order, the beginning of a word
        "東京",
        "京は日",
        "首都",
        "STRAßEN",
        "เมือง",
        "🎉",
        "🦩",
        "party🦩",
        "return x**2",
        "3.14",
        "прив",
        "한국어",
        "holiday",
        "plan",
        "夏休",
        "休み",
    ],
)
def test_words_are_found(store, conversation_id, query):
    assert [row.id for row in store.rows(search=query)] == [conversation_id]


@pytest.mark.parametrize(
    "query",
    [
        "afé",  # the middle of a word
        "tea",
        "京東",
        "cafe tea",
        "🎈",
        "holiday cafe",  # one word in the title, one in a message
        '"',
        '""',
        "***",
        "()",
        "-",
        "NEAR(",
        "free NOT rude",
    ],
)
def test_what_is_not_there_is_not_found(store, conversation_id, query):
    assert store.rows(search=query) == ()


def test_a_blank_search_lists_everything(store, conversation_id):
    assert len(store.rows(search="  \n")) == 2


@pytest.mark.parametrize("name", ["text", "title", "message_search", "rowid"])
def test_names_of_the_index_are_words_like_others(store, conversation_id, name):
    assert store.rows(search=f"{name}:cafe") == ()
    assert store.rows(search=f"{name} : kind") == ()


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(query=st.text() | st.text(alphabet="\"'*()^:+-{} ANDORTEXT\0\ud800東"))
def test_no_query_breaks_the_search(store, query):
    store.rows(search=query)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(words=st.lists(st.text(alphabet="aé9東ก🎉", min_size=1, max_size=6), min_size=1, max_size=4))
def test_every_text_is_found_by_its_own_words(store, words):
    conversation = store.create()
    store.add_message(conversation.id, parent_id=None, role="user", text=" ".join(words))
    found = store.rows(search=" ".join(reversed(words)))
    assert conversation.id in [row.id for row in found]
