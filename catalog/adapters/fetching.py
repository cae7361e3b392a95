"""A PEFT adapter's files, fetched from the Hub into a folder."""

import threading
from collections.abc import Callable
from pathlib import Path

from catalog.catalogues.entries import HubFile
from catalog.downloads.bound_fetch import bound
from catalog.downloads.fetch import fetch_file
from catalog.downloads.wanted import WantedFile
from catalog.errors import UnknownModel
from catalog.hub.peft_files import peft_files
from catalog.hub.records import Repository
from catalog.network import Network
from catalog.progress import DownloadProgress
from catalog.remote_file import RemoteFile


def fetch_peft(
    repository: Repository,
    folder: Path,
    *,
    resolve: Callable[[HubFile], RemoteFile],
    network: Callable[[], Network],
    on_progress: Callable[[float], None],
    cancelled: threading.Event,
) -> None:
    """Fetch settings and weights to `folder`, under their own names.

    Blocks; `on_progress` is told the part that is done, 0…1. Raises `UnknownModel` where the
    repository is no PEFT adapter, and what `fetch_file` raises.
    """
    files = peft_files(repository)
    if files is None:
        raise UnknownModel(
            f"“{repository.repo}” is no PEFT adapter.",
            "It lacks an adapter_config.json with weights beside it.",
        )
    fetch = bound(fetch_file, folder, network, resolve)
    total = sum(file.size_bytes or 0 for file in files)
    fetched = 0
    for file in files:

        def tell(progress: DownloadProgress, before: int = fetched) -> None:
            if total:
                on_progress(min((before + progress.done) / total, 1.0))

        wanted = WantedFile(
            sources=(file.source,),
            target=file.source.path.rpartition("/")[2],
            role="adapter",
            size_bytes=file.size_bytes,
            sha256=file.sha256,
        )
        fetched += fetch(wanted, on_progress=tell, cancelled=cancelled).size_bytes
