"""A Hub on 127.0.0.1, with a CDN on another port, that can fail in every way that the real one does."""

import contextlib
import json
import re
import socket
import struct
import threading
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from tests.catalog.file_server import Content, FileServer, Request
from tests.catalog.hub_repository import HubRepository, describe, is_big
from tests.catalog.loopback import LoopbackServer, ServedBy

_T = TypeVar("_T")

HubFault = Literal[
    "reset",  # the connection is reset in the middle of the answer
    "cut",  # the connection ends in the middle of the answer
    "stall",  # nothing comes any more after the middle of the answer
    "mute",  # nothing comes at all, not even headers
    "drip",  # a byte now and then, for ever
    "endless",  # an answer without a length that never ends
    "401",
    "403",
    "404",
    "429",  # with the server's `retry_after`, and its rate limit in the header of its own
    "500",
    "503",
    "html",  # a page for a person, as a hotel's log-in gives
    "not json",
    "deep",  # JSON so deep that a reader of it may fall over
    "other json",  # JSON of another shape than it should be
    "redirect loop",
    "redirect away",  # to the same path at `elsewhere`
]

_ALWAYS = ("_id", "id")


class HubServer(LoopbackServer):
    """Speaks what the client of the Hub needs: search, repositories, their files, tokens.

    Put repositories in with `add`. A `.gguf` is kept as a big file: its address redirects to `cdn`,
    signed until `cdn.expire()`; faults of the bytes are `cdn.faults`. `faults` befall the requests
    whose path has `fault_at` in it, one after the other; with `always=True` the last one stays.
    `tokens` maps a token to the account it belongs to. Without `listing` it is a mirror that only
    serves files, without `blobs` one whose page of a repository gives no sizes, without `sizes`
    nothing but a HEAD does, and without `heads` it refuses that. `links` replaces its own origin in the link to the next page. It stops at the end of its
    `with` block.

    Attributes:
        requests: Every request so far, in order.
        retry_after: What a 429 or 503 asks for.
        elsewhere: The origin of the fault "redirect away".
    """

    def __init__(
        self,
        *,
        tokens: Mapping[str, str] | None = None,
        faults: Iterable[HubFault] = (),
        fault_at: str = "",
        always: bool = False,
        listing: bool = True,
        blobs: bool = True,
        sizes: bool = True,
        heads: bool = True,
        links: str = "",
        page_size: int = 30,
        cdn: FileServer | None = None,
        certificate: Path | None = None,
    ) -> None:
        self.tokens = dict(tokens or {})
        self.faults = list(faults)
        self.fault_at = fault_at
        self.always = always
        self.listing = listing
        self.blobs = blobs and sizes
        self.sizes = sizes
        self.heads = heads
        self.links = links
        self.page_size = page_size
        self.cdn = cdn or FileServer({}, signed=True)
        self.retry_after = "0"
        self.elsewhere = ""
        self.repositories: dict[str, HubRepository] = {}
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        super().__init__(_Handler, certificate)

    def __enter__(self) -> Self:
        self.cdn.__enter__()
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, traceback)
        self.cdn.__exit__(kind, error, traceback)

    @property
    def url(self) -> str:
        return self.origin

    def add(self, repo: str, files: Mapping[str, Content], **facts: Any) -> HubRepository:
        """Put a repository in; `facts` as `describe` takes them."""
        repository = describe(repo, files, **facts)
        self.repositories[repo] = repository
        for path, content in repository.files.items():
            if is_big(path):
                self.cdn.files[f"{repo}/{path}"] = content
        return repository

    def asked(self, part: str = "", method: str = "") -> list[Request]:
        """The requests so far whose path has `part` in it."""
        return [
            each
            for each in self.requests
            if part in each.path and (not method or each.method == method)
        ]

    def next_fault(self, path: str) -> HubFault | None:
        with self._lock:
            if not self.faults or self.fault_at not in path:
                return None
            return self.faults[0] if self.always and len(self.faults) == 1 else self.faults.pop(0)


class _Refusal(Exception):
    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 0.5  # seconds that a kept-alive connection may be idle
    server: ServedBy

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._form = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        self._answer()

    def _answer(self) -> None:
        hub = self.server.owner
        parts = urlsplit(self.path)
        self._record = Request(
            self.command, self.path, self.headers.get("Range", ""), dict(self.headers)
        )
        hub.requests.append(self._record)
        fault = hub.next_fault(self.path)
        try:
            if fault is not None and self._fail(hub, fault):
                return
            if self.command == "HEAD" and not hub.heads:
                raise _Refusal(405)
            account = self._account(hub)
            query = parse_qs(parts.query, keep_blank_values=True)
            self._route(hub, unquote(parts.path), query, account, fault)
        except _Refusal as refusal:
            named = {"X-Error-Code": refusal.code, "X-Error-Message": refusal.message}
            headers = {name: value for name, value in named.items() if value}
            self._send_json({"error": refusal.message}, refusal.status, headers, None)

    def _account(self, hub: HubServer) -> str:
        given = self.headers.get("Authorization", "")
        if not given:
            return ""
        account = hub.tokens.get(given.removeprefix("Bearer "), "")
        if not account:
            raise _Refusal(401, message="Invalid credentials in Authorization header")
        return account

    def _route(
        self,
        hub: HubServer,
        path: str,
        query: dict[str, list[str]],
        account: str,
        fault: HubFault | None,
    ) -> None:
        if path == "/api/whoami-v2":
            if not account:
                raise _Refusal(401)
            self._send_json({"type": "user", "name": account}, 200, {}, fault)
        elif path.startswith("/api/models") and not hub.listing:
            raise _Refusal(404)
        elif path == "/api/models":
            self._send_page(hub, query, account, fault)
        elif match := re.fullmatch(
            r"/api/models/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/([^/]+)(?:/.+)?|/(refs|auth-check))?",
            path,
        ):
            repository = self._repository(hub, match[1], account)
            self._send_api(hub, repository, match[2] or match[4] or "", match[3], query, fault)
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/(?:resolve|raw)/([^/]+)/(.+)", path):
            self._send_file(
                hub, self._repository(hub, match[1], account), match[2], match[3], fault
            )
        else:
            raise _Refusal(404)

    def _repository(self, hub: HubServer, repo: str, account: str) -> HubRepository:
        repository = hub.repositories.get(repo)
        if repository is None or (repository.private and account not in repository.readers):
            raise _Refusal(404 if account else 401, "RepoNotFound", "Repository not found")
        needs_access = "/resolve/" in self.path or self.path.endswith("/auth-check")
        if repository.gated and needs_access and account not in repository.readers:
            raise _Refusal(
                403 if account else 401, "GatedRepo", f"Access to model {repo} is restricted."
            )
        return repository

    def _send_api(
        self,
        hub: HubServer,
        repository: HubRepository,
        kind: str,
        revision: str | None,
        query: dict[str, list[str]],
        fault: HubFault | None,
    ) -> None:
        answer: object
        if revision not in (None, "main", repository.commit):
            raise _Refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        if kind in ("tree", "paths-info") and not hub.sizes:
            raise _Refusal(404)
        headers: dict[str, str] = {}
        if kind == "tree":
            paths, headers = self._page(list(repository.files), hub, query)
            answer = [repository.tree_entry(path) for path in paths]
        elif kind == "paths-info":
            wanted = parse_qs(self._form)["paths"]
            answer = [repository.tree_entry(path) for path in repository.files if path in wanted]
        elif kind == "refs":
            branch = {"name": "main", "ref": "refs/heads/main", "targetCommit": repository.commit}
            answer = {"branches": [branch], "tags": [], "converts": []}
        elif kind == "auth-check":
            answer = {}
        else:
            with_sizes = hub.blobs and "blobs" in query
            answer = repository.page(with_sizes=with_sizes) | repository.facts(query.get("expand"))
        self._send_json(answer, 200, headers, fault)

    def _send_page(
        self, hub: HubServer, query: dict[str, list[str]], account: str, fault: HubFault | None
    ) -> None:
        found = [
            each
            for each in hub.repositories.values()
            if each.is_wanted(query) and (not each.private or account in each.readers)
        ]
        order = query.get("sort", ["createdAt"])[0]
        found.sort(key=lambda each: each.info.get(order) or 0, reverse=True)
        shown, headers = self._page(found, hub, query)
        page = [each.facts(query.get("expand")) for each in shown]
        self._send_json(page, 200, headers, fault)

    def _page(
        self, everything: list[_T], hub: HubServer, query: dict[str, list[str]]
    ) -> tuple[list[_T], dict[str, str]]:
        """One page, and the header with the way to the next."""
        first = int(query.get("cursor", ["0"])[0])
        end = first + min(hub.page_size, int(query.get("limit", ["1000"])[0]))
        if end >= len(everything):
            return everything[first:], {}
        parts = urlsplit(self.path)
        others = [pair for pair in parse_qsl(parts.query) if pair[0] != "cursor"]
        following = urlencode([*others, ("cursor", str(end))])
        link = f'<{hub.links or hub.url}{parts.path}?{following}>; rel="next"'
        return everything[first:end], {"Link": link}

    def _send_file(
        self,
        hub: HubServer,
        repository: HubRepository,
        revision: str,
        path: str,
        fault: HubFault | None,
    ) -> None:
        if revision not in ("main", repository.commit):
            raise _Refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        content = repository.files.get(path)
        if content is None:
            raise _Refusal(404, "EntryNotFound", "Entry not found")
        headers = {"X-Repo-Commit": repository.commit, "Accept-Ranges": "bytes"}
        if is_big(path):
            linked = {
                "Location": hub.cdn.sign(f"{repository.repo}/{path}"),
                "X-Linked-Etag": f'"{repository.sha256(path)}"',
                "X-Linked-Size": str(repository.size(path)),
            }
            self._send(302, b"", headers | linked, fault)
        else:
            assert isinstance(content, bytes)
            headers["ETag"] = f'"{repository.oid(path)}"'
            self._send(200, content, headers, fault)

    def _fail(self, hub: HubServer, fault: HubFault) -> bool:
        """Whether the fault was all there is to the answer."""
        if fault == "mute":
            hub.closing.wait(20)
            self.close_connection = True
        elif fault.isdecimal():
            pause = {"Retry-After": hub.retry_after, "RateLimit": f'"api";r=0;t={hub.retry_after}'}
            headers = pause if fault in ("429", "503") else {}
            self._send_json({"error": "This is a fault."}, int(fault), headers, None)
        elif fault == "html":
            page = b"<!DOCTYPE html><title>Welcome to our hotel</title>"
            self._send(200, page, {"Content-Type": "text/html"}, None)
        elif fault in ("not json", "deep", "other json"):
            bodies = {"not json": b'{"a": ', "deep": b"[" * 200_000, "other json": b"[7, null]"}
            self._send(200, bodies[fault], {"Content-Type": "application/json"}, None)
        elif fault == "redirect loop":
            self._send(302, b"", {"Location": self.path}, None)
        elif fault == "redirect away":
            self._send(302, b"", {"Location": hub.elsewhere + self.path}, None)
        elif fault in ("endless", "drip"):
            self._start(200, {"Content-Type": "application/json", "Connection": "close"})
            self.close_connection = True
            pause, piece = (0.05, b" ") if fault == "drip" else (0.0, b" " * 100_000)
            with contextlib.suppress(OSError):
                while not hub.closing.wait(pause):
                    self.wfile.write(piece)
        else:
            return False
        return True

    def _send_json(
        self, answer: object, status: int, headers: dict[str, str], fault: HubFault | None
    ) -> None:
        kind = {"Content-Type": "application/json; charset=utf-8"}
        self._send(status, json.dumps(answer).encode(), headers | kind, fault)

    def _send(
        self, status: int, body: bytes, headers: dict[str, str], fault: HubFault | None
    ) -> None:
        self._start(status, headers | {"Content-Length": str(len(body))})
        if self.command == "HEAD":
            return
        half = len(body) // 2 if fault in ("reset", "cut", "stall") else len(body)
        self.wfile.write(body[:half])
        self._record.sent += half
        if fault == "stall":
            self.server.owner.closing.wait(20)
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if half < len(body):
            self.close_connection = True

    def _start(self, status: int, headers: dict[str, str]) -> None:
        self._record.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
