"""Whether a repository holds an adapter as it was trained (PEFT), and which of its files make it up."""

from collections.abc import Iterable

from catalog.adapters.peft_names import CONFIG_FILE, PICKLES, WEIGHTS_FILE
from catalog.catalogues.entries import HubFile
from catalog.hub.errors import HubError
from catalog.hub.records import PeftFiles, Repository, RepositoryFile

NAMES = frozenset((CONFIG_FILE, WEIGHTS_FILE, *PICKLES))


def found_peft(files: Iterable[RepositoryFile]) -> PeftFiles | None:
    """None where there is no such adapter in the repository's first folder."""
    by_name = {file.source.path: file for file in files}
    if CONFIG_FILE not in by_name:
        return None
    if WEIGHTS_FILE in by_name:
        return PeftFiles((by_name[CONFIG_FILE], by_name[WEIGHTS_FILE]))
    pickle = next((name for name in PICKLES if name in by_name), "")
    return PeftFiles((), pickle) if pickle else None


def peft_files(repository: Repository) -> tuple[RepositoryFile, ...] | None:
    """What to fetch of a PEFT adapter: its settings, and its weights. None where there is none.

    Of a mirror that lists no files, the names that they should have. Raises `HubError` where the
    weights are a pickle, which is not fetched.
    """
    if not repository.listed:
        at = repository.commit or "main"
        return tuple(
            RepositoryFile(source=HubFile(repository.repo, name, at))
            for name in (CONFIG_FILE, WEIGHTS_FILE)
        )
    if repository.peft is None:
        return None
    if repository.peft.pickle:
        raise HubError(
            f"The adapter “{repository.repo}” can't be used: its weights are a pickle, "
            f"“{repository.peft.pickle}”.",
            "A pickle is a program that runs when it is read, and that may do anything.",
            f"Look for the adapter with “{WEIGHTS_FILE}”.",
        )
    return repository.peft.files
