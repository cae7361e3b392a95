"""What the window needs to show its first page, read in one go off the main thread."""

from typing import NamedTuple

from app.conversations.records import ConversationRow
from app.models import OfferedModel
from app.paths import Paths
from app.services import Services, open_services
from app.settings_file import SettingsFile
from catalog.catalogues.bundled import STARTER_ID
from catalog.catalogues.entries import Entry
from catalog.library import InstalledModel

_MOST_NEW = 40
"""Files whose headers are read before the first page: it must not wait for the hundreds that another
program may have. The library is looked at again as soon as the page is there."""


class Opened(NamedTuple):
    """The opened program, and what its first page shows. `models` may hold adapters, too; `offered` are
    the models of services that can answer.
    """

    services: Services
    models: tuple[InstalledModel, ...]
    rows: tuple[ConversationRow, ...]
    starter: Entry
    offered: tuple[OfferedModel, ...] = ()


def open_program(paths: Paths, settings: SettingsFile) -> Opened:
    """Open everything. Raises `StorageError` where settings or database can't be opened."""
    services = open_services(paths, settings)
    try:
        starter = services.catalogues.entry(STARTER_ID)
        assert starter is not None, "the bundled catalogue has the starter"
        models = services.library.everything(most_new=_MOST_NEW)
        offered = tuple(model for model in services.connections.offers() if model.writes)
        return Opened(services, models, services.store.rows(), starter, offered)
    except BaseException:
        services.close()
        raise
