"""A loaded model, seen from the program: requests go to its worker, events come back."""

import threading
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import msgspec

from backends.errors import (
    BackendError,
    BadAdapter,
    BadGrammar,
    ModelLoadError,
    OutOfMemory,
    PromptTooLong,
    Unsupported,
)
from backends.llama_cpp.deaths import crash_while_answering, crash_while_embedding
from backends.llama_cpp.process import Replies, WorkerProcess
from backends.llama_cpp.wire import (
    MAX_FRAME_BYTES,
    Chat,
    Count,
    Counted,
    Embed,
    Embedded,
    Failed,
    Vector,
)
from backends.protocol import (
    ApplyTemplate,
    ChatRequest,
    Detokenize,
    Embeddings,
    Event,
    Finished,
    Message,
    Question,
    SessionInfo,
    Spelled,
    Text,
    Tokenize,
)

MAX_PROMPT_BYTES = MAX_FRAME_BYTES // 2
"""Of text in a prompt; the rest of a frame is for what surrounds each message."""

_BYTES_AROUND_TEXT = 8
_BYTES_OF_TOKEN = 5

SAVE_SECONDS = 3.0
"""What a worker may take to save what it keeps, when it is closed."""

_ERRORS: dict[str, type[BackendError]] = {
    "load": ModelLoadError,
    "memory": OutOfMemory,
    "prompt": PromptTooLong,
    "adapter": BadAdapter,
    "grammar": BadGrammar,
    "unsupported": Unsupported,
}


def error_from(failed: Failed) -> BackendError:
    return _ERRORS[failed.kind](failed.what, failed.why, failed.fix)


class LlamaCppSession:
    """Implements `backends.protocol.Session`."""

    def __init__(self, process: WorkerProcess, info: SessionInfo, *, saves: bool = False) -> None:
        """Takes over the process and ends it when closed.

        `saves` says whether it gets some seconds then to save what it may keep.
        """
        self._process = process
        self._info = info
        self._saves = saves

    @property
    def info(self) -> SessionInfo:
        return self._info

    @property
    def alive(self) -> bool:
        return self._process.alive

    @property
    def pid(self) -> int:
        """The worker's process id, for reports and tests."""
        return self._process.pid

    def chat(self, request: ChatRequest) -> "LlamaCppStream":
        """Begin an answer, beside those that are being given. Raises PromptTooLong."""
        tools = (f"{tool.name}{tool.description}{tool.parameters}" for tool in request.tools)
        prompt = _written(request.prompt or "")
        _check_size([*_texts(request.messages), *tools, prompt])
        return LlamaCppStream(self._process, *self._process.order(Chat(request)))

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens that the messages come to as a prompt.

        Raises PromptTooLong for what no context could hold.
        """
        _check_size(_texts(messages))
        _, replies = self._process.order(Count(tuple(messages)))
        body = replies.get()
        if isinstance(body, Failed):
            raise error_from(body)
        if body is None:
            raise crash_while_answering(self._process.wait(), self._process.log_tail())
        return cast(Counted, body).tokens

    def spell(self, question: Question) -> Spelled:
        """What a text is in tokens, or tokens or messages as text.

        Raises PromptTooLong or Unsupported.
        """
        match question:
            case Tokenize():
                _check_size([question.text])
            case Detokenize():
                _check_size([_written(question.tokens)])
            case ApplyTemplate(request):
                _check_size(_texts(request.messages))
        _, replies = self._process.order(question)
        body = replies.get()
        if isinstance(body, Failed):
            raise error_from(body)
        if body is None:
            raise crash_while_answering(self._process.wait(), self._process.log_tail())
        return cast(Spelled, body)

    def embed(self, texts: Sequence[Text]) -> Embeddings:
        """Vectors of the texts, made beside the answers that are being given.

        Raises PromptTooLong or Unsupported.
        """
        _check_size_together(texts)
        job, replies = self._process.order(Embed(tuple(texts)))
        vectors: list[tuple[float, ...]] = [()] * len(texts)
        try:
            while True:
                body = replies.get()
                if isinstance(body, Vector):
                    vectors[body.text] = tuple(array("f", body.values))
                elif isinstance(body, Embedded):
                    return Embeddings(vectors=tuple(vectors), tokens=body.tokens)
                elif isinstance(body, Failed):
                    raise error_from(body)
                else:
                    raise crash_while_embedding(self._process.wait(), self._process.log_tail())
        except KeyboardInterrupt:
            self._process.cancel(job, replies)
            raise

    def close(self) -> None:
        if self._saves:
            self._process.end(SAVE_SECONDS)
        self._process.close()


def _texts(messages: Sequence[Message]) -> Iterator[str]:
    for message in messages:
        yield message.content
        yield message.reasoning
        yield from (f"{call.name}{call.arguments}" for call in message.tool_calls)


def _written(text: Text) -> str:
    """The text, or for tokens a text that takes at least as many bytes in a message."""
    return text if isinstance(text, str) else " " * (_BYTES_OF_TOKEN * len(text))


def _check_size(texts: Iterable[str]) -> None:
    size = sum(len(text.encode("utf-8", "replace")) for text in texts)
    if size > MAX_PROMPT_BYTES:
        raise PromptTooLong(
            "The chat is too long for any model.",
            f"With the newest message it has {size // 10**6:,} MB of text.",
            "Shorten the message, or begin a new chat.",
        )


def _check_size_together(texts: Sequence[Text]) -> None:
    size = sum(
        _BYTES_AROUND_TEXT + len(_written(text).encode("utf-8", "replace")) for text in texts
    )
    if size > MAX_PROMPT_BYTES:
        raise PromptTooLong(
            "The texts are too long together.",
            f"They come to {size // 10**6:,} MB.",
            "Send fewer at once.",
        )


class LlamaCppStream:
    """Implements `backends.protocol.ChatStream`. Iterate on one thread, close from any."""

    def __init__(self, process: WorkerProcess, job: int, replies: Replies) -> None:
        self._process = process
        self._job = job
        self._replies = replies
        self._closed = threading.Event()
        self._exhausted = False

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        if self._exhausted:
            raise StopIteration
        body = self._replies.get()
        if body is None:
            self._exhausted = True
            status = self._process.wait()
            if self._closed.is_set():
                return Finished("cancelled")
            raise crash_while_answering(status, self._process.log_tail())
        if isinstance(body, Failed):
            self._exhausted = True
            if self._closed.is_set():
                return Finished("cancelled")
            raise error_from(body)
        if isinstance(body, Finished):
            self._exhausted = True
            if self._closed.is_set():
                return msgspec.structs.replace(body, reason="cancelled")
        return cast(Event, body)

    def close(self) -> None:
        """Returns at once. A worker that does not stop within two seconds is killed."""
        if self._closed.is_set() or self._replies.ended.is_set():
            self._closed.set()
            return
        self._closed.set()
        # A worker that hangs may not even read; the caller's thread must not wait for that.
        threading.Thread(
            target=self._process.cancel,
            args=(self._job, self._replies),
            name=f"worker-{self._process.pid}-cancel",
            daemon=True,
        ).start()
