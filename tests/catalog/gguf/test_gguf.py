"""GGUF files, sound and otherwise, are judged in words, quickly and without much memory."""

import os
import struct
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from catalog.errors import BadModelFile
from catalog.fit.fit import Memory, fit
from catalog.gguf.files import ArraySummary, check_model_file, parts_of, read_header
from catalog.gguf.tensor_types import FILE_TYPES, TENSOR_TYPES
from tests.gguf_files import CORRUPTIONS, corrupt, write_adapter, write_model, write_projector

U32, FLOAT, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def pair(key: str, value_type: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", value_type) + value


def array(item_type: int, length: int, items: bytes = b"") -> bytes:
    return struct.pack("<IQ", item_type, length) + items


def tensor(name: str, shape: tuple[int, ...], ggml_type: int = 0, offset: int = 0) -> bytes:
    dims = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return text(name) + dims + struct.pack("<IQ", ggml_type, offset)


def file(
    *pairs: bytes, tensors: tuple[bytes, ...] = (), version: int = 3, data: bytes = b""
) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(pairs))
    body = head + b"".join(pairs) + b"".join(tensors)
    return body + bytes(-len(body) % 32) + data if data else body


LLAMA = pair("general.architecture", STRING, text("llama"))


@pytest.fixture
def bad(tmp_path: Path) -> Callable[[bytes], str]:
    def words(data: bytes) -> str:
        path = tmp_path / "file.gguf"
        path.write_bytes(data)
        with pytest.raises(BadModelFile) as caught:
            check_model_file(path)
        assert "“file.gguf”" in caught.value.what
        return str(caught.value)

    return words


def test_reads_a_model(tmp_path: Path) -> None:
    path = write_model(tmp_path / "tiny.gguf", weights="Q8_0", name="Tiny\n\x00one", n_layers=3)
    header = check_model_file(path)
    assert header.version == 3
    assert header.architecture == "llama"
    assert header.name == "Tiny one"
    assert header.kind == "model"
    assert header.quant == "Q8_0"
    assert header.context_length == 512
    assert header.n_layers == 3
    assert header.n_vocab == 280
    assert "<|im_start|>" in header.chat_template
    assert header.split_count == 1
    assert header.end == path.stat().st_size
    reader = gguf.GGUFReader(path)
    assert {
        t.name: (t.shape, header.data_offset + t.offset, t.n_bytes) for t in header.tensors
    } == {t.name: (tuple(t.shape.tolist()), t.data_offset, t.n_bytes) for t in reader.tensors}
    assert header.n_parameters == sum(int(t.n_elements) for t in reader.tensors)


def test_a_long_array_is_kept_as_a_summary(tmp_path: Path) -> None:
    names = [f"token {i}" for i in range(5000)]
    path = tmp_path / "words.gguf"
    path.write_bytes(
        file(
            LLAMA,
            pair("names", ARRAY, array(STRING, len(names), b"".join(map(text, names)))),
            pair("scores", ARRAY, array(U32, 5000, bytes(20_000))),
            pair("few", ARRAY, array(U32, 2, struct.pack("<II", 3, 4))),
        )
    )
    metadata = read_header(path).metadata
    assert metadata["names"] == ArraySummary(STRING, 5000)
    assert metadata["scores"] == ArraySummary(U32, 5000)
    assert metadata["few"] == (3, 4)


def test_the_tables_agree_with_those_of_the_format() -> None:
    ours = {number: tuple(kind) for number, kind in TENSOR_TYPES.items() if kind.name != "Q8_1"}
    theirs = {int(kind): (kind.name, *size) for kind, size in gguf.GGML_QUANT_SIZES.items()}
    del theirs[int(gguf.GGMLQuantizationType.Q8_1)]  # 40 there, 36 in ggml; never stored in a file
    assert ours == theirs
    quants = {
        int(kind): kind.name.removeprefix("ALL_").removeprefix("MOSTLY_")
        for kind in gguf.LlamaFileType
    }
    del quants[int(gguf.LlamaFileType.GUESSED)]
    assert quants == FILE_TYPES


def test_the_quant_is_guessed_from_the_tensors_where_the_file_does_not_say(tmp_path: Path) -> None:
    path = tmp_path / "mixed.gguf"
    tensors = (tensor("norm", (8,)), tensor("weight", (64, 4), 8, 32))
    path.write_bytes(file(LLAMA, tensors=tensors, data=bytes(32 + 272)))
    assert check_model_file(path).quant == "Q8_0"


@pytest.mark.parametrize("how", CORRUPTIONS)
def test_every_corruption_is_refused_in_words(tmp_path: Path, how: str) -> None:
    source = write_model(tmp_path / "tiny.gguf", weights="Q4_0")
    path = corrupt(source, tmp_path / "broken.gguf", how)  # type: ignore[arg-type]
    expected = {
        "truncated": "is cut short",
        "magic": "is not a GGUF file",
        "version": "is in version 99",
        "counts": "claims 1,152,921,504,606,846,976 tensors",
        "header": "is cut short",
        "empty": "is empty",
        "key_length": "claims to be 1,125,899,906,842,624 bytes long",
    }
    with pytest.raises(BadModelFile, match=expected[how]) as caught:
        check_model_file(path)
    assert "“broken.gguf”" in caught.value.what


def test_a_truncated_file_says_how_much_is_there(tmp_path: Path) -> None:
    path = write_model(tmp_path / "tiny.gguf")
    whole = path.stat().st_size
    os.truncate(path, whole - 1000)
    with pytest.raises(BadModelFile, match=f"{whole - 1000:,} of {whole:,} bytes are there"):
        check_model_file(path)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"PK\x03\x04", "ZIP archive"),
        (b"<!DOCTYPE html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"lmgg", "came before GGUF"),
        (b"x", "ends in .gguf"),
    ],
)
def test_other_kinds_of_files_are_recognised(
    bad: Callable[[bytes], str], start: bytes, words: str
) -> None:
    message = bad(start + bytes(100))
    assert "is not a GGUF file" in message
    assert words in message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (file(LLAMA, version=1), "version 1 of the GGUF format"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
        (file(LLAMA, LLAMA), "sets “general.architecture” twice"),
        (file(pair("x", 77, b"")), "“x” is of an unknown type (77)"),
        (file(pair("x", ARRAY, array(77, 0))), "list of an unknown type (77)"),
        (file(pair("x", ARRAY, array(ARRAY, 1))), "list of an unknown type (9)"),
        (file(pair("x", ARRAY, array(U32, 1 << 61))), "more than fit in the file"),
        (file(pair("x", ARRAY, array(U32, 1000))), "is cut short"),
        (file(pair("x", STRING, struct.pack("<Q", 1000))), "is cut short"),
        (file(pair("x", STRING, struct.pack("<Q", 1 << 62))), "bytes long"),
        (file(pair("a\n\x1b[31m", 77, b"")), "“a��[31m” is of an unknown type"),
        (file(LLAMA, pair("general.alignment", U32, struct.pack("<I", 48))), "no power of two"),
        (file(LLAMA, pair("general.alignment", U32, bytes(4))), "no power of two"),
        (file(LLAMA, tensors=(tensor("w", (1,) * 5),)), "has 5 dimensions"),
        (file(LLAMA, tensors=(tensor("w", (1 << 40, 1 << 40)),)), "larger than any computer"),
        (file(LLAMA, tensors=(tensor("w", (32,), 5),)), "unknown type 5"),
        (file(LLAMA, tensors=(tensor("w", (33,), 2),)), "not whole blocks"),
        (file(LLAMA, tensors=(tensor("w", (8,), 0, 64),)), "not where it should be"),
        (file(LLAMA, tensors=(tensor("w", (8,)), tensor("w", (8,), 0, 32))), "“w” twice"),
        (file(LLAMA), "holds no weights"),
        (file(LLAMA, pair("llama.block_count", U32, bytes(4))), "claims 0 layers"),
        (file(LLAMA, pair("llama.block_count", U32, b"\xff" * 4)), "claims 4,294,967,295 layers"),
        (file(LLAMA, pair("llama.block_count", STRING, text("two"))), "no number"),
        (file(LLAMA, pair("llama.attention.causal", BOOL, b"\0")), "can't chat"),
        (file(pair("general.type", STRING, text("imatrix"))), "names no model architecture"),
        (file(LLAMA, tensors=(tensor("w", (8,)),)), "is cut short"),
    ],
)
def test_a_damaged_header_is_refused_in_words(
    bad: Callable[[bytes], str], data: bytes, words: str
) -> None:
    assert words in bad(data + bytes(8) if "twice" not in words else data)


def test_an_adapter_and_a_projector_are_not_models(tmp_path: Path) -> None:
    with pytest.raises(BadModelFile, match=r"“a\.gguf” is an adapter, not a model"):
        check_model_file(write_adapter(tmp_path / "a.gguf"))
    with pytest.raises(BadModelFile, match=r"“p\.gguf” is a projector, not a model"):
        check_model_file(write_projector(tmp_path / "p.gguf"))


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadModelFile, match=r"There is no file .*nothing\.gguf"):
        read_header(tmp_path / "nothing.gguf")
    with pytest.raises(BadModelFile, match="is a folder"):
        read_header(tmp_path)
    with pytest.raises(BadModelFile, match="can't be read"):
        read_header(Path("nul\x00.gguf"))
    with pytest.raises(BadModelFile, match="can't be read"):
        read_header(tmp_path / ("long" * 100))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
@pytest.mark.parametrize(
    "name", ["m-00000-of-00000.gguf", "m-00001-of-99999.gguf", "m-00003-of-00002.gguf"]
)
def test_a_name_of_parts_that_can_t_be_is_that_of_a_whole_file(name: str) -> None:
    assert parts_of(Path(name)) == (Path(name),)


def test_a_pipe_does_not_block_and_a_device_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    for path in (tmp_path / "pipe.gguf", Path("/dev/zero")):
        with pytest.raises(BadModelFile, match="a device or a pipe"):
            read_header(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_an_unreadable_file_is_said(tmp_path: Path) -> None:
    path = write_model(tmp_path / "tiny.gguf")
    path.chmod(0)
    with pytest.raises(BadModelFile, match="may not open it"):
        read_header(path)


class TestSplit:
    @pytest.fixture
    def first(self, tmp_path: Path) -> Path:
        return write_model(tmp_path / "big.gguf", split_tensors=8)

    def test_all_parts_are_found(self, first: Path) -> None:
        header = check_model_file(first)
        assert header.split_count == 3
        assert [part.name for part in parts_of(first)] == [
            f"big-0000{n}-of-00003.gguf" for n in (1, 2, 3)
        ]

    def test_a_missing_part_is_named(self, first: Path) -> None:
        parts_of(first)[1].unlink()
        with pytest.raises(BadModelFile, match=r"missing: “big-00002-of-00003\.gguf”"):
            check_model_file(first)

    def test_a_later_part_points_to_the_first(self, first: Path) -> None:
        with pytest.raises(BadModelFile, match=r"Choose “big-00001-of-00003\.gguf”"):
            check_model_file(parts_of(first)[2])

    def test_a_part_that_was_renamed_is_said(self, first: Path) -> None:
        renamed = first.rename(first.with_name("renamed.gguf"))
        with pytest.raises(BadModelFile, match="its name does not say so"):
            check_model_file(renamed)

    def test_a_truncated_part_is_named(self, first: Path) -> None:
        last = parts_of(first)[2]
        os.truncate(last, last.stat().st_size - 500)
        with pytest.raises(BadModelFile, match=r"“big-00003-of-00003\.gguf” is cut short"):
            check_model_file(first)

    def test_swapped_parts_are_noticed(self, first: Path) -> None:
        parts = parts_of(first)
        parts[2].write_bytes(parts[1].read_bytes())
        with pytest.raises(BadModelFile, match="is not part 3 of"):
            check_model_file(first)

    def test_parts_of_another_model_are_noticed(self, first: Path, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        other = write_model(tmp_path / "other" / "big.gguf", split_tensors=9)
        assert len(parts_of(other)) == 3
        parts_of(first)[2].write_bytes(parts_of(other)[2].read_bytes())
        with pytest.raises(BadModelFile, match="do not belong together"):
            check_model_file(first)


HOSTILE = {
    "a million texts": file(
        pair("x", ARRAY, array(STRING, 3_000_000, bytes(8 * 3_000_000))), LLAMA
    ),
    "a long key": file(text(b"k" * 60_000_000)),
    "a long value": file(pair("x", STRING, text(b"v" * 60_000_000))),
    "many properties": file(*(pair(str(i), 7, b"\1") for i in range(65_000))),
    "many tensors": file(LLAMA, tensors=tuple(tensor(str(i), (0,)) for i in range(65_000))),
    "many small lists": file(
        *(pair(str(i), ARRAY, array(0, 1000, bytes(1000))) for i in range(5_000))
    ),
    "one list of bytes": file(pair("x", ARRAY, array(0, 60_000_000, bytes(60_000_000)))),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_header_costs_neither_memory_nor_much_work(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "hostile.gguf"
    path.write_bytes(HOSTILE[kind])
    tracemalloc.start()
    try:
        with pytest.raises(BadModelFile):
            check_model_file(path)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_a_sparse_file_of_zeros_behind_the_magic_is_judged_at_once(tmp_path: Path) -> None:
    path = tmp_path / "sparse.gguf"
    start = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("x") + struct.pack("<I", ARRAY)
    path.write_bytes(start + array(STRING, 1 << 33))
    os.truncate(path, 1 << 37)
    with pytest.raises(BadModelFile, match="vocabulary is larger"):
        read_header(path)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = write_model(tmp_path_factory.mktemp("fuzz") / "tiny.gguf", weights="Q4_0", n_layers=1)
    return path.read_bytes()


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    edits=st.lists(
        st.tuples(
            st.integers(0, 9000), st.sampled_from(["set", "cut", "insert"]), st.binary(max_size=9)
        ),
        max_size=4,
    ),
    length=st.integers(0, 9000) | st.none(),
)
@example(edits=[(8, "set", b"\xff" * 8)], length=None)
@example(edits=[(16, "set", b"\xff" * 8)], length=None)
def test_any_mutation_is_sound_or_refused(
    sound: bytes, tmp_path: Path, edits: list[tuple[int, str, bytes]], length: int | None
) -> None:
    data = bytearray(sound)
    for at, what, piece in edits:
        if what == "set":
            data[at : at + len(piece)] = piece
        elif what == "cut":
            del data[at : at + len(piece)]
        else:
            data[at:at] = piece
    path = tmp_path / "mutated.gguf"
    path.write_bytes(data[:length])
    try:
        header = check_model_file(path)
    except BadModelFile:
        return
    assert header.end <= path.stat().st_size
    assert header.n_parameters >= 0
    assert isinstance(header.name + header.quant + header.chat_template, str)
    assert fit(header, header.end, 4096, Memory(free=1, total=1)).needed >= header.end


VALUES = (
    st.tuples(st.just(U32), st.integers(0, 2**32 - 1).map(lambda n: struct.pack("<I", n)))
    | st.tuples(st.just(BOOL), st.sampled_from([b"\0", b"\1"]))
    | st.tuples(st.just(FLOAT), st.floats(width=32).map(lambda x: struct.pack("<f", x)))
    | st.tuples(st.just(STRING), st.text(max_size=20).map(text))
    | st.tuples(
        st.just(ARRAY),
        st.lists(st.integers(0, 2**32 - 1), max_size=8).map(
            lambda items: array(U32, len(items), struct.pack(f"<{len(items)}I", *items))
        ),
    )
)
HYPER = st.sampled_from(
    [
        "block_count",
        "context_length",
        "embedding_length",
        "feed_forward_length",
        "attention.head_count",
        "attention.head_count_kv",
        "attention.key_length",
        "attention.value_length_swa",
        "attention.sliding_window",
        "attention.sliding_window_pattern",
        "attention.shared_kv_layers",
        "attention.kv_lora_rank",
        "attention.key_length_mla",
        "ssm.conv_kernel",
        "ssm.inner_size",
        "ssm.state_size",
        "full_attention_interval",
        "expert_count",
        "expert_used_count",
        "nextn_predict_layers",
    ]
)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(hyper=st.dictionaries(HYPER, VALUES, max_size=12), n_ctx=st.integers(1, 2**31))
def test_whatever_a_header_claims_can_be_judged(
    tmp_path: Path, hyper: dict[str, tuple[int, bytes]], n_ctx: int
) -> None:
    path = tmp_path / "claims.gguf"
    pairs = [pair(f"llama.{key}", kind, value) for key, (kind, value) in hyper.items()]
    path.write_bytes(file(LLAMA, *pairs, tensors=(tensor("w", (8,)),), data=bytes(32)))
    header = read_header(path)
    judged = fit(header, 32, n_ctx, Memory(free=10**9, total=10**10, bandwidth=1e10))
    assert judged.needed >= 32
    assert judged.largest_context >= 0
    assert judged.tokens_per_second > 0


def test_a_large_vocabulary_takes_no_memory(tmp_path: Path) -> None:
    tokens = b"".join(text(f"token{i}") for i in range(256_000))
    path = tmp_path / "vocabulary.gguf"
    path.write_bytes(
        file(
            LLAMA,
            pair("tokenizer.ggml.tokens", ARRAY, array(STRING, 256_000, tokens)),
            pair("tokenizer.ggml.merges", ARRAY, array(STRING, 256_000, tokens)),
        )
    )
    tracemalloc.start()
    try:
        header = read_header(path)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert header.n_vocab == 256_000
