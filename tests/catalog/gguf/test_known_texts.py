"""A vocabulary that was read before is passed over at once, and only if it is that very one."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import BadModelFile
from catalog.gguf.header import ArraySummary, GgufHeader
from catalog.gguf.known_texts import KnownTexts
from catalog.gguf.reader import HeaderReader

TEXTS = st.lists(st.binary(max_size=90), min_size=1, max_size=30)


def text(content: bytes) -> bytes:
    return struct.pack("<Q", len(content)) + content


def model(texts: list[bytes], *, repeat: int = 100, ending: bytes = b"end") -> bytes:
    """A header whose vocabulary is too long to be kept, with something after it."""
    vocabulary = b"".join(map(text, texts)) * repeat
    count = len(texts) * repeat
    return b"".join(
        (
            b"GGUF",
            struct.pack("<IQQ", 3, 0, 2),
            text(b"tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, count) + vocabulary,
            text(b"general.name") + struct.pack("<I", 8) + text(ending),
            b"\0" * 64,
        )
    )


def read(content: bytes, known: KnownTexts | None = None) -> GgufHeader:
    return HeaderReader(io.BytesIO(content), "m.gguf", len(content), known).read()


@given(TEXTS, TEXTS)
def test_headers_are_the_same_with_it_and_without(one: list[bytes], other: list[bytes]) -> None:
    known = KnownTexts()
    for texts in (one, other, one, other):
        content = model(texts, repeat=2000 // len(texts))
        assert read(content, known) == read(content)
        assert read(content, known).name == "end"


def test_a_vocabulary_that_differs_only_far_inside_is_another_one() -> None:
    known = KnownTexts()
    same = [b"token"] * 1500
    longer = [*same[:-1], b"another token"]
    for texts in (same, longer, same):
        header = read(model(texts, repeat=1), known)
        assert header.name == "end"
        assert header.metadata["tokenizer.ggml.tokens"] == ArraySummary(8, 1500)


def test_it_does_pass_over_what_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    known = KnownTexts()
    content = model([b"token"] * 20)
    read(content, known)
    monkeypatch.setattr(HeaderReader, "_walk_texts", lambda *_: pytest.fail("walked again"))
    assert read(content, known).name == "end"


def test_a_file_that_ends_within_a_known_vocabulary_is_cut_short() -> None:
    known = KnownTexts()
    content = model([b"token"] * 20)
    read(content, known)
    with pytest.raises(BadModelFile, match="cut short"):
        read(content[: len(content) // 2], known)


@pytest.mark.parametrize("lengths", [[63, 64], [0], [1, 2, 300], [255, 256, 257], [6]])
def test_texts_of_any_length_are_walked_over(lengths: list[int]) -> None:
    texts = [bytes([length % 256]) * length for length in lengths]
    assert read(model(texts, repeat=3000 // len(texts))).name == "end"


def test_a_length_that_leads_out_of_the_file_is_noticed() -> None:
    content = bytearray(model([b"token"] * 20))
    at = content.index(text(b"token") * 100) + 500 * 13
    content[at : at + 8] = struct.pack("<Q", 1 << 40)
    with pytest.raises(BadModelFile):
        read(bytes(content))
