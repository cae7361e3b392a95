"""Which quant is taken, by the names and sizes of files, and by what fits."""

from collections.abc import Callable, Mapping

import pytest

from app.quant_choice import best_artifact, best_group
from catalog.catalogues.entries import Artifact, Entry, HubFile, Kind, Licence
from catalog.catalogues.sizes import expected_bytes, expected_group_bytes
from catalog.fit.fit import Fit, MemoryEstimate, Verdict
from catalog.hub.file_names import group_files
from catalog.hub.records import QuantFiles, Repository, RepositoryFile

GB = 10**9
Files = Mapping[str, float | None]
"""Sizes in gigabytes by the file's name; None where a mirror doesn't tell."""


def repository(files: Files, *, parameters: int = 0, adapters: bool = False) -> Repository:
    groups = group_files(
        (
            RepositoryFile(
                source=HubFile("lab/model-GGUF", name),
                size_bytes=None if size is None else int(size * GB),
            )
            for name, size in files.items()
        ),
        adapters=adapters,
    )
    return Repository(
        repo="lab/model-GGUF",
        commit="c",
        url="",
        parameters=parameters,
        quants=groups.quants,
        projectors=groups.projectors,
        adapters=groups.adapters,
    )


def fit_with(room: float) -> Callable[[int], Fit]:
    """Files up to so many gigabytes fit."""

    def fit(size: int) -> Fit:
        verdict: Verdict = "fits" if size <= room * GB else "too_large"
        parts = MemoryEstimate(size, 0, 0)
        return Fit(verdict=verdict, parts=parts, free=int(room * GB), n_ctx=4096)

    return fit


def chosen(repository: Repository, room: float) -> str:
    """The first file of what is taken where so many gigabytes fit."""
    judge = fit_with(room)

    def fit_of(group: QuantFiles) -> Fit:
        return judge(expected_group_bytes(repository, group)[0])

    group = best_group(repository, fit_of)
    return "" if group is None else group.files[0].source.path


SEVEN = {
    "m-IQ2_M.gguf": 2.5,
    "m-Q2_K.gguf": 2.9,
    "m-Q3_K_M.gguf": 3.7,
    "m-Q4_0.gguf": 4.3,
    "m-Q4_1.gguf": 4.7,
    "m-Q4_K_S.gguf": 4.4,
    "m-Q4_K_M.gguf": 4.6,
    "m-Q5_K_M.gguf": 5.4,
    "m-Q8_0.gguf": 8.0,
    "m-F16.gguf": 15.0,
}
SMALL = {
    "s-Q4_K_M.gguf": 0.4,
    "s-Q6_K.gguf": 0.5,
    "s-Q8_0.gguf": 0.6,
    "s-F16.gguf": 1.1,
    "s-F32.gguf": 2.2,
}


@pytest.mark.parametrize(
    ("files", "room", "wanted"),
    [
        pytest.param(SEVEN, 64, "m-Q4_K_M.gguf", id="large memory"),
        pytest.param(SEVEN, 5, "m-Q4_K_M.gguf", id="memory for the usual one"),
        pytest.param(SEVEN, 4, "m-Q3_K_M.gguf", id="less memory"),
        pytest.param(SEVEN, 2.6, "m-IQ2_M.gguf", id="small memory"),
        pytest.param(SEVEN, 1, "m-IQ2_M.gguf", id="nothing fits"),
        pytest.param(SMALL, 16, "s-Q8_0.gguf", id="a small model in its finest quant"),
        pytest.param(SMALL, 0.55, "s-Q6_K.gguf", id="a small model in small memory"),
        pytest.param({"m-F16.gguf": 15.0}, 64, "m-F16.gguf", id="F16 alone"),
        pytest.param({"m-F16.gguf": 15.0}, 8, "m-F16.gguf", id="F16 alone, too large"),
        pytest.param({"m-F32.gguf": 30, "m-F16.gguf": 15}, 64, "m-F16.gguf", id="F16 before F32"),
        pytest.param(
            {"m-Q2_K.gguf": 2.9, "m-Q8_0.gguf": 8.0}, 64, "m-Q8_0.gguf", id="no four bits"
        ),
        pytest.param(
            {"m-Q3_K_M.gguf": 3.7, "m-BF16.gguf": 15.0}, 64, "m-Q3_K_M.gguf", id="coarse or huge"
        ),
        pytest.param(
            {"m.i1-IQ3_XXS.gguf": 3.1, "m.i1-Q4_K_M.gguf": 4.6, "m.imatrix.gguf": 0.005},
            64,
            "m.i1-Q4_K_M.gguf",
            id="quants by an importance matrix, and the matrix",
        ),
        pytest.param(
            {"imatrix_unsloth.gguf": 0.005, "m-UD-Q4_K_XL.gguf": 4.7, "m-UD-Q2_K_XL.gguf": 3.1},
            64,
            "m-UD-Q4_K_XL.gguf",
            id="dynamic quants",
        ),
        pytest.param(
            {
                "Q4_K_M/m-Q4_K_M-00001-of-00002.gguf": 30,
                "Q4_K_M/m-Q4_K_M-00002-of-00002.gguf": 12,
                "Q2_K/m-Q2_K-00001-of-00002.gguf": 20,
                "Q2_K/m-Q2_K-00002-of-00002.gguf": 6,
                "Q5_K_M/m-Q5_K_M-00001-of-00002.gguf": 1,
            },
            40,
            "Q2_K/m-Q2_K-00001-of-00002.gguf",
            id="parts count together, and what lacks a part is left out",
        ),
        pytest.param(
            {"mmproj-Q8_0.gguf": 0.6, "mmproj-F16.gguf": 0.9, "m-Q4_K_M.gguf": 4.6},
            64,
            "m-Q4_K_M.gguf",
            id="projectors are no models",
        ),
        pytest.param({"mmproj-F16.gguf": 0.9}, 64, "", id="nothing but a projector"),
        pytest.param(
            {"a.gguf": 4.6, "m-Q4_K_M.gguf": 4.7}, 64, "m-Q4_K_M.gguf", id="a name without a quant"
        ),
        pytest.param({"gpt-mxfp4.gguf": 12, "gpt-F16.gguf": 14}, 64, "gpt-mxfp4.gguf", id="MXFP4"),
        pytest.param({}, 64, "", id="nothing"),
    ],
)
def test_of_a_repository(files: Files, room: float, wanted: str) -> None:
    assert chosen(repository(files), room) == wanted


@pytest.mark.parametrize(
    ("room", "parameters", "wanted"),
    [
        pytest.param(4, 0, "m-Q4_K_M.gguf", id="nothing is known"),
        pytest.param(64, 7 * GB, "m-Q4_K_M.gguf", id="the parameters are known"),
        pytest.param(2.6, 7 * GB, "m-IQ2_M.gguf", id="the parameters tell that little fits"),
    ],
)
def test_where_a_mirror_tells_no_sizes(room: float, parameters: int, wanted: str) -> None:
    files = dict.fromkeys(SEVEN)
    assert chosen(repository(files, parameters=parameters), room) == wanted


def test_of_a_repository_without_models_the_adapter_is_taken() -> None:
    files = {"lora-Q8_0.gguf": 0.05, "lora-F16.gguf": 0.1, "lora-F32.gguf": 0.2}
    assert chosen(repository(files, adapters=True), 8) == "lora-Q8_0.gguf"
    assert chosen(repository({**files, **SEVEN}), 64) == "m-Q4_K_M.gguf"


@pytest.mark.parametrize("kind", ["chat", "adapter"])
@pytest.mark.parametrize("files", [SEVEN, SMALL, {"m-F16.gguf": 15.0}, dict.fromkeys(SEVEN)])
@pytest.mark.parametrize("room", [0.3, 0.55, 2.6, 4, 64])
def test_an_entry_s_files_are_chosen_as_a_repository_s(
    files: Files, room: float, kind: Kind
) -> None:
    parameters = 7 * GB if None in files.values() else 0
    of_hub = repository(files, parameters=parameters)
    entry = Entry(
        id="x",
        name="X",
        family="X",
        kind=kind,
        licence=Licence("MIT"),
        summary="",
        parameters=parameters,
        artifacts=tuple(
            Artifact(
                role="adapter" if kind == "adapter" else "weights",
                quant=group.quant,
                sources=(group.files[0].source,),
                size_bytes=group.size_bytes,
            )
            for group in reversed(of_hub.quants)
        ),
    )
    judge = fit_with(room)
    artifact = best_artifact(entry, lambda each: judge(expected_bytes(entry, each)[0]))
    assert artifact is not None
    assert artifact.sources[0].name == chosen(of_hub, room)
