"""The models on this computer, wherever they lie."""

from catalog.library.content import Verification
from catalog.library.details import ModelDetails
from catalog.library.installed import InstalledModel, LibraryProblem, ModelKind, PlaceKind
from catalog.library.library import Library
from catalog.library.places import Place, known_places
from catalog.library.removal import TrashUnavailable

__all__ = [
    "InstalledModel",
    "Library",
    "LibraryProblem",
    "ModelDetails",
    "ModelKind",
    "Place",
    "PlaceKind",
    "TrashUnavailable",
    "Verification",
    "known_places",
]
