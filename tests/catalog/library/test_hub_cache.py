"""What the Hub's client and llama.cpp fetched is used where it lies."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.library import LibraryProblem, Place
from catalog.library.hub_cache import llama_cpp_files
from tests.catalog.library.conftest import OpenLibrary
from tests.catalog.library.places import add_to_hub_cache
from tests.gguf_files import write_model, write_projector

REPO = "someone/Tiny-GGUF"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "hub"


@pytest.fixture
def place(cache: Path) -> Place:
    return Place("hub_cache", cache, "Hugging Face cache")


def test_a_file_of_a_snapshot_is_a_model_whose_blob_names_its_checksum(
    tmp_path: Path, cache: Path, place: Place, open_library: OpenLibrary
) -> None:
    content = write_model(tmp_path / "m.gguf")
    link = add_to_hub_cache(cache, REPO, "c" * 40, "tiny.Q8_0.gguf", content)
    (model,) = open_library(place).models()
    assert (model.path, model.place, model.managed) == (link, "hub_cache", False)
    assert model.sha256 == hashlib.sha256(content.read_bytes()).hexdigest()
    assert model.id == "tiny.q8-0"


def test_a_file_of_several_commits_is_listed_once_and_of_the_main_branch(
    tmp_path: Path, cache: Path, place: Place, open_library: OpenLibrary
) -> None:
    old, new = (write_model(tmp_path / f"{seed}.gguf", seed=seed) for seed in (1, 2))
    add_to_hub_cache(cache, REPO, "a" * 40, "same.gguf", old)
    add_to_hub_cache(cache, REPO, "a" * 40, "changed.gguf", old)
    again = add_to_hub_cache(cache, REPO, "b" * 40, "same.gguf", old)
    changed = add_to_hub_cache(cache, REPO, "b" * 40, "changed.gguf", new)
    models = open_library(place).models()
    assert sorted(model.path for model in models) == [changed, again]


def test_projectors_of_a_repository_belong_to_its_models(
    tmp_path: Path, cache: Path, place: Place, open_library: OpenLibrary
) -> None:
    add_to_hub_cache(cache, REPO, "c" * 40, "m.gguf", write_model(tmp_path / "m.gguf"))
    projector = add_to_hub_cache(
        cache, REPO, "c" * 40, "mmproj-f16.gguf", write_projector(tmp_path / "p.gguf")
    )
    (model,) = open_library(place).models()
    assert model.projector == projector


def test_where_links_can_not_be_made_the_file_itself_is_used(
    tmp_path: Path, cache: Path, place: Place, open_library: OpenLibrary
) -> None:
    snapshot = cache / "models--someone--Tiny-GGUF" / "snapshots" / ("c" * 40)
    snapshot.mkdir(parents=True)
    path = write_model(snapshot / "tiny.gguf")
    (model,) = open_library(place).models()
    assert (model.path, model.sha256) == (path, "")


def test_datasets_and_links_that_lead_nowhere_are_no_models(
    tmp_path: Path, cache: Path, place: Place, open_library: OpenLibrary
) -> None:
    link = add_to_hub_cache(cache, REPO, "c" * 40, "m.gguf", write_model(tmp_path / "m.gguf"))
    shutil.copytree(link.parents[2], cache / "datasets--x--y", symlinks=True)
    shutil.rmtree(link.parents[2] / "blobs")
    library = open_library(place)
    assert library.models() == ()
    assert [problem.path for problem in library.problems] == [link]


@pytest.mark.skipif(os.name == "nt", reason="anybody may read a folder there")
def test_a_cache_that_is_a_file_is_a_problem_in_words(
    cache: Path, place: Place, open_library: OpenLibrary
) -> None:
    cache.write_text("no folder")
    library = open_library(place)
    assert library.models() == ()
    assert "can't be read" in library.problems[0].error.what


class TestLlamaCpp:
    @pytest.fixture
    def place(self, cache: Path) -> Place:
        cache.mkdir()
        return Place("llama_cpp", cache, "llama.cpp")

    def test_its_flat_folder_tells_by_manifests_what_belongs_together(
        self, cache: Path, place: Place, open_library: OpenLibrary
    ) -> None:
        seeing = write_model(cache / "someone_Tiny-GGUF_seer.gguf", seed=1)
        blind = write_model(cache / "someone_Other-GGUF_blind.gguf", seed=2)
        eyes = write_projector(cache / "someone_Tiny-GGUF_mmproj-model-f16.gguf")
        (cache / "manifest=someone=Tiny-GGUF=latest.json").write_text(
            json.dumps(
                {
                    "ggufFile": {"rfilename": "seer.gguf", "size": 1},
                    "mmprojFile": {"rfilename": "mmproj-model-f16.gguf"},
                }
            )
        )
        models = {model.path: model.projector for model in open_library(place).models()}
        assert models == {seeing: eyes, blind: None}

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(
        st.binary(max_size=100)
        | st.builds(
            lambda name: json.dumps({"ggufFile": {"rfilename": name}, "mmprojFile": None}).encode(),
            st.sampled_from(["../../x.gguf", "a/b.gguf", "", None, 3, "tiny.gguf"]),
        )
    )
    def test_a_manifest_may_hold_anything(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "manifest=a=b=latest.json").write_bytes(content)
        (tmp_path / "a_b_tiny.gguf").write_bytes(b"GGUF")
        problems: list[LibraryProblem] = []
        (file,) = llama_cpp_files(tmp_path, problems)
        assert file.repo in ("", "a/b")
        assert file.projector == ""
