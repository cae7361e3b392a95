"""Engines that others have made: which are installed, what they offer, and what is wrong with them."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from app.engines import FILE_BACKEND
from app.errors import problem_from
from app.models import OfferedModel
from backends.in_time import done_in_time
from backends.protocol import Backend
from backends.registry import BrokenBackend

_log = logging.getLogger(__name__)

_MOST_MODELS = 5_000
_LONGEST_TEXT = 500
_PATIENCE_SECONDS = 10.0


class Plugin(msgspec.Struct, frozen=True, kw_only=True):
    """An installed engine. `error` says why it can't be used, `package` what brought it."""

    name: str
    package: str = ""
    error: str = ""
    local: bool = True
    models: tuple[OfferedModel, ...] = ()


class Plugins:
    """Asks each plug-in what it offers, once. One that fails is listed with its error and harms nothing."""

    def __init__(
        self,
        backends: Mapping[str, Backend],
        broken: Sequence[BrokenBackend],
        packages: Callable[[], Mapping[str, str]],
        *,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        """`packages` says what brought each backend; it looks through what is installed. Who takes longer to list models is given up."""
        self._backends = {name: each for name, each in backends.items() if name != FILE_BACKEND}
        self._broken = tuple(broken)
        self._packages_of = packages
        self._patience_seconds = patience_seconds
        self._lock = threading.Lock()
        self._packages: Mapping[str, str] = {}
        self._found: tuple[Plugin, ...] | None = None

    def all(self) -> tuple[Plugin, ...]:
        """Every plug-in. Blocks as long as those take that are asked for the first time."""
        with self._lock:
            if self._found is None:
                self._packages = self._packages_of() if self._backends else {}
                working = self._ask_all()
                broken = (
                    Plugin(name=each.name, package=each.package, error=_bounded(each.error))
                    for each in self._broken
                )
                self._found = (*working, *broken)
            return self._found

    def backends(self) -> Mapping[str, Backend]:
        """Those that were made, by name."""
        return self._backends

    def offers(self) -> tuple[OfferedModel, ...]:
        return tuple(model for plugin in self.all() for model in plugin.models)

    def _ask_all(self) -> list[Plugin]:
        found = done_in_time(
            {name: partial(self._ask, name, backend) for name, backend in self._backends.items()},
            self._patience_seconds,
        )
        return [found.get(name) or self._silent(name) for name in self._backends]

    def _silent(self, name: str) -> Plugin:
        _log.warning("the plug-in %s does not answer", name)
        return Plugin(
            name=name,
            package=self._packages.get(name, ""),
            error=f"It did not list its models within {self._patience_seconds:g} seconds.",
        )

    def _ask(self, name: str, backend: Backend) -> Plugin:
        package = self._packages.get(name, "")
        try:
            local = backend.capabilities.local
            models = tuple(
                OfferedModel(
                    id=f"{name}:{each.id}",
                    name=each.name,
                    backend=name,
                    model=each.id,
                    source=name,
                    leaves=not local,
                    context_length=each.context_length,
                    embeds=each.embeds,
                )
                for each in tuple(backend.models())[:_MOST_MODELS]
            )
        except BaseException as error:  # another person's program; SystemExit, too
            problem = problem_from(error)
            said = problem.sentence() if problem else f"{type(error).__name__}: {error}"
            _log.warning("the plug-in %s does not answer: %s", name, said)
            return Plugin(name=name, package=package, error=_bounded(said))
        return Plugin(name=name, package=package, local=local, models=models)


def _bounded(text: str) -> str:
    return text[:_LONGEST_TEXT]
