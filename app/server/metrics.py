"""Numbers for Prometheus, in a registry of the server's own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from app.server.journal import Journal, RequestRow
from app.server.places import Places

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """Counts the requests that end. `close` ends that."""

    def __init__(self, journal: Journal, places: Places) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "causeway_requests",
            "Requests that have ended, by interface and HTTP status; 499 where the client left.",
            ("api", "status"),
            registry=self._registry,
        )
        self._tokens = Counter(
            "causeway_tokens",
            "Tokens: read of prompts, those of them that were cached, and generated.",
            ("kind",),
            registry=self._registry,
        )
        self._first = Histogram(
            "causeway_first_token_seconds",
            "From a request to the first piece of its answer.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._whole = Histogram(
            "causeway_answer_seconds",
            "From a request to the end of its answer.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        for name, help_, value in (
            ("causeway_requests_in_work", "Answers being written.", lambda: places.in_work),
            ("causeway_requests_waiting", "Requests that wait for that.", lambda: places.waiting),
            ("causeway_connections", "Open connections.", lambda: journal.clients),
        ):
            Gauge(name, help_, registry=self._registry).set_function(value)
        for kind in ("prompt", "cached", "generated"):
            self._tokens.labels(kind)
        self.close = journal.on_end(self._note)

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def _note(self, row: RequestRow) -> None:
        self._requests.labels(row.api, str(row.status)).inc()
        if not row.prompt_tokens and not row.tokens:
            return
        self._tokens.labels("prompt").inc(row.prompt_tokens)
        self._tokens.labels("cached").inc(row.cached_tokens)
        self._tokens.labels("generated").inc(row.tokens)
        if row.first_token_ms:
            self._first.observe(row.first_token_ms / 1000)
        self._whole.observe(row.seconds)
