"""What models have read of chats, kept on the disk so that nothing is read twice."""

from pathlib import Path

from app.settings_file import SettingsFile
from backends.protocol import StateKeeping

_GB = 10**9


class KeptStates:
    """The folder that engines keep states in. Its methods but `keeping` read the disk."""

    def __init__(self, folder: Path, settings: SettingsFile) -> None:
        self._folder = folder
        self._settings = settings

    def keeping(self) -> StateKeeping | None:
        """Where an engine may keep states, and how many bytes; None where it may not."""
        settings = self._settings.current
        if not settings.keep_states:
            return None
        return StateKeeping(folder=str(self._folder), limit_bytes=settings.states_limit * _GB)

    def bytes(self) -> int:
        """What the kept states take."""
        from backends.llama_cpp.state_folder import folder_bytes

        return folder_bytes(self._folder)

    def erase(self) -> None:
        """Delete them all, and let no model that is loaded save what it holds: it is of chats too."""
        from backends.llama_cpp.state_folder import erase

        erase(self._folder)

    def clear(self) -> int:
        """Delete them all; the bytes freed."""
        from backends.llama_cpp.state_folder import clear

        return clear(self._folder)
