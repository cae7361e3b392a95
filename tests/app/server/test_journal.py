"""What the window learns of requests, and what stays of them."""

import pytest

from app.conversations.store import ConversationStore
from tests.app.server.conftest import MakeServer, Served
from tests.app.server.silence import falls_silent
from tests.scripted_backend import Script, ScriptedBackend

SECRET = "the combination is 1234"


def _asking(*texts: str) -> dict:
    roles = ("user", "assistant")
    return {
        "model": "polite",
        "messages": [
            {"role": roles[index % 2], "content": text} for index, text in enumerate(texts)
        ],
    }


class TestJournal:
    def test_a_request_is_noted_with_what_it_took(self, server: Served):
        with server.client() as client:
            client.post("/v1/chat/completions", json=_asking(SECRET))
            client.get("/v1/models/none")
        assert falls_silent(server.server.journal)
        missing, asked = server.server.journal.rows()
        assert (asked.phase, asked.api, asked.model, asked.status) == (
            "done",
            "OpenAI",
            "polite",
            200,
        )
        assert asked.tokens == 4
        assert asked.prompt_tokens == 4
        assert asked.agent.startswith("python-httpx2")
        assert (missing.phase, missing.status) == ("failed", 404)
        assert "none" in missing.problem

    def test_no_text_is_noted_unless_it_is_to_be_shown(
        self, server: Served, make_server: MakeServer, scripted: ScriptedBackend
    ):
        shows = make_server(scripted, show_text=True)
        for each in (server, shows):
            with each.client() as client:
                client.post("/v1/chat/completions", json=_asking(SECRET))
        assert SECRET not in str(server.server.journal.rows())
        assert "Hello" not in str(server.server.journal.rows())
        (row,) = shows.server.journal.rows()
        assert row.asked == SECRET
        assert row.answered == "Hello, world."

    def test_listeners_hear_of_beginnings_and_ends(self, server: Served):
        phases = []
        journal = server.server.journal
        unsubscribe = journal.subscribe(lambda: phases.append(journal.rows()[0].phase))
        with server.client() as client:
            client.post("/v1/chat/completions", json=_asking("Hi"))
        assert falls_silent(journal)
        unsubscribe()
        assert phases[0] == "waiting"
        assert {"loading", "answering"} <= set(phases)
        assert phases[-1] == "done"

    def test_nothing_of_what_is_said_is_logged(self, server: Served, scripted, caplog):
        caplog.set_level("DEBUG")
        with server.client() as client:
            client.post("/v1/chat/completions", json=_asking(SECRET))
            scripted.script = Script(crash_at=1)
            client.post("/v1/chat/completions", json=_asking(SECRET))
        ours = [record for record in caplog.records if record.name.startswith(("app.", "uvicorn"))]
        assert not any(SECRET in record.getMessage() for record in ours)

    def test_numbers_are_told_to_prometheus(self, server: Served):
        with server.client() as client:
            client.post("/v1/chat/completions", json=_asking("Hi"))
            client.post("/api/chat", json={**_asking("Hi"), "stream": False})
            client.post("/v1/messages", content=b"{")
            assert falls_silent(server.server.journal)
            text = client.get("/metrics").text
        assert 'causeway_requests_total{api="OpenAI",status="200"} 1.0' in text
        assert 'causeway_requests_total{api="Ollama",status="200"} 1.0' in text
        assert 'causeway_requests_total{api="Anthropic",status="400"} 1.0' in text
        assert 'causeway_tokens_total{kind="generated"} 8.0' in text
        assert "causeway_first_token_seconds_count 2.0" in text
        assert "causeway_requests_in_work 0.0" in text


class TestKeeping:
    @pytest.fixture
    def keeps(self, make_server: MakeServer, scripted: ScriptedBackend, model) -> Served:
        return make_server(scripted, keep_chats=True)

    def test_nothing_is_stored_unless_asked(self, server: Served, store: ConversationStore):
        with server.client() as client:
            client.post("/v1/chat/completions", json=_asking("Hi"))
        server.server.stop()
        assert store.rows() == ()

    def test_a_chat_that_goes_on_stays_one(self, keeps: Served, store: ConversationStore):
        with keeps.client() as client:
            client.post("/v1/chat/completions", json=_asking("How are you today?"))
            client.post(
                "/v1/chat/completions",
                json=_asking("How are you today?", "Hello, world.", "And you?"),
            )
            client.post("/v1/chat/completions", json=_asking("Something else entirely."))
        keeps.server.stop()
        rows = store.rows()
        assert {row.title for row in rows} == {"How are you today?", "Something else entirely"}
        (first,) = (row for row in rows if row.title.startswith("How"))
        messages = store.page(first.id).messages
        assert [message.text for message in messages] == [
            "How are you today?",
            "Hello, world.",
            "And you?",
            "Hello, world.",
        ]
        assert messages[-1].origin.model_id == "polite"
        assert messages[-1].status == "complete"

    def test_the_same_question_again_is_another_version(
        self, keeps: Served, store: ConversationStore
    ):
        with keeps.client() as client:
            client.post("/v1/chat/completions", json=_asking("One"))
            for _ in range(2):
                client.post("/v1/chat/completions", json=_asking("One", "Hello, world.", "Two"))
        keeps.server.stop()
        (row,) = store.rows()
        assert store.page(row.id).messages[2].sibling_count == 2

    def test_a_chat_that_was_deleted_does_not_come_back(
        self, keeps: Served, store: ConversationStore
    ):
        with keeps.client() as client:
            client.post("/v1/chat/completions", json=_asking("One"))
            store.delete(store.rows()[0].id)
            client.post("/v1/chat/completions", json=_asking("One", "Hello, world.", "Two"))
        keeps.server.stop()
        (row,) = store.rows()
        assert len(store.page(row.id).messages) == 4

    def test_an_answer_that_broke_off_is_kept_as_such(
        self, keeps: Served, store: ConversationStore, scripted: ScriptedBackend
    ):
        scripted.script = Script(crash_at=2)
        with keeps.client() as client:
            client.post("/v1/chat/completions", json=_asking("One"))
        keeps.server.stop()
        (row,) = store.rows()
        last = store.page(row.id).messages[-1]
        assert (last.text, last.status) == ("Hello,", "interrupted")
        assert "stopped working" in last.problem
