"""The versions of the program and of its parts."""

from importlib.metadata import PackageNotFoundError, version


def installed_version(package: str) -> str:
    """The version of a package; empty where it came without its metadata, as in a frozen program."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
