import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from catalog.errors import CatalogError
from catalog.hub.records import HubQuery
from tests.ui.models.discover_world import ScriptedHub, found
from ui.background import Background
from ui.models.hub_search import HubSearch


@pytest.fixture
def background(qtbot: QtBot) -> Iterator[Background]:
    background = Background()
    yield background
    assert background.finish(60_000)


def ask(text: str) -> HubQuery:
    return HubQuery(text=text)


def names(search: HubSearch) -> list[str]:
    return [each.name for each in search.found]


def test_the_hub_is_asked_once_when_typing_has_paused(background, qtbot):
    hub = ScriptedHub([found("heron")])
    search = HubSearch(background, hub)
    for text in ("h", "he", "her"):
        search.search(ask(text))
        assert search.status == "searching"
    qtbot.waitUntil(lambda: search.status == "done")
    assert names(search) == ["heron"]
    assert [query.text for query, _ in hub.queries] == ["her"]


def test_an_answer_that_comes_too_late_is_dropped(background, qtbot):
    hub = ScriptedHub([found("heron")])
    held = threading.Event()
    hub.gate = lambda query: held if query.text == "slow" else None
    search = HubSearch(background, hub)
    search.search(ask("slow"), at_once=True)
    qtbot.waitUntil(lambda: len(hub.queries) == 1)
    hub.pages = ([found("tern")],)
    search.search(ask("quick"), at_once=True)
    qtbot.waitUntil(lambda: search.status == "done")
    hub.pages = ([found("old")],)
    held.set()
    qtbot.wait(100)
    assert names(search) == ["tern"]


def test_a_question_that_nobody_waits_for_is_cancelled(background, qtbot):
    hub = ScriptedHub([found("heron")])
    held = threading.Event()
    hub.gate = lambda query: held if query.text != "last" else None
    search = HubSearch(background, hub)
    for number in range(1, 21):
        search.search(ask(str(number)), at_once=True)
        qtbot.waitUntil(lambda number=number: len(hub.queries) == number)
    search.search(ask("last"), at_once=True)
    qtbot.waitUntil(lambda: search.status == "done")
    qtbot.waitUntil(lambda: len(hub.cancelled) == 20)
    assert not held.is_set()


def test_further_pages_come_when_they_are_wanted_and_nothing_comes_twice(background, qtbot):
    hub = ScriptedHub([found("a"), found("b")], [found("b"), found("c")])
    search = HubSearch(background, hub)
    search.search(ask("x"), at_once=True)
    qtbot.waitUntil(lambda: search.status == "more")
    assert names(search) == ["a", "b"]
    search.load_more()
    search.load_more()
    qtbot.waitUntil(lambda: search.status == "done")
    assert names(search) == ["a", "b", "c"]
    assert len(hub.queries) == 2


def test_a_page_that_leads_to_itself_is_the_last(background, qtbot):
    class Circle(ScriptedHub):
        def search(self, query, more="", *, cancelled=None):
            page = super().search(query, "")
            return type(page)(found=page.found, more="again")

    search = HubSearch(background, Circle([found("a")]))
    search.search(ask("x"), at_once=True)
    qtbot.waitUntil(lambda: search.status == "more")
    search.load_more()
    qtbot.waitUntil(lambda: search.status == "done")


def test_a_failure_is_told_in_words_and_can_be_tried_again(background, qtbot):
    hub = ScriptedHub([found("heron")])
    hub.problem = CatalogError("The Hub did not answer.", "It took too long.", "Try again.")
    search = HubSearch(background, hub)
    search.search(ask("x"), at_once=True)
    qtbot.waitUntil(lambda: search.status == "failed")
    assert search.problem.what == "The Hub did not answer."
    hub.problem = None
    search.retry()
    qtbot.waitUntil(lambda: search.status == "done")
    assert names(search) == ["heron"]
    assert search.problem is None


def test_stopping_forgets_the_results_and_what_is_under_way(background, qtbot):
    hub = ScriptedHub([found("heron")])
    held = threading.Event()
    hub.gate = lambda query: held
    search = HubSearch(background, hub)
    search.search(ask("x"), at_once=True)
    qtbot.waitUntil(lambda: len(hub.queries) == 1)
    search.stop()
    held.set()
    qtbot.wait(100)
    assert search.status == "idle"
    assert search.found == ()


def test_a_question_ends_when_the_page_is_left_and_is_asked_again_on_return(background, qtbot):
    hub = ScriptedHub([found("heron")])
    held = threading.Event()
    hub.gate = lambda query: held
    search = HubSearch(background, hub)
    search.search(ask("heron"), at_once=True)
    qtbot.waitUntil(lambda: len(hub.queries) == 1)
    search.leave()
    qtbot.waitUntil(lambda: len(hub.cancelled) == 1)
    assert search.status == "searching"
    held.set()
    search.come_back()
    qtbot.waitUntil(lambda: search.status == "done")
    search.leave()
    search.come_back()
    assert len(hub.queries) == 2
