"""The list of downloads survives whatever happens to its file."""

import threading
from pathlib import Path

import msgspec
import pytest

from catalog.downloads import wishes
from catalog.downloads.queue_file import QueuedDownload, QueueFile
from catalog.errors import CatalogError
from catalog.kept_file import KeptFile
from tests.catalog.downloads.queues import request_of


def queued(name: str) -> QueuedDownload:
    return QueuedDownload(request=request_of(name), added_at=1.0)


def append(name: str) -> wishes.Change:
    return lambda downloads: downloads.append(queued(name))


def test_another_object_reads_what_one_wrote(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "downloads.json"
    one, other = QueueFile(path), QueueFile(path)
    assert other.read() == ()
    one.change(append("one"))
    assert other.read() == one.read() == (queued("one"),)
    other.change(append("two"))
    assert one.read() == (queued("one"), queued("two"))
    assert [each.name for each in path.parent.iterdir()] == ["downloads.json"]


def test_is_read_and_written_only_when_something_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "downloads.json"
    file = QueueFile(path)
    file.change(append("one"))
    stamp = path.stat().st_mtime_ns
    monkeypatch.setattr(KeptFile, "read", lambda file: pytest.fail("read again"))
    file.change(wishes.turn("paused", of=("failed",)))
    assert file.read() == (queued("one"),)
    assert path.stat().st_mtime_ns == stamp


_DEEP = b'{"version": 1, "more": ' + b"[" * 100_000


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\xff", b"[]", b'{"version": 1, "downloads": [{}]}', pytest.param(_DEEP, id="deep")],
)
def test_a_damaged_file_is_set_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "downloads.json"
    path.write_bytes(content)
    file = QueueFile(path)
    assert file.read() == ()
    assert file.file.damage is not None
    assert file.file.damage.aside is not None
    assert file.file.damage.aside.read_bytes() == content
    file.change(append("one"))
    assert QueueFile(path).read() == (queued("one"),)


def test_the_list_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "downloads.json"
    content = b'{"version": 2, "downloads": "in another way"}'
    path.write_bytes(content)
    file = QueueFile(path)
    for use in (file.read, lambda: file.change(append("one"), at_all_costs=True)):
        with pytest.raises(CatalogError, match="newer Causeway"):
            use()
    assert path.read_bytes() == content


def test_fields_that_it_does_not_know_are_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "downloads.json"
    QueueFile(path).change(append("one"))
    contents = msgspec.json.decode(path.read_bytes())
    contents["downloads"][0]["colour"] = "blue"
    path.write_bytes(msgspec.json.encode(contents))
    assert QueueFile(path).read() == (queued("one"),)


def test_what_cannot_be_stored_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("no folder")
    file = QueueFile(tmp_path / "home" / "downloads.json")
    with pytest.raises(CatalogError, match="can't be read or written"):
        file.change(append("one"))


def test_what_has_happened_counts_even_where_the_disk_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "downloads.json"
    file = QueueFile(path)
    file.change(append("one"))

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("os.fsync", refuse)
        file.change(wishes.turn("failed", of=("waiting",)), at_all_costs=True)
        assert [each.wish for each in file.read()] == ["failed"]
        with pytest.raises(CatalogError, match="No space left"):
            file.change(append("two"))
    assert [each.wish for each in QueueFile(path).read()] == ["waiting"]
    file.change(append("three"))
    assert [each.wish for each in QueueFile(path).read()] == ["failed", "waiting"]
    assert [each.name for each in tmp_path.iterdir()] == ["downloads.json"]


def test_changes_of_many_threads_all_count(tmp_path: Path) -> None:
    path = tmp_path / "downloads.json"
    files = [QueueFile(path), QueueFile(path)]
    names = [f"{thread}-{number}" for thread in range(4) for number in range(5)]

    def add_some(thread: int) -> None:
        for number in range(5):
            files[thread % 2].change(append(f"{thread}-{number}"))

    threads = [threading.Thread(target=add_some, args=(thread,)) for thread in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(each.request.entry_id for each in QueueFile(path).read()) == sorted(names)


def test_where_a_download_came_to_lie_moves_with_the_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = msgspec.structs.replace(
        queued("one"), wish="done", path=str(home / "models" / "one.gguf")
    )
    QueueFile(home / "downloads.json").change(lambda downloads: downloads.append(done))
    moved = home.rename(tmp_path / "moved")
    (download,) = QueueFile(moved / "downloads.json").read()
    assert download.path == str(moved / "models" / "one.gguf")
