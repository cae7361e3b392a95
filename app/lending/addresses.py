"""Where the processes of this home that lend a model can be reached: a small file of each."""

import secrets
import stat
from contextlib import suppress
from pathlib import Path

import msgspec

from app.versions import installed_version
from catalog.whole_file import write_whole

_MOST_HOSTS = 8


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Of one process that lends. `key` has to be proved by both sides; `version` is the program's."""

    version: str
    address: str
    key: bytes


class Addresses:
    """The folder of these files, which only this person can read. `own` is this process's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: Path | None = None

    def publish(self, address: str, key: bytes) -> None:
        """Let others know of it. Raises OSError."""
        own = Address(version=_version(), address=address, key=key)
        self._own = self._folder / f"{secrets.token_hex(8)}.json"
        write_whole(self._own, msgspec.json.encode(own))

    def withdraw(self) -> None:
        own, self._own = self._own, None
        if own is not None:
            _remove(own)

    def of_others(self) -> list[tuple[Path, Address]]:
        """Those that this version of the program understands. A damaged file is removed."""
        try:
            files = [file for file in self._folder.iterdir() if file.suffix == ".json"]
        except OSError:
            return []
        found: list[tuple[Path, Address]] = []
        for file in sorted(files)[:_MOST_HOSTS]:
            if file == self._own:
                continue
            try:
                address = msgspec.json.decode(file.read_bytes(), type=Address)
            except OSError:
                continue
            except (ValueError, RecursionError):
                _remove(file)
                continue
            if address.version == _version():
                found.append((file, address))
        return found

    def forget(self, file: Path, address: Address) -> None:
        """Its process has died: remove what is left of it."""
        _remove(file)
        with suppress(OSError, ValueError):
            gone = Path(address.address)
            if stat.S_ISSOCK(gone.lstat().st_mode):
                gone.unlink()
                gone.parent.rmdir()


def _version() -> str:
    return installed_version("causeway")


def _remove(file: Path) -> None:
    with suppress(OSError):
        file.unlink()
