"""Taking a model off this computer, but not from under an answer."""

from app.engines import Engines
from app.errors import AppError
from catalog.library import InstalledModel, Library


def remove_model(
    library: Library, engines: Engines, model: InstalledModel, *, for_good: bool = False
) -> int:
    """Remove a model and return the bytes that were freed; a model in memory is unloaded first.

    Raises `AppError` while an answer is being written with it, and `CatalogError` where it isn't ours.
    """
    state = engines.state
    if state.model_id == model.id and state.phase in ("busy", "loading"):
        raise AppError(
            f"{model.name} is in use.",
            "An answer is being written with it.",
            "Wait until it ends, or stop it, and remove the model then.",
        )
    if state.model_id == model.id:
        engines.unload()
    return library.remove(model.id, for_good=for_good)
