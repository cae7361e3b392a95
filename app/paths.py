"""Where the program keeps its files."""

import os
from pathlib import Path

import msgspec
import platformdirs


class Paths(msgspec.Struct, frozen=True, kw_only=True):
    """Every place on disk that the program writes to. Nothing is created by naming it."""

    home: Path
    settings_file: Path
    database_file: Path
    models_folder: Path
    library_file: Path
    downloads_file: Path
    profiles_file: Path
    secrets_file: Path
    logs_folder: Path
    cache_folder: Path


def default_paths() -> Paths:
    """Everything under `CAUSEWAY_HOME` where that is set, else the platform's own folders."""
    portable = os.environ.get("CAUSEWAY_HOME", "").strip()
    if portable:
        # Not the method of a Path, which raises for the “~” of a person who isn't known here.
        return paths_under(Path(os.path.expanduser(portable)).absolute())  # noqa: PTH111
    folders = platformdirs.PlatformDirs("causeway", appauthor=False)
    return _paths(
        folders.user_data_path,
        config=folders.user_config_path,
        logs=folders.user_log_path,
        cache=folders.user_cache_path,
    )


def paths_under(home: Path) -> Paths:
    """Everything in one folder, as `CAUSEWAY_HOME` has it."""
    return _paths(home, config=home, logs=home / "logs", cache=home / "cache")


def _paths(home: Path, *, config: Path, logs: Path, cache: Path) -> Paths:
    return Paths(
        home=home,
        settings_file=config / "settings.json",
        database_file=home / "conversations.sqlite3",
        models_folder=home / "models",
        library_file=home / "library.json",
        downloads_file=home / "downloads.json",
        profiles_file=home / "profiles.json",
        secrets_file=config / "secrets",
        logs_folder=logs,
        cache_folder=cache,
    )
