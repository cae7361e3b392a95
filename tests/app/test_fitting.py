"""Whether models fit, before they are fetched and where they lie, against a computer of known size."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from app.fitting import Fitting
from app.machine import Machine
from catalog.catalogues.entries import Artifact, Entry, HubFile, Licence, Package, Source, Url
from catalog.errors import BadModelFile, DownloadCancelled, DownloadError
from catalog.fit.fit import Memory, estimate
from catalog.gguf.files import read_header
from catalog.hub.records import QuantFiles, Repository, RepositoryFile
from catalog.library import InstalledModel
from catalog.network import Network
from catalog.remote_file import RemoteFile
from tests.catalog.file_server import FileServer
from tests.gguf_files import write_model

MIB = 1 << 20
ROOMY = Memory(free=8 << 30, total=16 << 30, bandwidth=20e9)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_model(tmp_path / "tiny.gguf", context_length=4096)


@pytest.fixture
def server(path: Path) -> Iterator[FileServer]:
    with FileServer({"tiny.gguf": path}) as server:
        yield server


FittingOf = Callable[..., Fitting]


@pytest.fixture
def fitting(server: FileServer, tmp_path: Path) -> FittingOf:
    """Judges against that memory; `HubFile`s are found on the server, where `resolved` is empty."""

    def make(
        memory: Memory = ROOMY, *, resolved: list[HubFile] | None = None, offline: bool = False
    ) -> Fitting:
        def resolve(file: HubFile, *, cancelled: threading.Event | None = None) -> RemoteFile:
            if resolved is not None:
                resolved.append(file)
            size = (tmp_path / "tiny.gguf").stat().st_size
            return RemoteFile(url=server.address(file.path), sha256="ab" * 32, size=size)

        return Fitting(
            resolve,
            tmp_path / "cache",
            lambda: Network(offline=offline),
            lambda: Machine(memory=memory, cores=4),
        )

    return make


def entry_of(source: Source, **artifact: object) -> tuple[Entry, Artifact]:
    file = Artifact(role="weights", quant="F32", sources=(source,), **artifact)  # type: ignore[arg-type]
    entry = Entry(
        id="tiny",
        name="Tiny",
        family="Tiny",
        kind="chat",
        licence=Licence("MIT"),
        summary="",
        artifacts=(file,),
        parameters=100_000,
        context=4096,
    )
    return entry, file


def group_of(*sizes: int | None, sha256: str | None = None) -> QuantFiles:
    return QuantFiles(
        quant="F32",
        files=tuple(
            RepositoryFile(source=HubFile("o/n", "tiny.gguf"), size_bytes=size, sha256=sha256)
            for size in sizes
        ),
    )


def test_a_file_on_the_hub_is_judged_by_its_header(fitting: FittingOf, path: Path) -> None:
    size = path.stat().st_size
    fit = fitting().of_artifact(*entry_of(HubFile("o/n", "tiny.gguf"), size_bytes=size))
    assert fit.exact
    assert fit.verdict == "fits"
    assert fit.n_ctx == 4096
    assert fit.parts == estimate(read_header(path), size, 4096)


def test_so_is_a_file_at_an_address(fitting: FittingOf, server: FileServer, path: Path) -> None:
    fit = fitting().of_artifact(*entry_of(Url(server.address("tiny.gguf"))), n_ctx=512)
    assert fit.exact
    assert fit.parts.kv_cache == estimate(read_header(path), 0, 512).kv_cache


def test_a_file_in_a_package_is_judged_by_its_size(fitting: FittingOf) -> None:
    entry, file = entry_of(Package("p", "1", "m.gguf"), size_bytes=10**6)
    fit = fitting().of_artifact(entry, file)
    assert not fit.exact
    assert fit == fitting().rough(entry, file)
    assert fit.parts.weights == 10**6


def test_a_header_is_read_from_afar_unless_it_is_in_a_package(
    fitting: FittingOf, server: FileServer, path: Path
) -> None:
    _, packed = entry_of(Package("p", "1", "m.gguf"), size_bytes=10**6)
    assert fitting().header_of_artifact(packed) is None
    _, there = entry_of(Url(server.address("tiny.gguf")))
    for header in (
        fitting().header_of_artifact(there),
        fitting().header_of_hub_file(group_of(MIB)),
    ):
        assert header is not None
        assert header.tensors == read_header(path).tensors


def test_all_parts_of_a_split_file_count(fitting: FittingOf) -> None:
    fit = fitting().of_hub_file(group_of(3 * MIB, 4 * MIB))
    assert fit.exact
    assert fit.parts.weights == 7 * MIB


def test_where_the_hub_names_no_size_that_of_the_answer_counts(
    fitting: FittingOf, path: Path
) -> None:
    assert fitting().of_hub_file(group_of(None)).parts.weights == path.stat().st_size


def test_a_header_that_was_read_is_known_without_the_hub(
    fitting: FittingOf, server: FileServer
) -> None:
    resolved: list[HubFile] = []
    first = fitting(resolved=resolved).of_hub_file(group_of(MIB, sha256="AB" * 32))
    again = fitting(resolved=resolved, offline=True).of_hub_file(group_of(MIB, sha256="AB" * 32))
    assert again == first
    assert len(resolved) == 1
    assert len(server.requests) == 1


def test_offline_an_unknown_header_is_said(fitting: FittingOf) -> None:
    with pytest.raises(DownloadError, match="offline"):
        fitting(offline=True).of_hub_file(group_of(MIB))


def test_a_cancel_is_obeyed(fitting: FittingOf) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(DownloadCancelled):
        fitting().of_hub_file(group_of(MIB), cancelled=cancelled)


def test_an_installed_model_is_judged_where_it_lies(
    fitting: FittingOf, model: InstalledModel
) -> None:
    fit = fitting().of_model(model, 2048)
    assert fit.exact
    assert fit.parts == estimate(read_header(model.path), model.size_bytes, 2048)
    assert fit.speed == "fast"


def test_a_file_that_changed_is_read_again(
    fitting: FittingOf, model: InstalledModel, path: Path
) -> None:
    mine = msgspec.structs.replace(model, path=path)
    before = fitting().of_model(mine, 512)
    write_model(path, n_layers=6)
    assert fitting().of_model(mine, 512).parts.kv_cache == 3 * before.parts.kv_cache


def test_a_file_that_is_gone_is_said(fitting: FittingOf, model: InstalledModel) -> None:
    with pytest.raises(BadModelFile, match="no file"):
        fitting().of_model(msgspec.structs.replace(model, path=Path("gone.gguf")))


def test_a_repository_is_judged_by_its_numbers(fitting: FittingOf) -> None:
    group = group_of(5 << 30)
    repository = Repository(
        repo="o/n", commit="c", url="u", parameters=8 * 10**9, context=131_072, quants=(group,)
    )
    fit = fitting().rough_of_group(repository, group)
    assert fit.n_ctx == 8192
    assert fit.verdict == "fits"
    small = Memory(free=2 << 30, total=4 << 30)
    assert fitting(small).rough_of_group(repository, group).verdict == "too_large"


def test_the_size_of_a_file_is_told_with_whether_it_is_sure(fitting: FittingOf) -> None:
    source = Package("p", "1", "m.gguf")
    assert fitting().size_of(*entry_of(source, size_bytes=7)) == (7, True)
    assert fitting().size_of(*entry_of(source)) == (400_000, False)


def test_what_a_loaded_model_would_give_back_counts_as_free(
    tmp_path: Path, model: InstalledModel
) -> None:
    memory = Memory(free=1000, total=1 << 30)

    def nowhere(file: HubFile, *, cancelled: threading.Event | None = None) -> RemoteFile:
        raise AssertionError("nobody is asked")

    fitting = Fitting(
        nowhere,
        tmp_path,
        Network,
        lambda: Machine(memory=memory, cores=4),
        freed=lambda: 1 << 29,
    )
    assert fitting.of_model(model, 512).free == 1000 + (1 << 29)
    assert fitting.of_model(model, 512).verdict == "fits"
