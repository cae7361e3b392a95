"""A model's weights and vocabulary, loaded by llama.cpp."""

import ctypes
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import llama_cpp.llama_cpp as native

from backends.errors import Unsupported
from backends.llama_cpp.control_tokens import ControlToken, ControlTokens
from backends.llama_cpp.native_log import listening, load_failure
from backends.reasoning import REASONING_TAGS

_PIECE_BYTES = 256
_METADATA_BYTES = 512
_MOST_TOKEN_BYTES = 256
"""No token stands for more."""
_LOAD_MODES = {
    (False, False): native.LLAMA_LOAD_MODE_NONE,
    (False, True): native.LLAMA_LOAD_MODE_MLOCK,
    (True, True): native.LLAMA_LOAD_MODE_MMAP_MLOCK,
}
_ONLY_FOR_TEMPLATES = native.LLAMA_TOKEN_ATTR_CONTROL | native.LLAMA_TOKEN_ATTR_UNKNOWN
_NOT_LOCKED = re.compile(
    r"failed to (mlock|VirtualLock|SetProcessWorkingSetSize)|mlock not supported"
)


def cache_bytes(handle: int, n_ctx: int, bits: float) -> int:
    """Memory that a context of that many tokens takes, if every layer attends to all of it.

    `handle` is a model's, `bits` are those of each value.
    """
    head = native.llama_model_n_embd(handle) // max(1, native.llama_model_n_head(handle))
    keys: int = head * native.llama_model_n_head_kv(handle)
    layers: int = native.llama_model_n_layer(handle)
    return int(n_ctx * layers * 2 * keys * bits / 8)


def least_tokens(text: str) -> int:
    """How many it comes to at least. What is far too long need not be tokenized to find out, which
    takes a second for some megabytes, while all other answers wait."""
    return len(text) // _MOST_TOKEN_BYTES


class Model:
    """The loaded weights, and the translation between text and tokens. Close it."""

    def __init__(
        self,
        path: str,
        *,
        n_gpu_layers: int,
        safe_mode: bool,
        mmap: bool = True,
        mlock: bool = False,
        on_progress: Callable[[float], None],
    ) -> None:
        """`safe_mode` keeps the weights as they lie in the file instead of repacking them.

        `mmap` maps the file instead of reading it. `mlock` keeps the weights from being swapped; where
        the system refuses, `is_locked` tells.

        Raises ModelLoadError or OutOfMemory.
        """
        params = native.llama_model_default_params()
        params.n_gpu_layers = n_gpu_layers
        params.use_extra_bufts = not safe_mode
        if mlock or not mmap:
            params.load_mode = _LOAD_MODES[mmap, mlock]

        def go_on(fraction: float, _user_data: ctypes.c_void_p) -> bool:
            on_progress(fraction)
            return True

        callback = native.llama_progress_callback(go_on)
        params.progress_callback = callback
        self.path = path
        with listening() as log:
            self.handle = native.llama_model_load_from_file(path.encode(), params)
        if not self.handle:
            raise load_failure(path)
        self.is_locked = mlock and not any(map(_NOT_LOCKED.search, log))
        self.has_encoder: bool = native.llama_model_has_encoder(self.handle)
        self.vocab = native.llama_model_get_vocab(self.handle)
        self.n_vocab: int = native.llama_vocab_n_tokens(self.vocab)
        self.n_embd: int = native.llama_model_n_embd_out(self.handle)
        self.n_bytes: int = native.llama_model_size(self.handle)
        self.n_ctx_train: int = native.llama_model_n_ctx_train(self.handle)
        self.is_recurrent: bool = native.llama_model_is_recurrent(
            self.handle
        ) or native.llama_model_is_hybrid(self.handle)
        self.bos = self._token_text(native.llama_vocab_bos(self.vocab))
        self.eos = self._token_text(native.llama_vocab_eos(self.vocab))
        self._adds_bos: bool = native.llama_vocab_get_add_bos(self.vocab)
        self._buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        self._pieces = dict(self._single_tokens(tag for pair in REASONING_TAGS for tag in pair))
        self._marks: set[int] = set()

    def close(self) -> None:
        if self.handle:
            native.llama_model_free(self.handle)
            self.handle = None

    def metadata(self, key: str) -> str:
        """A value of the file's header as text, or an empty one."""
        size = _METADATA_BYTES
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = native.llama_model_meta_val_str(self.handle, key.encode(), buffer, size)
            if length < size:
                return buffer.value.decode("utf-8", "replace") if length >= 0 else ""
            size = length + 1

    def tokenize(
        self, text: str, *, starts_prompt: bool = False, special: bool = True
    ) -> list[int]:
        """Tokens of a piece of text. Without `special`, what spells a special token is plain text.

        With `starts_prompt` the beginning-of-text token comes first, where the model wants one and
        the text does not already begin with it.
        """
        data = text.encode("utf-8", "replace")
        add_special = starts_prompt and not (self.bos and text.startswith(self.bos))
        if not data and not add_special:
            return []
        return self._tokenize(data, starts_prompt and self.adds_bos_to(text), special)

    def adds_bos_to(self, text: str) -> bool:
        """Whether a prompt of that text gets a beginning-of-text token before it."""
        return self._adds_bos and not (self.bos and text.startswith(self.bos))

    def tokenize_whole(self, text: str) -> list[int]:
        """Tokens of a text that stands alone, with all that the model wants around one.

        At least one: an empty text is a line break, where the model wants nothing around it.
        """
        data = text.encode("utf-8", "replace")
        return self._tokenize(data, True, True) or self.tokenize("\n")

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for, often a part of a character; none for special tokens."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self._render(token, special=False)
        return known

    def written(self, token: int) -> bytes:
        """The bytes that a token is written as, which for special tokens are its name."""
        return self._render(token, special=True)

    @property
    def fill_in_marks(self) -> tuple[int, int, int] | None:
        """The tokens before what comes first, before what comes last, and before what is between."""
        marks = (
            int(native.llama_vocab_fim_pre(self.vocab)),
            int(native.llama_vocab_fim_suf(self.vocab)),
            int(native.llama_vocab_fim_mid(self.vocab)),
        )
        return marks if min(marks) >= 0 else None

    def check_tokens(self, tokens: Sequence[int]) -> None:
        """Raises Unsupported for numbers that are no tokens of this model."""
        strange = next((token for token in tokens if not 0 <= token < self.n_vocab), None)
        if strange is not None:
            raise Unsupported(
                f"This model has no token {strange:,}.",
                f"Its tokens have numbers up to {self.n_vocab - 1:,}; those of another model mean "
                "something else here.",
                "Send the text itself, or tokens of this model's own tokenizer.",
            )

    def is_end(self, token: int) -> bool:
        return bool(native.llama_vocab_is_eog(self.vocab, token))

    def has_token(self, text: str) -> bool:
        """Whether the text is one token of its own."""
        return len(self.tokenize(text)) == 1

    def _tokenize(self, data: bytes, add_special: bool, special: bool) -> list[int]:
        room = len(data) + 2
        tokens = (native.llama_token * room)()
        count = native.llama_tokenize(
            self.vocab, data, len(data), tokens, room, add_special, special
        )
        if count < 0:
            tokens = (native.llama_token * -count)()
            count = native.llama_tokenize(
                self.vocab, data, len(data), tokens, -count, add_special, special
            )
        return list(tokens[:count])

    def show(self, marks: Iterable[str]) -> None:
        """Have `piece` give these texts where they are special tokens, and grammars allow them."""
        found = dict(self._single_tokens(marks))
        self._pieces |= found
        self._marks |= found.keys()

    @functools.cached_property
    def control_tokens(self) -> ControlTokens:
        """Those that only a template may spell."""
        found: dict[str, ControlToken] = {}
        for token in range(self.n_vocab):
            kind = native.llama_vocab_get_attr(self.vocab, token)
            text = self._token_text(token) if kind & _ONLY_FOR_TEMPLATES else ""
            if text:
                found[text] = ControlToken(
                    token,
                    strips_left=bool(kind & native.LLAMA_TOKEN_ATTR_LSTRIP),
                    strips_right=bool(kind & native.LLAMA_TOKEN_ATTR_RSTRIP),
                )
        return ControlTokens(found)

    def is_shown_control(self, token: int) -> bool:
        """Whether it is a control token that can be part of an answer, such as the mark of a call."""
        return bool(native.llama_vocab_is_control(self.vocab, token) and self.piece(token))

    def is_hidden(self, token: int) -> bool:
        """Whether it is a control token that no answer consists of."""
        return token not in self._marks and bool(native.llama_vocab_is_control(self.vocab, token))

    def _single_tokens(self, texts: Iterable[str]) -> Iterator[tuple[int, bytes]]:
        """Marks that are special tokens in some models must be seen, or they are missing in the text."""
        for text in texts:
            tokens = self.tokenize(text)
            if len(tokens) == 1:
                yield tokens[0], text.encode()

    def _render(self, token: int, *, special: bool) -> bytes:
        length = native.llama_token_to_piece(
            self.vocab, token, self._buffer, len(self._buffer), 0, special
        )
        if length < 0:
            self._buffer = ctypes.create_string_buffer(-length)
            length = native.llama_token_to_piece(
                self.vocab, token, self._buffer, -length, 0, special
            )
        return self._buffer.raw[:length]

    def _token_text(self, token: int) -> str:
        if token < 0:
            return ""
        text: bytes = native.llama_vocab_get_text(self.vocab, token)
        return text.decode("utf-8", "replace")
