"""What goes wrong with a request to the Hub, in words for a person."""

import socket
import ssl
from collections.abc import Iterator

import httpx2
import msgspec
from huggingface_hub.errors import (
    DisabledRepoError,
    GatedRepoError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from catalog.hub.errors import GatedRepository, HubError, NotOffered, PauseAsked
from catalog.retries import asked_pause, pause_text

_PASSING_STATUSES = (408, 425)
_BAD_TOKEN = "invalid credentials"
_LATER = "Try again in a few minutes."


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Who was asked, and about what. `host` is empty for the Hub itself."""

    page: str
    host: str = ""
    repo: str = ""
    revision: str = ""
    path: str = ""
    has_token: bool = False

    @property
    def who(self) -> str:
        return self.host or "The Hub"


def refused(error: HfHubHTTPError, subject: Subject) -> HubError:
    """What a refusal means, by its status and the Hub's own code for it."""
    who, repo, token = subject.who, f"“{subject.repo}”", subject.has_token
    answer = error.response
    status = answer.status_code
    if isinstance(error, GatedRepoError):
        return gated(subject)
    if _BAD_TOKEN in answer.headers.get("X-Error-Message", "").lower() and token:
        return HubError(
            f"{who} does not accept your token.",
            "It may have expired, or someone has revoked it.",
            "Set a new one in the settings, or remove it: most models need none.",
        )
    if isinstance(error, RevisionNotFoundError):
        return HubError(
            f"{repo} has no version “{subject.revision}”.",
            "Its authors may have removed it.",
            "Open the repository anew to see what it has now.",
        )
    if isinstance(error, RemoteEntryNotFoundError):
        return HubError(
            f"{repo} has no file “{subject.path}”.",
            "Its authors may have renamed or removed it.",
            "Open the repository anew to see what it has now.",
        )
    if isinstance(error, DisabledRepoError):
        return HubError(f"{repo} is closed.", f"{who} has disabled it.", "Choose another one.")
    if isinstance(error, RepositoryNotFoundError) and subject.repo:
        fix = "Check the name" + (
            ", and that your token may read it." if token else ", or set a token if it is private."
        )
        return HubError(
            f"{who} shows no repository “{subject.repo}”.",
            "It may be private, or its name may have changed.",
            fix,
        )
    if status == 429:
        pause = asked_pause(answer.headers)
        more = "" if token else " With a token, set in the settings, you may ask more often."
        when = f"Try again in {pause_text(pause)}." if pause else _LATER
        return PauseAsked(
            f"{who} asks for a pause.",
            "It got too many requests from this network.",
            when + more,
            may_pass=True,
            pause_seconds=pause,
        )
    if status >= 500 or status in _PASSING_STATUSES:
        pause = asked_pause(answer.headers)
        asks = status == 503 or pause > 0
        return (PauseAsked if asks else HubError)(
            f"{who} can't answer now (status {status}).",
            "The trouble is on its side.",
            f"Try again in {pause_text(pause)}." if pause else _LATER,
            may_pass=True,
            pause_seconds=pause,
        )
    if status in (401, 403, 407):
        return HubError(
            f"{who} refuses access (status {status}).",
            "The token may lack the permission, or this network is shut out.",
            "Check token, Hub address and proxy in the settings.",
        )
    if status in (404, 405, 501):
        return NotOffered(
            f"{who} does not offer this.",
            "Some mirrors only serve downloads.",
            "Fetch a model by its name, OWNER/NAME, or clear the Hub address in the settings.",
        )
    return HubError(
        f"{who} did not understand the request (status {status}).",
        fix="Check the Hub address in the settings.",
    )


def gated(subject: Subject) -> GatedRepository:
    if subject.has_token:
        return GatedRepository(
            f"“{subject.repo}” does not let your account in.",
            "Its authors ask everyone to agree to their terms, and some choose whom they admit.",
            f"Agree on {subject.page} with the account of your token, then try again.",
        )
    return GatedRepository(
        f"“{subject.repo}” wants you to agree to its terms first.",
        "Its authors give it to people with an account who have agreed.",
        f"Agree on {subject.page}, then set a token of that account in the settings.",
    )


def unreachable(error: httpx2.HTTPError, subject: Subject, seconds: float) -> HubError:
    """Why there was no answer. `seconds` is what was waited for each part of it."""
    place = subject.host or "the Hub"
    causes = tuple(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return HubError(
            f"{subject.who} can't be trusted.",
            "Its certificate is not one that this computer accepts.",
            "Check the computer's clock, or add your network's certificate to the system.",
        )
    what = f"There is no connection to {place}."
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        fix = "Check the connection to the internet" + (
            ", and the Hub address in the settings." if subject.host else "."
        )
        return HubError(what, "Its name can't be looked up.", fix, may_pass=True)
    if isinstance(error, httpx2.ProxyError):
        return HubError(
            what, "The proxy did not let it through.", "Check the proxy in the settings."
        )
    if isinstance(error, httpx2.ConnectTimeout | httpx2.ConnectError):
        why = (
            "It does not answer."
            if isinstance(error, httpx2.ConnectTimeout)
            else "It can't be reached."
        )
        fix = "Check the connection to the internet, and the proxy in the settings."
        return HubError(what, why, fix, may_pass=True)
    if isinstance(error, httpx2.TimeoutException):
        return HubError(
            f"{subject.who} does not answer.",
            f"Nothing came for {pause_text(seconds)}.",
            _LATER,
            may_pass=True,
        )
    if isinstance(error, httpx2.TooManyRedirects):
        return HubError(
            f"{subject.who} sends in circles.",
            "It redirected too many times.",
            "Check the Hub address in the settings.",
        )
    if isinstance(error, httpx2.UnsupportedProtocol):
        return unreadable(subject)
    return HubError(f"The connection to {place} broke off.", fix=_LATER, may_pass=True)


def too_slow(subject: Subject, seconds: float) -> HubError:
    return HubError(
        f"{subject.who} takes too long.",
        f"It did not come to an end in {pause_text(seconds)}.",
        _LATER,
        may_pass=True,
    )


def unreadable(subject: Subject) -> HubError:
    return HubError(
        f"What {subject.host or 'the Hub'} answered can't be read.",
        "It may not be a Hub, or this network wants you to log in first.",
        "Check the Hub address in the settings, and open a web page to see if you are online.",
    )


def offline() -> HubError:
    return HubError(
        "Causeway is set to stay offline.",
        "The Hub is not asked while that is so.",
        "Switch “Stay offline” off in the settings.",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
