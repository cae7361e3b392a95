"""A service that speaks the OpenAI API on 127.0.0.1, and can fail in every way that real ones do."""

import json
import socket
import struct
import threading
from collections.abc import Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Literal

import msgspec

from tests.catalog.loopback import LoopbackServer, ServedBy

Fault = Literal[
    "mute",  # nothing comes at all, not even headers
    "drip headers",  # a byte of the headers at a time, without end
    "silent",  # headers, but then nothing
    "stall",  # nothing comes any more after two words
    "cut",  # the body ends after two words
    "reset",  # the connection is reset after two words
    "endless",  # words without end
    "endless line",  # a line without end
    "comments",  # comments without end, and nothing else
    "garbage",  # what is no JSON, after two words
    "binary",  # bytes that mean nothing, from the start
    "web page",  # HTML with status 200
    "json",  # the answer in one piece, though a stream was asked for
    "json error",  # an error with status 200
    "error in stream",  # an error after two words
    "no done",  # the stream ends without [DONE]
    "no end",  # the stream goes on being open after the last word
    "open after done",  # and after [DONE]
    "no usage",
    "carriage returns",  # lines end in \r\n, and come cut at every byte
    "huge",  # a body that is larger than any should be
    "compressed",
    "redirect",  # to `elsewhere`
    "redirect within",  # to the same, under another path
    "redirect loop",
    "no http",  # what is no HTTP
]

WORDS = ("Hello", " there", ",", " friend", ".")
TOKENS_OF_PROMPT = 7


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a POST or GET is answered with, where it is not the usual. `body`: bytes, or JSON."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = {}


class Chunks(msgspec.Struct, frozen=True):
    """The JSON values of a stream, as they stand."""

    values: tuple[Any, ...]


class Received(msgspec.Struct):
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    gone: threading.Event
    """Set when it was noticed that the client closed the connection."""


class OpenAIServer(LoopbackServer):
    """Answers chats with `WORDS`, each a token, or without end where the last message is "Talk".

    `script` befalls the requests one after the other; then all is well. A `key`, where given, is
    wanted. With `keeps` False each connection is closed after its answer. Use it in a `with` block.

    Attributes:
        requests: All so far.
        models: What it lists.
        elsewhere: Where it redirects to.
        connections: How many were made.
    """

    def __init__(
        self,
        script: Iterable[Fault | Reply | Chunks] = (),
        *,
        key: str = "",
        certificate: Path | None = None,
        keeps: bool = True,
    ) -> None:
        self.script = list(script)
        self.key = key
        self.keeps = keeps
        self.requests: list[Received] = []
        self.models: Any = {"data": [{"id": "words", "object": "model"}]}
        self.elsewhere = ""
        self.connections = 0
        self._lock = threading.Lock()
        super().__init__(_Handler, certificate)

    @property
    def url(self) -> str:
        return f"{self.origin}/v1"

    @property
    def bodies(self) -> list[Any]:
        return [request.body for request in self.requests]

    def next_of_script(self) -> Fault | Reply | Chunks | None:
        with self._lock:
            return self.script.pop(0) if self.script else None


def delta(**fields: Any) -> dict[str, Any]:
    """A chunk of a chat's answer."""
    reason = fields.pop("finish_reason", None)
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": reason}]}


def chunks(*values: Any) -> Chunks:
    return Chunks(values)


def said(text: str) -> Chunks:
    return chunks(delta(content=text), delta(finish_reason="stop"))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    disable_nagle_algorithm = True
    server: ServedBy

    def setup(self) -> None:
        super().setup()
        self.server.owner.connections += 1

    def handle_one_request(self) -> None:
        # A kept connection must not keep the server from ending.
        self.connection.settimeout(0.05)
        while not self.server.owner.closing.is_set():
            try:
                if not self.connection.recv(1, socket.MSG_PEEK):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
            self.connection.settimeout(20)
            super().handle_one_request()
            return
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        owner: OpenAIServer = self.server.owner
        length = int(self.headers.get("Content-Length", "0"))
        body = json.loads(self.rfile.read(length)) if length else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._received = Received(self.command, self.path, headers, body, threading.Event())
        owner.requests.append(self._received)
        act = owner.next_of_script()
        given = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
        if act is None and owner.key not in ("", given):
            message = f"Incorrect API key provided: {given}."
            act = Reply(status=401, body={"error": {"message": message, "code": "invalid_api_key"}})
        try:
            self._act(owner, act, body)
        except OSError:
            self._received.gone.set()
            self.close_connection = True

    def _act(self, owner: OpenAIServer, act: Fault | Reply | Chunks | None, body: Any) -> None:
        if isinstance(act, Reply):
            data = act.body if isinstance(act.body, bytes) else json.dumps(act.body).encode()
            self._whole(data, status=act.status, **act.headers)
        elif isinstance(act, Chunks):
            self._start("text/event-stream")
            for value in act.values:
                self._event(value)
            self._line(b"data: [DONE]\n\n")
            self._end()
        elif act is not None and act not in ("no done", "no end", "open after done", "no usage"):
            getattr(self, "_" + act.replace(" ", "_"))(body)
        elif self.path.startswith("/v1/models"):
            self._whole(json.dumps(owner.models).encode())
        elif self.path == "/v1/embeddings":
            self._embed(body)
        elif self.path in ("/v1/chat/completions", "/v1/completions"):
            self._answer(body, act)
        else:
            self._whole(b'{"detail": "Not Found"}', status=404)

    def _answer(self, body: Any, fault: str | None) -> None:
        words: Iterable[str] = WORDS
        is_text = "prompt" in body
        if not is_text and body["messages"][-1]["content"] == "Talk":
            words = _for_ever()
        most = body.get("max_tokens") or body.get("max_completion_tokens") or 10**9
        self._start("text/event-stream")
        if not is_text:
            self._event(delta(role="assistant", content=""))
        count, reason = 0, "stop"
        for word in words:
            if count == most:
                reason = "length"
                break
            text = {"choices": [{"index": 0, "text": word, "finish_reason": None}]}
            self._event(text if is_text else delta(content=word))
            count += 1
            if words is not WORDS and self._waits(0.005):
                return
        self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        if fault == "no end":
            self._waits(15)
            return
        if body.get("stream_options") and fault != "no usage":
            usage = {
                "prompt_tokens": TOKENS_OF_PROMPT,
                "completion_tokens": count,
                "prompt_tokens_details": {"cached_tokens": 3},
            }
            self._event({"choices": [], "usage": usage})
        if fault != "no done":
            self._line(b"data: [DONE]\n\n")
        if fault == "open after done":
            self._waits(15)
            return
        self._end()

    def _embed(self, body: Any) -> None:
        texts = body["input"]
        data = [
            {"index": i, "embedding": [float(len(text)), 1.0, 2.0]} for i, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": sum(len(text.split()) for text in texts)}
        self._whole(json.dumps({"data": data[::-1], "usage": usage}).encode())

    def _mute(self, body: Any) -> None:
        self._waits(15)

    def _drip_headers(self, body: Any) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not self._waits(0.02):
            self.wfile.write(b"x")

    def _silent(self, body: Any) -> None:
        self._start("text/event-stream")
        self._waits(15)

    def _two_words(self) -> None:
        self._start("text/event-stream")
        for word in WORDS[:2]:
            self._event(delta(content=word))

    def _stall(self, body: Any) -> None:
        self._two_words()
        self._waits(15)

    def _cut(self, body: Any) -> None:
        self._two_words()
        self._end()

    def _reset(self, body: Any) -> None:
        self._two_words()
        self._waits(0.1)
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True

    def _endless(self, body: Any) -> None:
        self._start("text/event-stream")
        while not self._waits(0):
            self._event(delta(content=" word" * 1000))

    def _endless_line(self, body: Any) -> None:
        self._start("text/event-stream")
        self._line(b"data: ")
        while not self._waits(0):
            self._line(b"x" * 65536)

    def _comments(self, body: Any) -> None:
        self._start("text/event-stream")
        while not self._waits(0.01):
            self._line(b": still thinking\n\n")

    def _garbage(self, body: Any) -> None:
        self._two_words()
        self._line(b"data: {never ending\n\n")
        self._end()

    def _binary(self, body: Any) -> None:
        self._whole(bytes(range(256)) * 40, **{"Content-Type": "application/octet-stream"})

    def _web_page(self, body: Any) -> None:
        self._whole(b"<!DOCTYPE html><p>Sign in", **{"Content-Type": "text/html"})

    def _json(self, body: Any) -> None:
        choice = {
            "message": {"role": "assistant", "content": "Hello there", "reasoning": "Greet."},
            "finish_reason": "stop",
        }
        usage = {"prompt_tokens": 5, "completion_tokens": 2}
        self._whole(json.dumps({"choices": [choice], "usage": usage}).encode())

    def _json_error(self, body: Any) -> None:
        self._whole(json.dumps({"error": {"message": "No such luck.", "code": 502}}).encode())

    def _error_in_stream(self, body: Any) -> None:
        self._two_words()
        self._event({"error": {"message": "The model fell over.", "type": "server_error"}})
        self._end()

    def _carriage_returns(self, body: Any) -> None:
        self._start("text/event-stream")
        texts = [json.dumps(delta(content=word)) for word in WORDS]
        stream = "".join(f": a comment\r\nevent: message\r\ndata: {t}\r\n\r\n" for t in texts)
        for byte in (stream + "data: [DONE]\r\n\r\n").encode():
            self._line(bytes((byte,)))
        self._end()

    def _huge(self, body: Any) -> None:
        self._start("application/json")
        self._line(b'{"data": [')
        while not self._waits(0):
            self._line(b'{"id": "m"},' * 10_000)

    def _compressed(self, body: Any) -> None:
        self._whole(b"\x1f\x8b", **{"Content-Encoding": "gzip"})

    def _redirect(self, body: Any) -> None:
        self._whole(b"", status=307, Location=self.server.owner.elsewhere + self.path)

    def _redirect_within(self, body: Any) -> None:
        self._whole(b"", status=307, Location=self.path)

    def _redirect_loop(self, body: Any) -> None:
        self.server.owner.script.insert(0, "redirect loop")
        self._whole(b"", status=307, Location=self.path)

    def _no_http(self, body: Any) -> None:
        self.wfile.write(b"220 mail.example ESMTP\r\n\r\n")
        self.close_connection = True

    def end_headers(self) -> None:
        if not self.server.owner.keeps:
            self.send_header("Connection", "close")
        super().end_headers()

    def _start(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _event(self, value: Any) -> None:
        self._line(b"data: " + json.dumps(value).encode() + b"\n\n")

    def _line(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _end(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def _whole(self, data: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _waits(self, seconds: float) -> bool:
        """Whether it must stop: the client went away, or the test is over."""
        slept = 0.0
        while True:
            self.connection.settimeout(0)
            try:
                gone = not self.connection.recv(1, socket.MSG_PEEK)
            except (BlockingIOError, ValueError):  # of an SSLSocket
                gone = False
            except OSError:
                gone = True
            self.connection.settimeout(20)
            if gone:
                self._received.gone.set()
                self.close_connection = True
                return True
            step = min(0.01, seconds - slept)
            if step <= 0:
                return self.server.owner.closing.is_set()
            if self.server.owner.closing.wait(step):
                return True
            slept += step


def _for_ever() -> Iterator[str]:
    while True:
        yield " word"
