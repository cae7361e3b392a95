"""Searching the Hub, reading a repository, and finding where its files can be fetched."""

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import msgspec

from catalog.catalogues.entries import HubFile
from catalog.hub.answers import (
    Facts,
    card_text,
    facts,
    found_repositories,
    sha256,
    text,
    tree_files,
)
from catalog.hub.bounds import Bounds
from catalog.hub.errors import GatedRepository, HubError, NotOffered
from catalog.hub.file_names import group_files, is_adapter_repository
from catalog.hub.peft_files import found_peft
from catalog.hub.records import (
    Gated,
    HubPage,
    HubQuery,
    Repository,
    RepositoryFile,
)
from catalog.hub.search_query import (
    cursor_in,
    cursor_of,
    more_of,
    not_shown_before,
    search_params,
)
from catalog.network import Network
from catalog.remote_file import RemoteFile
from catalog.safe_names import is_repository, is_safe_path

if TYPE_CHECKING:
    from catalog.hub.connection import Connection

_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_MOST_TREE_PAGES = 10
_MOST_EMPTY_PAGES = 5
_MOST_HEADS = 40


class Hub:
    """The Hugging Face Hub, or the mirror that the settings name.

    Every method blocks, bounded in time: call it on a background thread; several may at once. Each
    raises `HubError` in words; also soon after its `cancelled` is set. `network` is asked anew for
    each call. Where a server asks for a short pause, a call waits and asks again.
    """

    def __init__(self, network: Callable[[], Network], *, bounds: Bounds | None = None) -> None:
        self._network = network
        self._bounds = bounds or Bounds()
        self._connections: set[Connection] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def search(
        self, query: HubQuery, more: str = "", *, cancelled: threading.Event | None = None
    ) -> HubPage:
        """One page of the repositories that match; `more` is of the page before."""
        with self._connected(cancelled=cancelled) as connection:
            for _ in range(_MOST_EMPTY_PAGES):
                page = _page(connection, query, more)
                if page.found or not page.more:
                    break
                more = page.more
        return page

    def repository(
        self, repo: str, revision: str = "main", *, cancelled: threading.Event | None = None
    ) -> Repository:
        """A repository's page, with its files by what they are; no more than names from some mirrors."""
        _check_names(repo, revision)
        with self._connected(cancelled=cancelled) as connection:
            said = _facts(connection, repo, revision)
            files = said.files
            at = said.commit or revision
            if files is None or any(file.size_bytes is None for file in files):
                files = _sized(connection, files, repo, at)
            gated = _gate(connection, repo) if said.gated else "no"
            card = ""
            if said.has_card and gated != "ask":
                with contextlib.suppress(HubError):
                    readme = HubFile(repo, "README.md", at)
                    card = card_text(connection.text(readme, self._bounds.card_bytes))
            page = connection.subject(repo=repo).page
        groups = group_files(files or (), adapters=is_adapter_repository(repo, said.tags))
        return Repository(
            repo=repo,
            commit=said.commit,
            url=page,
            card=card,
            licence=said.licence,
            licence_url=said.licence_url,
            gated=gated,
            downloads=said.downloads,
            likes=said.likes,
            updated=said.updated,
            parameters=said.parameters,
            architecture=said.architecture,
            context=said.context,
            base=said.base,
            quants=groups.quants,
            projectors=groups.projectors,
            adapters=groups.adapters,
            peft=found_peft(files or ()),
            listed=files is not None,
        )

    def resolve(
        self, file: HubFile, *, patient: bool = True, cancelled: threading.Event | None = None
    ) -> RemoteFile:
        """Where a file can be fetched now, and what it should be; `GatedRepository` where it may not.

        One who waits for the server's pauses himself, as a download does, is not `patient`.

        `etag` is the Hub's own tag of the content, not the one of the server that `url` leads to.
        """
        _check_names(file.repo, file.revision)
        if not is_safe_path(file.path):
            raise HubError(f"“{text(file.path)}” can't be the name of a file on the Hub.")
        with self._connected(patient=patient, cancelled=cancelled) as connection:
            return _resolved(connection, file)

    def check_token(self, token: str, *, cancelled: threading.Event | None = None) -> str:
        """The name of the account that a token belongs to."""
        with self._connected(token, cancelled=cancelled) as connection:
            subject = connection.subject()
            if not connection.has_token:
                raise HubError(
                    "No token was given.", fix=f"Make one on {subject.page}/settings/tokens."
                )
            try:
                answer, _ = connection.json("/api/whoami-v2", subject)
            except NotOffered as error:
                raise HubError(
                    f"{subject.who} knows nothing of accounts.",
                    "Some mirrors only serve downloads.",
                    "Clear the Hub address in the settings to test the token with the Hub itself.",
                ) from error
            name = text(answer.get("name")) if isinstance(answer, dict) else ""
            if not name:
                from catalog.hub.failures import unreadable

                raise unreadable(subject)
            return name

    def close(self) -> None:
        """Break off what is under way on other threads; nothing is asked any more."""
        with self._lock:
            self._is_closed = True
            for connection in self._connections:
                connection.hang_up()

    @contextlib.contextmanager
    def _connected(
        self,
        token: str | None = None,
        *,
        patient: bool = True,
        cancelled: threading.Event | None = None,
    ) -> Iterator["Connection"]:
        from catalog.hub.connection import Connection

        network = self._network()
        with Connection(
            network, self._bounds, token=token, patient=patient, cancelled=cancelled
        ) as connection:
            with self._lock:
                if self._is_closed:
                    raise HubError("Causeway is closing.")
                self._connections.add(connection)
            try:
                yield connection
            finally:
                with self._lock:
                    self._connections.discard(connection)


def _page(connection: "Connection", query: HubQuery, more: str) -> HubPage:
    from catalog.hub.failures import unreadable

    listing, cursor = cursor_in(more)
    params = search_params(query, listing)
    if cursor:
        # Only what tells the page: whoever answered before has no say in what is asked.
        params.append(("cursor", cursor))
    subject = connection.subject()
    answer, link = connection.json("/api/models", subject, urlencode(params))
    found = found_repositories(answer)
    if found is None:
        raise unreadable(subject)
    following = cursor_of(link)
    if not found or following == cursor:
        following = ""  # a server that never comes to an end
    return HubPage(
        found=not_shown_before(found, query, listing), more=more_of(query, listing, following)
    )


def _facts(connection: "Connection", repo: str, revision: str) -> Facts:
    from catalog.hub.connection import api_path
    from catalog.hub.failures import unreadable

    subject = connection.subject(repo=repo, revision=revision)
    path = api_path(repo, "revision", revision)
    try:
        answer, _ = connection.json(path, subject, {"blobs": "true"})
    except NotOffered:
        return Facts()
    said = facts(answer, repo, revision)
    if said is None:
        raise unreadable(subject)
    return said


def _sized(
    connection: "Connection",
    files: tuple[RepositoryFile, ...] | None,
    repo: str,
    revision: str,
) -> tuple[RepositoryFile, ...] | None:
    """The same files with their sizes, from the tree or else one by one; as given where neither helps."""
    try:
        listed = _tree(connection, repo, revision)
    except HubError:
        if files is None:
            raise
        listed = None
    if listed is not None or files is None:
        return listed
    sized = list(files)
    for index, file in enumerate(files[:_MOST_HEADS]):
        if file.size_bytes is None:
            try:
                remote = _resolved(connection, file.source)
            except HubError:
                break
            sized[index] = msgspec.structs.replace(
                file, size_bytes=remote.size, sha256=remote.sha256
            )
    return tuple(sized)


def _tree(connection: "Connection", repo: str, revision: str) -> tuple[RepositoryFile, ...] | None:
    from catalog.hub.connection import api_path

    subject = connection.subject(repo=repo, revision=revision)
    files: list[RepositoryFile] = []
    params = {"recursive": "true"}
    for _ in range(_MOST_TREE_PAGES):
        try:
            answer, link = connection.json(api_path(repo, "tree", revision), subject, params)
        except NotOffered:
            return None
        files += tree_files(answer, repo, revision)
        params["cursor"] = cursor_of(link)
        if not params["cursor"]:
            break
    return tuple(files)


def _gate(connection: "Connection", repo: str) -> Gated:
    """Whether the account may have the files of a gated repository."""
    from catalog.hub.connection import api_path

    if not connection.has_token:
        return "ask"
    try:
        connection.json(api_path(repo, "auth-check"), connection.subject(repo=repo))
    except (GatedRepository, NotOffered):
        return "ask"
    return "granted"


def _resolved(connection: "Connection", file: HubFile) -> RemoteFile:
    from catalog.hub.failures import unreadable

    url = connection.address(file)
    try:
        metadata = connection.head(file)
    except NotOffered:  # some mirrors only answer a GET
        return RemoteFile(
            url=url, sha256=None, size=None, authorization=connection.authorization(url)
        )
    location = metadata.location
    known = metadata.commit_hash or metadata.etag
    if not known or urlsplit(location).scheme not in ("https", urlsplit(url).scheme):
        raise unreadable(connection.subject(repo=file.repo))
    return RemoteFile(
        url=location,
        sha256=sha256(metadata.etag),
        size=metadata.size if metadata.size and metadata.size > 0 else None,
        authorization=connection.authorization(location),
        etag=text(metadata.etag),
    )


def _check_names(repo: str, revision: str) -> None:
    if not is_repository(repo):
        raise HubError(
            f"“{text(repo)}” can't be the name of a repository.", fix="Write it as OWNER/NAME."
        )
    if not _REVISION.fullmatch(revision) or ".." in revision:
        raise HubError(
            f"“{text(revision)}” can't be a version of a repository.",
            fix="Give a branch, a tag, or a commit.",
        )
