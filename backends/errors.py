"""What can go wrong in an engine, in words for a person."""


class BackendError(Exception):
    """A failure that a person can understand.

    `what` happened, `why`, and what to do about it (`fix`); each a sentence, `why` and `fix` may
    be empty. Anything else that an engine raises is a bug.
    """

    def __init__(self, what: str, why: str = "", fix: str = "") -> None:
        super().__init__(" ".join(part for part in (what, why, fix) if part))
        self.what = what
        self.why = why
        self.fix = fix


class ModelLoadError(BackendError):
    """The model could not be loaded: damaged, unsupported, or refused by the self-test."""


class OutOfMemory(BackendError):
    """The model or its context does not fit in memory."""


class LoadCancelled(BackendError):
    """The person cancelled the load."""


class PromptTooLong(BackendError):
    """The newest message alone does not fit in the context."""


class BadAdapter(BackendError):
    """An adapter can't be applied to the model: damaged, or made for another one."""


class BadGrammar(BackendError):
    """A JSON schema or grammar that no answer can be held to."""


class EngineCrashed(BackendError):
    """The engine's process died. `detail` is the tail of its log, for a report."""

    def __init__(self, what: str, why: str = "", fix: str = "", detail: str = "") -> None:
        super().__init__(what, why, fix)
        self.detail = detail


class Unsupported(BackendError):
    """The backend can't do what is asked: its `Capabilities` say so."""


class Unreachable(BackendError):
    """The service can't be reached, can't be trusted, or broke off."""


class BadKey(BackendError):
    """The service refuses the key, or wants one."""


class NoCredit(BackendError):
    """The account at the service has nothing left to spend."""


class RateLimited(BackendError):
    """The service wants fewer requests. `wait_seconds` is how long it asks to wait; None: not told."""

    def __init__(
        self, what: str, why: str = "", fix: str = "", wait_seconds: float | None = None
    ) -> None:
        super().__init__(what, why, fix)
        self.wait_seconds = wait_seconds


class ModelGone(BackendError):
    """The service does not have the model, or not for this account."""


class BadAnswer(BackendError):
    """The service sent what can't be understood, or says that it failed."""
