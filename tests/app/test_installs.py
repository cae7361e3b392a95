import re

import pytest

from app.errors import AppError
from app.installs import request_for, request_for_file, request_for_hub
from app.lookup import select_group
from catalog.catalogues.entries import Artifact, Entry, HubFile, Licence, Package, Url
from catalog.hub.records import QuantFiles, Repository, RepositoryFile

SHA = "a" * 64


def artifact(quant: str, bits: float, path: str = "", role: str = "weights", **more) -> Artifact:
    source = HubFile("owner/name", path or f"x-{quant}.gguf")
    return Artifact(role=role, quant=quant, bits=bits, sources=(source,), **more)


def entry(*artifacts: Artifact, kind: str = "chat") -> Entry:
    return Entry(
        id="x",
        name="X",
        family="X",
        kind=kind,
        licence=Licence("MIT"),
        summary="",
        artifacts=artifacts,
    )


def group(quant: str, *paths: str, size: int | None = 1) -> QuantFiles:
    files = tuple(
        RepositoryFile(source=HubFile("owner/name", path), size_bytes=size, sha256=SHA)
        for path in paths or (f"x-{quant}.gguf",)
    )
    return QuantFiles(quant=quant, files=files)


def test_a_projector_comes_along_and_lies_beside_its_model():
    wanted = entry(
        artifact("Q4_K_M", 4.85, size_bytes=10, sha256=SHA),
        artifact("F16", 16, "mmproj-F16.gguf", "projector"),
    )
    request = request_for(wanted, wanted.weights[0])
    assert request.id == request.ref == "x:Q4_K_M"
    assert [(file.target, file.role) for file in request.files] == [
        ("owner/name/x-Q4_K_M.gguf", "weights"),
        ("owner/name/mmproj-F16.gguf", "projector"),
    ]
    assert request.files[0].sha256 == SHA
    assert len(request_for(wanted, wanted.weights[0], with_projector=False).files) == 1


def test_a_split_model_is_all_its_parts_and_one_checksum_is_not_that_of_each():
    split = artifact("Q4", 4, "deep/x-00001-of-00003.gguf", size_bytes=30, sha256=SHA)
    files = request_for(entry(split), split).files
    assert [file.sources[0].path for file in files] == [
        f"deep/x-0000{part}-of-00003.gguf" for part in (1, 2, 3)
    ]
    assert {file.target for file in files} == {
        f"owner/name/x-0000{part}-of-00003.gguf" for part in (1, 2, 3)
    }
    assert all(file.sha256 is None and file.size_bytes is None for file in files)


def test_a_package_s_file_lies_at_the_top():
    packed = Artifact(role="weights", quant="Q4_1", sources=(Package("p", "1", "p/x.gguf"),))
    assert request_for(entry(packed), packed).files[0].target == "x.gguf"


@pytest.mark.parametrize("member", ["p/x.py", "p/..", "p/"])
def test_a_file_that_is_no_model_s_is_refused(member):
    packed = Artifact(role="weights", quant="Q4_1", sources=(Package("p", "1", member),))
    with pytest.raises(AppError, match="no name of a model file"):
        request_for(entry(packed), packed)


def test_a_repository_s_quant_is_asked_for_with_its_checksums():
    parts = group("Q8_0", "Q8/x-00001-of-00002.gguf", "Q8/x-00002-of-00002.gguf")
    projector = group("F16", "mmproj-F16.gguf")
    repository = Repository(
        repo="owner/name", commit="c", url="", quants=(parts,), projectors=(projector,)
    )
    request = request_for_hub(repository, parts, projector)
    assert request.ref == "hub:owner/name:Q8_0"
    assert [file.role for file in request.files] == ["weights", "weights", "projector"]
    assert all(file.sha256 == SHA for file in request.files)


def test_of_groups_with_one_quant_only_the_first_goes_by_it():
    one, other = group("Q8_0", "a-Q8_0.gguf"), group("Q8_0", "b-Q8_0.gguf")
    eyes = group("Q8_0", "mmproj-Q8_0.gguf")
    repository = Repository(
        repo="owner/name", commit="c", url="", quants=(one, other), projectors=(eyes,)
    )
    refs = [request_for_hub(repository, each).ref for each in repository.groups]
    assert refs == [
        "hub:owner/name:Q8_0",
        "hub:owner/name:b-Q8_0.gguf",
        "hub:owner/name:mmproj-Q8_0.gguf",
    ]
    found = [select_group(repository, ref.rpartition(":")[2], lambda group: None) for ref in refs]
    assert found == list(repository.groups)


def test_files_of_one_name_in_folders_of_a_repository_do_not_meet():
    one, other = group("Q4_0", "Q4_0/m.gguf"), group("Q8_0", "Q8_0/m.gguf")
    eyes = group("F16", "mmproj-F16.gguf")
    repository = Repository(
        repo="owner/name", commit="c", url="", quants=(one, other), projectors=(eyes,)
    )
    targets = [file.target for file in request_for_hub(repository, other, eyes).files]
    assert targets == ["owner/name/Q8_0/m.gguf", "owner/name/Q8_0/mmproj-F16.gguf"]


def test_an_adapter_is_asked_for_as_one():
    adapter = group("F16", "lora-f16.gguf")
    repository = Repository(repo="owner/name", commit="c", url="", adapters=(adapter,))
    request = request_for_hub(repository, adapter)
    assert request.kind == "adapter"
    assert request.files[0].role == "adapter"


def test_a_file_that_nothing_describes_can_be_asked_for():
    address = request_for_file(Url("https://example.org/a/My.gguf?download=1"))
    assert (address.title, address.files[0].target) == ("My", "example.org/a/My.gguf")
    mirrored = request_for_file(HubFile("owner/name", "q/x-00001-of-00002.gguf"))
    assert len(mirrored.files) == 2


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://a.example/model.gguf", "a.example/model.gguf"),
        ("https://B.example:8443/model.gguf", "b.example-8443/model.gguf"),
        ("https://[::1]/m.gguf", "--1/m.gguf"),
        ("https://a.example/My%20models/%C3%BC.gguf?key=1#x", "a.example/My models/ü.gguf"),
    ],
)
def test_files_of_addresses_lie_under_host_and_path(url, target):
    assert request_for_file(Url(url)).files[0].target == target


@pytest.mark.parametrize(
    "path", ["../../etc", ".ssh", "%2e%2e/%2e%2e", "CON", "x" * 300, "a%5Cb", "%00"]
)
def test_no_folder_of_an_address_leads_astray(path):
    (file,) = request_for_file(Url(f"https://a.example/{path}/m.gguf")).files
    assert re.fullmatch(r"web/[0-9a-f]{16}/m\.gguf", file.target)
    (other,) = request_for_file(Url(f"https://b.example/{path}/m.gguf")).files
    assert other.target != file.target


@pytest.mark.parametrize("name", ["..%2Fm.gguf", "%2E.gguf", "con.gguf", "m%0A.gguf", "a%3Ab.gguf"])
def test_a_name_that_can_t_be_kept_is_refused_in_words(name):
    with pytest.raises(AppError, match="can't be kept under its name"):
        request_for_file(Url(f"https://a.example/{name}"))


def test_the_parts_of_a_split_file_come_from_addresses_of_their_own():
    address = "https://a.example/s/m%20x-{}-of-00002.gguf?k=1"
    request = request_for_file(Url(address.format("00002")))
    assert [file.sources for file in request.files] == [
        (Url(address.format(part)),) for part in ("00001", "00002")
    ]
    split = Artifact(
        role="weights",
        quant="Q4",
        sources=(
            Url(address.format("00001")),
            HubFile("o/n", "deep/m-00001-of-00002.gguf"),
            Package("p", "1", "p/m-00001-of-00002.gguf"),
            HubFile("o/n", "in-one.gguf"),
        ),
    )
    assert [file.sources for file in request_for(entry(split), split).files] == [
        (
            Url(address.format(part)),
            HubFile("o/n", f"deep/m-{part}-of-00002.gguf"),
            Package("p", "1", f"p/m-{part}-of-00002.gguf"),
        )
        for part in ("00001", "00002")
    ]
