"""Who may come in."""

import httpx2
import pytest

from app.server.access import Access
from app.server.config import ServerConfig
from app.server.failures import Failure
from tests.app.server.conftest import KEY, MakeServer, Served
from tests.app.server.raw import exchange, status
from tests.scripted_backend import ScriptedBackend

PAGE = "https://chat.example"
ASK = {"model": "polite", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}


@pytest.fixture
def guarded(make_server: MakeServer, scripted: ScriptedBackend, model) -> Served:
    """Wants a key, and knows a page."""
    return make_server(scripted, key=KEY, origins=(PAGE,))


class TestKey:
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"authorization": "Bearer wrong"},
            {"authorization": f"Basic {KEY}"},
            {"authorization": KEY},
            {"authorization": "Bearer"},
            {"x-api-key": f"{KEY}x"},
            {"api-key": f"{KEY}x"},
            {"authorization": "Bearer wrong", "x-api-key": KEY},
            {"authorization": b"Bearer \xff\xfe"},
        ],
    )
    def test_without_the_right_key_nothing_is_answered(self, guarded: Served, headers):
        with httpx2.Client(base_url=guarded.url, trust_env=False) as client:
            answers = [
                client.post("/v1/chat/completions", json=ASK, headers=headers),
                client.post("/v1/messages", json=ASK, headers=headers),
                client.post("/api/chat", json=ASK, headers=headers),
                client.get("/v1/models", headers=headers),
                client.get("/metrics", headers=headers),
                client.get("/no-such-path", headers=headers),
            ]
        assert {answer.status_code for answer in answers} == {401}
        assert "error" in answers[0].json()["error"]["type"]
        assert answers[1].json()["error"]["type"] == "authentication_error"
        assert isinstance(answers[2].json()["error"], str)
        assert not guarded.backend.requests

    @pytest.mark.parametrize(
        "headers",
        [
            {"authorization": f"Bearer {KEY}"},
            {"authorization": f"bearer {KEY}"},
            {"x-api-key": KEY},
            {"api-key": KEY},
        ],
    )
    def test_it_opens_by_either_header(self, guarded: Served, headers):
        with httpx2.Client(base_url=guarded.url, trust_env=False) as client:
            for path in ("/v1/chat/completions", "/v1/messages"):
                assert client.post(path, json=ASK, headers=headers).status_code == 200

    def test_what_tells_nothing_of_the_person_is_free(self, guarded: Served):
        with httpx2.Client(base_url=guarded.url, trust_env=False) as client:
            for path in ("/health", "/docs", "/openapi.json"):
                assert client.get(path).status_code == 200

    def test_it_is_in_no_text_that_a_log_may_hold(self, guarded: Served, caplog):
        with guarded.client() as client:
            client.post("/v1/chat/completions", json=ASK)
            client.post("/v1/chat/completions", content=b"{", headers={"x-api-key": KEY})
        shown = repr(guarded.config) + str(guarded.server.state) + caplog.text
        assert KEY not in shown + str(guarded.server.journal.rows())


class TestNames:
    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "evil.example:7411",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "[::2]",
            "[::1].evil.example",
            "[::1",
            "[]",
            "127.0.0.1:x@evil.example",
            "",
            "0.0.0.0",
        ],
    )
    def test_a_name_that_was_made_to_mean_this_computer_is_refused(self, guarded: Served, host):
        head = f"GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        assert status(exchange(guarded.url, head.encode())) == 403

    @pytest.mark.parametrize(
        "host", ["localhost", "LOCALHOST:1", "127.0.0.1:7411", "[::1]:7411", "localhost."]
    )
    def test_the_names_of_this_computer_are_not(self, guarded: Served, host):
        head = f"GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        assert status(exchange(guarded.url, head.encode())) == 200

    def test_a_request_without_a_name_is_refused(self, guarded: Served):
        assert status(exchange(guarded.url, b"GET /health HTTP/1.0\r\n\r\n")) == 403

    def test_in_a_network_its_addresses_and_names_are_known(self):
        access = Access(ServerConfig(host="0.0.0.0", key=KEY))
        for name in (b"192.168.1.20:7411", b"[fe80::1]", b"localhost"):
            access.check("/health", {b"host": name})
        with pytest.raises(Failure):
            access.check("/health", {b"host": b"evil.example"})

    def test_the_refusal_has_the_shape_of_the_interface(self, guarded: Served):
        with guarded.client() as client:
            headers = {"host": "evil.example"}
            assert isinstance(client.get("/api/tags", headers=headers).json()["error"], str)
            refused = client.post("/v1/messages", headers=headers, json={}).json()
            assert refused["error"]["type"] == "permission_error"


class TestPages:
    @pytest.mark.parametrize(
        "origin", ["https://evil.example", "null", "", "http://chat.example", PAGE + ":8443"]
    )
    def test_a_page_that_is_not_listed_is_refused(self, guarded: Served, origin):
        with guarded.client() as client:
            answer = client.post("/v1/chat/completions", json=ASK, headers={"origin": origin})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
        assert not guarded.backend.requests

    def test_a_listed_page_may_ask_and_read(self, guarded: Served):
        with guarded.client() as client:
            for stream in (False, True):
                answer = client.post(
                    "/v1/chat/completions", json={**ASK, "stream": stream}, headers={"origin": PAGE}
                )
                assert answer.status_code == 200
                assert answer.headers["access-control-allow-origin"] == PAGE
                assert answer.headers["vary"] == "origin"

    def test_it_can_read_why_it_was_refused(self, guarded: Served):
        with httpx2.Client(base_url=guarded.url, trust_env=False) as client:
            answer = client.get("/v1/models", headers={"origin": PAGE})
        assert answer.status_code == 401
        assert answer.headers["access-control-allow-origin"] == PAGE

    def test_a_browser_asks_first_and_needs_no_key_for_that(self, guarded: Served):
        asking = {
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, content-type",
        }
        with httpx2.Client(base_url=guarded.url, trust_env=False) as client:
            url = "/v1/chat/completions"
            listed = client.options(url, headers={**asking, "origin": PAGE})
            other = client.options(url, headers={**asking, "origin": "https://evil.example"})
        assert listed.status_code == 204
        assert listed.headers["access-control-allow-headers"] == "authorization, content-type"
        assert other.status_code == 403
        assert "access-control-allow-origin" not in other.headers

    def test_a_page_can_not_ask_without_saying_where_it_is(self, guarded: Served):
        with guarded.client() as client:
            hidden = client.get(
                "/v1/models", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
            )
            link = client.get(
                "/docs", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
            )
        assert hidden.status_code == 403
        assert link.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "//v1/models",
        "/v1//models",
        "/v1/../v1/models",
        "/v1/./models",
        "/v1/models/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/v1/models",
        "/V1/models",
        "/v1/models;x",
        "/v1/models%00",
        "/docs/../metrics",
        "/v1%2fmodels",
        "/api/../v1/models",
        "/health%2f..%2fmetrics",
    ],
)
def test_a_path_that_is_written_oddly_leads_nowhere(guarded: Served, path):
    head = (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: {KEY}\r\nConnection: close\r\n\r\n"
    )
    assert status(exchange(guarded.url, head.encode())) in (404, 400) or path == "/v1%2fmodels"


def test_no_odd_path_gets_around_the_key(guarded: Served):
    for path in (
        "/health/../metrics",
        "/docs%2f..%2fmetrics",
        "//metrics",
        "/metrics/",
        "/health/x",
    ):
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        assert status(exchange(guarded.url, head.encode())) == 401
