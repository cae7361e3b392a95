"""The window offers what the command line would fetch."""

from pathlib import Path

import pytest

from app.fitting import Fitting
from app.lookup import Lookup
from app.machine import Machine
from catalog.catalogues.bundled import load_bundled
from catalog.catalogues.catalogues import Catalogues
from catalog.fit.fit import Memory
from catalog.hub.hub import Hub
from catalog.network import Network
from tests.catalog.hub_server import HubServer
from ui.models.detail_offers import best_offer, offers_of_entry, offers_of_repository, rough_fits

GB = 10**9
REPOSITORIES = {
    "lab/usual-GGUF": ["m-Q2_K.gguf", "m-Q4_0.gguf", "m-Q4_K_M.gguf", "m-Q8_0.gguf", "m-F16.gguf"],
    "lab/no-four-GGUF": ["m-Q3_K_M.gguf", "m-Q6_K.gguf", "m-F16.gguf"],
    "lab/full-GGUF": ["m-F16.gguf", "m-F32.gguf"],
    "lab/eyes-GGUF": ["mmproj-F16.gguf", "m-UD-Q4_K_XL.gguf", "m-IQ2_M.gguf"],
    "lab/lora-GGUF": ["lora-F16.gguf", "lora-Q8_0.gguf"],
    "lab/both-GGUF": ["lora-Q4_K_M.gguf", "m-Q8_0.gguf"],
}


def fitting_on(hub: Hub, cache: Path, free: float) -> Fitting:
    memory = Memory(free=int(free * GB), total=int(2 * free * GB), bandwidth=20e9)
    return Fitting(hub.resolve, cache, Network, lambda: Machine(memory=memory, cores=4))


@pytest.mark.parametrize("free", [0.4, 2, 5, 8, 16, 64])
def test_every_entry_of_the_catalogue_begins_with_the_quant_that_is_pulled(
    free: float, tmp_path: Path
) -> None:
    hub = Hub(lambda: Network(offline=True))
    fitting = fitting_on(hub, tmp_path, free)
    catalogues = Catalogues(load_bundled(), tmp_path, lambda: (), Network)
    lookup = Lookup(catalogues, hub, fitting)
    entries = [each for each in catalogues.entries() if each.status == "ready" and each.weights]
    assert len(entries) > 20
    for entry in entries:
        offers = offers_of_entry(entry, fitting)
        best = best_offer(offers, rough_fits(offers, 0))
        assert best is not None
        assert best.request == lookup.find(entry.id).request


@pytest.mark.parametrize("sizes", [True, False])
@pytest.mark.parametrize("repo", REPOSITORIES)
def test_every_repository_begins_with_the_quant_that_is_pulled(
    repo: str, sizes: bool, tmp_path: Path
) -> None:
    with HubServer(sizes=sizes) as server:
        files = {name: b"GGUF" * 9 * (1 + at) for at, name in enumerate(REPOSITORIES[repo])}
        server.add(repo, files, parameters=7 * GB)
        hub = Hub(lambda: Network(hub_endpoint=server.url))
        repository = hub.repository(repo)
        for free in (0.4, 4, 8, 64):
            fitting = fitting_on(hub, tmp_path, free)
            catalogues = Catalogues(load_bundled(), tmp_path, lambda: (), Network)
            found = Lookup(catalogues, hub, fitting).find(f"hub:{repo}", with_projector=False)
            offers = offers_of_repository(repository, None, fitting)
            best = best_offer(offers, rough_fits(offers, 0))
            assert best is not None
            assert best.request == found.request
