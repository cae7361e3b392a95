"""A keyring that forgets everything at the end, and one that is locked."""

import keyring.backend
from keyring.errors import KeyringLocked, PasswordDeleteError


class MemoryKeyring(keyring.backend.KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("it is not there")


class LockedKeyring(keyring.backend.KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("it is locked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("it is locked")


class FullKeyring(MemoryKeyring):
    """Takes so many secrets, and refuses the next."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(self.kept) >= self._room and (service, username) not in self.kept:
            raise KeyringLocked("it was locked meanwhile")
        super().set_password(service, username, password)


class HalfLockedKeyring(MemoryKeyring):
    """Gives up everything but one secret."""

    def __init__(self, locked: str) -> None:
        super().__init__()
        self._locked = locked

    def get_password(self, service: str, username: str) -> str | None:
        if username == self._locked:
            raise KeyringLocked("it is locked")
        return super().get_password(service, username)
