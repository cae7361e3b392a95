"""From a reference to what it stands for: an entry, a repository, and what to fetch of it."""

import difflib
from collections.abc import Callable
from functools import partial

import msgspec

from app.errors import AppError
from app.fitting import Fitting
from app.installs import request_for, request_for_file, request_for_hub
from app.quant_choice import best_artifact, best_group
from app.references import CatalogueRef, HubRef, UrlRef, parse_ref
from catalog.catalogues.catalogues import Catalogues
from catalog.catalogues.entries import Artifact, Entry, HubFile, Licence, Url
from catalog.downloads.wanted import DownloadRequest
from catalog.errors import UnknownModel
from catalog.fit.fit import Fit
from catalog.hub.file_names import projector_for
from catalog.hub.hub import Hub
from catalog.hub.records import QuantFiles, Repository

_SHOWN_QUANTS = 30


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What to fetch, and where it is described. `to_accept`: a licence that a person must agree to."""

    request: DownloadRequest
    entry: Entry | None = None
    repository: Repository | None = None
    to_accept: Licence | None = None


class Lookup:
    """Finds what references stand for. It asks the Hub, so not on the window's thread."""

    def __init__(self, catalogues: Catalogues, hub: Hub, fitting: Fitting) -> None:
        self._catalogues = catalogues
        self._hub = hub
        self._fitting = fitting

    def find(self, text: str, *, with_projector: bool = True) -> Found:
        """Raises `AppError` and `CatalogError`s in words."""
        match parse_ref(text):
            case CatalogueRef(entry_id, quant):
                return self._in_catalogue(entry_id, quant, with_projector)
            case HubRef(repo, selector):
                return self._on_the_hub(repo, selector, with_projector)
            case UrlRef(url):
                return Found(request=request_for_file(Url(url)))

    def entry(self, entry_id: str) -> Entry:
        """Raises `UnknownModel`, which names what it may have been meant for."""
        entry = self._catalogues.entry(entry_id)
        if entry is None:
            ids = [each.id for each in self._catalogues.entries()]
            near = difflib.get_close_matches(entry_id, ids, n=3)
            raise UnknownModel(
                f"The catalogue has no model called “{entry_id}”.",
                fix=f"Do you mean {' or '.join(near)}?"
                if near
                else "“causeway catalog” lists what it has; hub:OWNER/NAME takes it from the Hub.",
            )
        return entry

    def artifact(self, entry: Entry) -> Artifact | None:
        """The file of an entry to take here where no quant is named. None where it has none."""
        return best_artifact(entry, partial(self._fitting.rough, entry))

    def group(self, repository: Repository, selector: str) -> QuantFiles:
        """The quant or file of that name, or the one to take here where none is named.

        Raises `AppError` where there is no such one.
        """
        fit_of = partial(self._fitting.rough_of_group, repository)
        return select_group(repository, selector, fit_of)

    def _in_catalogue(self, entry_id: str, quant: str, with_projector: bool) -> Found:
        entry = self.entry(entry_id)
        if entry.status != "ready" or not entry.weights:
            raise AppError(f"{entry.name} can't be downloaded and run.", entry.obstacle)
        if quant:
            artifact = next(
                (each for each in entry.weights if each.quant.casefold() == quant.casefold()), None
            )
        else:
            artifact = self.artifact(entry)
        if artifact is None:
            quants = ", ".join(each.quant for each in entry.weights)
            raise AppError(f"{entry.name} has no {quant}.", fix=f"It has {quants}.")
        return Found(
            request=request_for(entry, artifact, with_projector=with_projector),
            entry=entry,
            to_accept=entry.licence if entry.licence.accept else None,
        )

    def _on_the_hub(self, repo: str, selector: str, with_projector: bool) -> Found:
        if selector.lower().endswith(".gguf"):
            repository = self._listed(repo)
            if repository is None:
                return Found(request=request_for_file(HubFile(repo, selector)))
        else:
            repository = self._hub.repository(repo)
        if not repository.listed:
            raise AppError(
                f"The mirror does not list the files of {repo}.",
                fix=f"Name one: hub:{repo}:FILE.gguf.",
            )
        group = self.group(repository, selector)
        wanted = with_projector and group in repository.quants
        projector = projector_for(group, repository.projectors) if wanted else None
        return Found(request=request_for_hub(repository, group, projector), repository=repository)

    def _listed(self, repo: str) -> Repository | None:
        """The repository, where it lists its files."""
        repository = self._hub.repository(repo)
        return repository if repository.listed else None


def select_group(
    repository: Repository, selector: str, fit_of: Callable[[QuantFiles], Fit | None]
) -> QuantFiles:
    """As `Lookup.group`, with the fit of each quant by `fit_of`."""
    groups = repository.quants or repository.adapters
    if not groups and not (selector and repository.projectors):
        raise AppError(
            f"{repository.repo} has no model that can be run.",
            "Causeway runs models in the GGUF format only, and needs all parts of one that is split.",
            "Look for a repository whose name ends in GGUF.",
        )
    everything = repository.groups
    if not selector:
        best = best_group(repository, fit_of)
        assert best is not None
        return best
    wanted = selector.casefold()
    for group in everything:
        names = {file.source.path.casefold() for file in group.files}
        names |= {file.source.name.casefold() for file in group.files}
        if wanted in names or group.quant.casefold() == wanted:
            return group
    named = dict.fromkeys(group.quant or group.files[0].source.path for group in everything)
    quants = ", ".join(list(named)[:_SHOWN_QUANTS]) + (" …" if len(named) > _SHOWN_QUANTS else ".")
    raise AppError(f"{repository.repo} has no {selector}.", fix=f"It has {quants}")
