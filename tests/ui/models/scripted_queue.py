"""A download queue that does nothing but what a test tells it."""

from collections.abc import Callable, Sequence

import msgspec

from catalog.catalogues.entries import HubFile
from catalog.downloads.wanted import (
    DownloadProblem,
    DownloadRequest,
    DownloadState,
    Phase,
    WantedFile,
)


def request(name: str, quant: str = "Q4_K_M", kind: str = "model") -> DownloadRequest:
    file = WantedFile(
        sources=(HubFile("owner/name", f"{name}.gguf"),),
        target=f"owner/name/{name}.gguf",
        sha256="ab" * 32,
    )
    return DownloadRequest(
        id=f"{name}:{quant}",
        ref=name.casefold(),
        title=name,
        quant=quant,
        files=(file,),
        kind=kind,
    )


def state(name: str, phase: Phase = "running", **fields: object) -> DownloadState:
    wanted = fields.pop("request", None) or request(name)
    return DownloadState(request=wanted, phase=phase, added_at=0.0, stage="downloading", **fields)


FULL_DISK = DownloadProblem("The disk is full.", "2.1 GB are missing.", "Free some space.")


class ScriptedQueue:
    """Notes what it is asked, and tells its listeners what a test says."""

    def __init__(self, *states: DownloadState) -> None:
        self.asked: list[tuple[object, ...]] = []
        self._states = states
        self._listeners: list[Callable[[tuple[DownloadState, ...]], None]] = []

    def show(self, *states: DownloadState) -> None:
        self._states = states
        for listener in self._listeners:
            listener(states)

    def set_phase(self, download_id: str, phase: Phase, **fields: object) -> None:
        self.show(
            *(
                msgspec.structs.replace(each, phase=phase, **fields)
                if each.request.id == download_id
                else each
                for each in self._states
            )
        )

    def start(self) -> None:
        self.asked.append(("start",))

    def states(self) -> tuple[DownloadState, ...]:
        return self._states

    def total_speed(self) -> float:
        return sum(each.bytes_per_second for each in self._states)

    def speed_history(self) -> Sequence[float]:
        return (1e6, 3e6, 2e6, 4e6)

    def subscribe(
        self, listener: Callable[[tuple[DownloadState, ...]], None]
    ) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def add(self, wanted: DownloadRequest) -> str:
        self.asked.append(("add", wanted.id))
        if all(each.request.id != wanted.id for each in self._states):
            self.show(*self._states, state(wanted.title, "waiting", request=wanted))
        return wanted.id

    def pause(self, download_id: str) -> None:
        self.asked.append(("pause", download_id))

    def resume(self, download_id: str) -> None:
        self.asked.append(("resume", download_id))

    def retry(self, download_id: str) -> None:
        self.asked.append(("retry", download_id))

    def cancel(self, download_id: str) -> None:
        self.asked.append(("cancel", download_id))

    def remove(self, download_id: str) -> None:
        self.asked.append(("remove", download_id))

    def move(self, download_id: str, position: int) -> None:
        self.asked.append(("move", download_id, position))

    def pause_all(self) -> None:
        self.asked.append(("pause_all",))

    def resume_all(self) -> None:
        self.asked.append(("resume_all",))

    def clear_finished(self) -> None:
        self.asked.append(("clear_finished",))
