"""The models on this computer, wherever they lie."""

from catalog.library.library import InstalledModel, Library, LibraryProblem

__all__ = ["InstalledModel", "Library", "LibraryProblem"]
