"""The catalogue that comes with the program."""

from importlib.resources import files

from catalog.catalogues.catalogue_file import decode_catalogue
from catalog.catalogues.entries import Catalogue

STARTER_ID = "smollm2-135m-instruct"
"""The id of the model that a first start offers."""


def load_bundled() -> Catalogue:
    data = files("resources").joinpath("catalog.json").read_bytes()
    return decode_catalogue(data, "The bundled catalogue").catalogue
