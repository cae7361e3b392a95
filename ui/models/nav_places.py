"""The collections and sources of the navigation, from what the program knows."""

from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from catalog.catalogues.catalogues import KnownCatalogue
from catalog.catalogues.entries import Catalogue, Collection
from catalog.library import InstalledModel
from ui.models.installed_list import place_title
from ui.models.models_nav import COLLECTION, GOOD_HERE, PLACE, SOURCE, NavPlace

CATALOGUE = f"{SOURCE}catalogue"
HUB = f"{SOURCE}hub"

_OURS = ("own", "added")


def collection_places(collections: Sequence[Collection]) -> tuple[NavPlace, ...]:
    """*Good on this computer*, and every collection of the catalogues."""
    good = NavPlace(GOOD_HERE, _tr("Good on this computer"))
    return (good, *(NavPlace(f"{COLLECTION}{each.id}", each.title) for each in collections))


def source_places(
    known: Sequence[KnownCatalogue], models: Sequence[InstalledModel]
) -> tuple[NavPlace, ...]:
    """The catalogues, the Hub, and the folders of others in which there is something."""
    places = []
    for each in known:
        if each.catalogue is None:
            continue
        key = f"{SOURCE}{each.catalogue.id}" if each.address else CATALOGUE
        title = _title(each.catalogue) if each.address else _tr("Causeway catalogue")
        places.append(NavPlace(key, title, len(each.catalogue.entries)))
    places.append(NavPlace(HUB, _tr("Hugging Face")))
    found = Counter(model.place for model in models if model.place not in _OURS)
    for place, count in sorted(found.items()):
        title = _tr("{program} folder").format(program=place_title(place))
        if place in ("folder", "hub_cache"):
            title = place_title(place)
        places.append(NavPlace(f"{PLACE}{place}", title, count))
    return tuple(places)


def title_of_catalogue(catalogue_id: str, known: Sequence[KnownCatalogue]) -> str:
    """What a catalogue that the person added is called; its id where it is there no more."""
    for each in known:
        if each.address and each.catalogue is not None and each.catalogue.id == catalogue_id:
            return _title(each.catalogue)
    return catalogue_id


def _title(catalogue: Catalogue) -> str:
    return catalogue.title or catalogue.id


def _tr(text: str) -> str:
    return QCoreApplication.translate("ModelsNav", text)
