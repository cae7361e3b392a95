"""Any service that speaks the OpenAI API, as a backend: on this computer, near by, or in the web."""

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from backends.errors import BackendError, BadAnswer, LoadCancelled, ModelGone
from backends.openai_compatible.addresses import checked_url, is_loopback
from backends.openai_compatible.patience import Patience
from backends.openai_compatible.provider import Provider
from backends.protocol import (
    PROTOCOL_VERSION,
    Capabilities,
    LoadOptions,
    LoadProgress,
    ModelDescription,
)

if TYPE_CHECKING:
    from backends.openai_compatible.service import Access
    from backends.openai_compatible.session import OpenAICompatibleSession

__all__ = ["OpenAICompatibleBackend", "Patience", "checked_url", "is_loopback"]


class OpenAICompatibleBackend:
    """Implements `backends.protocol.Backend`. A model is an id of the service's list."""

    protocol_version = PROTOCOL_VERSION

    def __init__(
        self,
        name: str,
        provider: Provider,
        url: str,
        *,
        key: Callable[[], str],
        proxy: Callable[[], str] = lambda: "",
        allowed: Callable[[], bool] = lambda: True,
        patience: Patience | None = None,
    ) -> None:
        """`name` is what a person calls the service, `url` its base URL.

        These are asked for each request: `key`, which may be empty; `proxy`, empty for what the
        environment says; and `allowed`, whether anything may leave this computer. None of it is asked
        of a URL that does not leave it, but for the key.
        """
        self.name = name
        self._provider = provider
        self._url = url
        self._key = key
        self._proxy = proxy
        self._allowed = allowed
        self._patience = patience or Patience()

    @property
    def capabilities(self) -> Capabilities:
        provider = self._provider
        return Capabilities(
            complete=provider.complete,
            continue_answer=provider.continuation is not None,
            embed=provider.embed,
            images=provider.images,
            tools=provider.tools,
            grammar=provider.json_schema or bool(provider.gbnf),
            logprobs=provider.top_logprobs > 0,
            parallel=True,
            local=is_loopback(self._url),
        )

    def models(self, cancelled: threading.Event | None = None) -> Sequence[ModelDescription]:
        """Asks the service. Raises BadKey, Unreachable, BadAnswer and the other errors of services.

        Soon after `cancelled` is set, it raises a BackendError, whatever the service does.
        """
        from backends.openai_compatible.calls import CallClosed
        from backends.openai_compatible.model_list import LONGEST_LIST, models_in
        from backends.openai_compatible.service import Cancel, Question, Service

        reads = self._provider.model_list
        question = Question(
            path=f"/models?{reads.query}" if reads.query else "/models",
            key_header=reads.key_header,
            headers=reads.headers,
        )
        service = Service(self._access())
        try:
            body = service.whole_answer(
                question, Cancel(cancelled), self._patience.listing, LONGEST_LIST
            )
        except CallClosed:
            raise BackendError(f"{self.name} is no longer asked for its models.") from None
        except ModelGone as error:
            raise self._no_list(error.why) from None
        finally:
            service.close()
        try:
            return models_in(body, reads, self._key().strip())
        except ValueError:
            raise self._no_list("What it answers is no list of models.") from None

    def open(
        self, model: str, options: LoadOptions, on_progress: LoadProgress
    ) -> "OpenAICompatibleSession":
        """A session with the model; the service is not asked yet. Raises LoadCancelled."""
        from backends.openai_compatible.session import OpenAICompatibleSession

        if not (on_progress(0.0) and on_progress(1.0)):
            raise LoadCancelled("Loading was cancelled.")
        return OpenAICompatibleSession(self._access(), model)

    def _access(self) -> "Access":
        from backends.openai_compatible.service import Access

        return Access(
            self.name,
            self._provider,
            self._url,
            self._key,
            self._proxy,
            self._allowed,
            self._patience,
        )

    def _no_list(self, why: str) -> BadAnswer:
        return BadAnswer(
            f"{self.name} lists no models at this address.",
            why,
            "Check the address under Services; most end in /v1.",
        )
