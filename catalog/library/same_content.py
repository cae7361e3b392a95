"""Telling which files hold the same, so that each model is shown once."""

from collections.abc import Callable, Sequence

import msgspec


class ComparedFile(msgspec.Struct, frozen=True):
    """`identity` is the file's on its disk, with an inode of 0 where the disk has none."""

    path: str
    size_bytes: int
    identity: tuple[int, int]
    sha256: str


def same_content(
    files: Sequence[ComparedFile], fingerprint: Callable[[str], str]
) -> list[tuple[str, ...]]:
    """Paths in groups of the same content, groups and their members in the order given.

    Two names of one file are the same; where both SHA-256 are known, they decide; else size and
    `fingerprint` do, which is asked only for files that share their size.
    """
    n_of_size: dict[int, int] = {}
    for file in files:
        n_of_size[file.size_bytes] = n_of_size.get(file.size_bytes, 0) + 1
    groups: list[_Group] = []
    by_key: dict[object, list[_Group]] = {}
    for file in files:
        keys: list[object] = []
        group: _Group | None = None
        if n_of_size[file.size_bytes] > 1:
            keys = _keys(file, fingerprint)
            group = next(
                (each for key in keys for each in by_key.get(key, ()) if each.takes(file)), None
            )
        if group is None:
            group = _Group([], set(), "")
            groups.append(group)
        group.add(file)
        for key in keys:
            if group not in (known := by_key.setdefault(key, [])):
                known.append(group)
    return [tuple(group.paths) for group in groups]


class _Group(msgspec.Struct, eq=False):
    paths: list[str]
    identities: set[tuple[int, int]]
    sha256: str

    def takes(self, file: ComparedFile) -> bool:
        """Whether nothing says that the content differs, where a key already says that it is equal."""
        if file.identity in self.identities:
            return True
        return not self.sha256 or not file.sha256 or self.sha256 == file.sha256

    def add(self, file: ComparedFile) -> None:
        self.paths.append(file.path)
        self.sha256 = self.sha256 or file.sha256
        if file.identity[1]:
            self.identities.add(file.identity)


def _keys(file: ComparedFile, fingerprint: Callable[[str], str]) -> list[object]:
    """What makes two files the same. Each goes with the size: a checksum may be but a claim."""
    keys: list[object] = []
    if file.identity[1]:
        keys.append((file.size_bytes, file.identity))
    if file.sha256:
        keys.append((file.size_bytes, file.sha256))
    if sampled := fingerprint(file.path):
        keys.append((file.size_bytes, sampled))
    return keys
