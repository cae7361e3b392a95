"""A model that makes vectors and nothing else, loaded, tested and ready.

Texts that are short are read together. For a long one a context of its size is set up, and given up
again when nobody waits any more: its memory grows with the square of the length, and with the
vocabulary.
"""

from collections.abc import Sequence

import psutil

from backends.errors import ModelLoadError, OutOfMemory, Unsupported
from backends.llama_cpp.abort_flag import AbortFlag
from backends.llama_cpp.context import Aborted, NotNumbers, wanted_context
from backends.llama_cpp.embedding import Reply, Text, Texts, no_vector
from backends.llama_cpp.loaded_model import LoadedModel
from backends.llama_cpp.native_log import forget_contexts
from backends.llama_cpp.pooled_context import MOST_TEXTS, PooledContext
from backends.llama_cpp.pooling import Reading
from backends.llama_cpp.running import Reply as ChatReply
from backends.llama_cpp.spelling import spelled
from backends.protocol import (
    ApplyTemplate,
    ChatRequest,
    LoadOptions,
    Message,
    Question,
    SessionInfo,
    Spelled,
)
from backends.protocol import Text as Input

_USUAL_TOKENS = 256  # with more, attention between texts costs what is gained
_LEAST_TOKENS = 64
_SCORES_BYTES = 1 << 28
"""What scores of the usual tokens may take: llama.cpp makes room for them, though none are asked for."""
_SELF_TEST_TOKENS = 8
_BYTES_PER_PAIR = 6  # of the mask of what sees what, in 32 and in 16 bits


class EmbeddingEngine:
    """`embed` takes texts in, `step` goes on with them; both on one thread."""

    def __init__(
        self, loaded: LoadedModel, options: LoadOptions, reading: Reading, *, abort: AbortFlag
    ) -> None:
        """Raises ModelLoadError or OutOfMemory; `self_test` should follow."""
        self._loaded = loaded
        self._options = options
        self._reading = reading
        self._abort = abort
        trained = loaded.model.n_ctx_train
        wanted = wanted_context(options, trained)
        # Some have a table of positions, which ends there.
        self._longest = min(wanted, trained) if trained else wanted
        affordable = _SCORES_BYTES // (4 * max(1, loaded.model.n_vocab))
        self._usual = min(self._longest, max(_LEAST_TOKENS, min(_USUAL_TOKENS, affordable)))
        self._context = self._open(self._usual)
        self._is_large = False
        self._texts = Texts(loaded.model, self._longest)
        self._load_ms = loaded.loaded_ms()

    @property
    def info(self) -> SessionInfo:
        return self._loaded.info(
            n_ctx=self._longest,
            template="none: it makes vectors",
            load_ms=self._load_ms,
            warnings=(),
        )

    @property
    def is_idle(self) -> bool:
        """Whether `step` has nothing to do."""
        return self._texts.is_idle

    def self_test(self) -> None:
        """Compute a little and look at the result. Raises ModelLoadError; a bad build dies here."""
        n_vocab = self._loaded.model.n_vocab
        count = min(_SELF_TEST_TOKENS, self._usual // 2)
        tokens = [i % n_vocab for i in range(count)]
        for vector in self._context.vectors([tokens, tokens]):
            if not any(vector) or sum(vector) != sum(vector):
                raise ModelLoadError(
                    "The model gives no usable vectors.",
                    "Its weights are damaged: a test computation gave numbers that are none.",
                    "Download the file again, or choose another quantization.",
                )
        self._loaded.machines.watch()

    def count(self, messages: Sequence[Message]) -> int:
        """Tokens of the messages, each as a text of its own."""
        model = self._loaded.model
        return sum(len(model.tokenize_whole(message.content)) for message in messages)

    def spell(self, question: Question) -> Spelled:
        """Raises Unsupported."""
        if isinstance(question, ApplyTemplate):
            raise only_embeds()
        return spelled(self._loaded.model, question)

    def chat(self, job: int, request: ChatRequest, reply: ChatReply) -> None:
        """Raises Unsupported."""
        raise only_embeds()

    def embed(self, job: int, texts: Sequence[Input], reply: Reply) -> None:
        """Take texts in; `step` replies with their vectors and `Embedded`, or with an error."""
        self._texts.add(job, texts, reply)

    def cancel(self, job: int) -> None:
        """End an order; one that has ended is no matter."""
        self._texts.cancel(job)

    def step(self) -> None:
        """Read the next texts, as many as go together."""
        batch = self._take()
        if batch:
            self._read(batch)
        if self._texts.is_idle and self._is_large:
            self._resize(self._usual)

    def close(self, seconds: float) -> None:
        """End every order as cancelled."""
        self._texts.cancel_all()

    def _take(self) -> list[Text]:
        """Short ones that go together, or a long one alone."""
        batch: list[Text] = []
        room = self._usual
        while len(batch) < MOST_TEXTS:
            text = self._texts.take()
            if text is None:
                break
            if batch and len(text.tokens) > room:
                self._texts.give_back(text)
                break
            batch.append(text)
            room -= len(text.tokens)
        return batch

    def _read(self, batch: Sequence[Text]) -> None:
        try:
            self._make_room(sum(len(text.tokens) for text in batch))
            vectors = self._context.vectors([text.tokens for text in batch])
            for text, values in zip(batch, vectors, strict=True):
                self._texts.answer(text, values)
        except Aborted:  # whom it was about is told by an order
            for text in reversed(batch):
                self._texts.give_back(text)
        except NotNumbers:
            for text in batch:
                self._texts.fail(text, no_vector())
        except OutOfMemory as error:
            self._texts.fail(batch[0], error)

    def _make_room(self, n_tokens: int) -> None:
        """Raises OutOfMemory, after which there is no less room than is usual."""
        if n_tokens <= self._context.n_tokens:
            return
        scores = n_tokens * self._loaded.model.n_vocab * 4
        needed = scores + n_tokens * n_tokens * _BYTES_PER_PAIR
        if needed > psutil.virtual_memory().available:
            # llama.cpp would try, and the system would come to a halt before it gave up.
            raise _no_room()
        try:
            self._resize(n_tokens)
        except (OutOfMemory, ModelLoadError) as error:
            self._resize(self._usual)
            raise _no_room() from error

    def _resize(self, n_tokens: int) -> None:
        self._context.close()
        forget_contexts()
        self._context = self._open(n_tokens)
        self._is_large = n_tokens > self._usual

    def _open(self, n_tokens: int) -> PooledContext:
        return PooledContext(
            self._loaded,
            self._options,
            n_tokens=n_tokens,
            pooling=self._reading.pooling,
            abort=self._abort,
        )


def only_embeds() -> Unsupported:
    return Unsupported(
        "This model can't chat.",
        "It was loaded to make vectors of texts.",
        "Choose a chat model, or load it again to chat with it.",
    )


def _no_room() -> OutOfMemory:
    return OutOfMemory(
        "A text is too long for the memory of this computer.",
        "The longer it is, the more memory the model needs to read it at once.",
        "Split it into shorter ones, or close other programs.",
    )
