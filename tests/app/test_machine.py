"""What is found out about this computer, and when it is found out again."""

from pathlib import Path

import msgspec
import psutil
import pytest

from app import machine as looking
from app import system_memory
from app.machine import GraphicsCard, Machine, ThisMachine, measure_bandwidth
from backends.errors import EngineCrashed
from catalog.fit.fit import Memory

CARD = GraphicsCard("Card", free=6 << 30, total=8 << 30, shared=False)


def read_machine(models_folder: Path, cache_folder: Path) -> Machine:
    return ThisMachine(lambda: models_folder, cache_folder)()


class Engine:
    """Stands for the worker that is asked for graphics cards; `calls` counts how often it was."""

    def __init__(self, *cards: GraphicsCard, fails: bool = False) -> None:
        self.cards = cards
        self.fails = fails
        self.calls = 0

    def __call__(self, tool: str, arguments: object, answer: type, *, timeout: float) -> object:
        self.calls += 1
        if self.fails:
            raise EngineCrashed("The engine failed.")
        return msgspec.convert(
            {"gpu_offload": bool(self.cards), "graphics": msgspec.to_builtins(self.cards)}, answer
        )


def with_engine(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> Engine:
    monkeypatch.setattr(looking, "run_in_worker", engine)
    return engine


def test_says_what_this_computer_has(tmp_path: Path) -> None:
    machine = read_machine(tmp_path / "models" / "not yet", tmp_path / "cache")
    assert 0 < machine.memory.free <= machine.memory.total <= psutil.virtual_memory().total
    assert machine.cores >= 1
    assert machine.disk_free > 0
    assert machine.memory.bandwidth > 1e8
    assert (tmp_path / "cache" / "machine.json").exists()


def test_what_was_measured_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = with_engine(monkeypatch, Engine())
    first = read_machine(tmp_path, tmp_path)
    monkeypatch.setattr(looking, "measure_bandwidth", lambda n_threads: pytest.fail("again"))
    again = read_machine(tmp_path, tmp_path)
    assert again.memory.bandwidth == first.memory.bandwidth
    assert engine.calls == 1


def test_another_processor_is_measured_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = with_engine(monkeypatch, Engine())
    read_machine(tmp_path, tmp_path)
    monkeypatch.setattr(looking, "processor_name", lambda: "Another")
    assert read_machine(tmp_path, tmp_path).processor == "Another"
    assert engine.calls == 2


@pytest.mark.parametrize("content", [b"", b"{", b'{"processor": 1}'])
def test_a_damaged_record_is_measured_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    engine = with_engine(monkeypatch, Engine())
    (tmp_path / "machine.json").write_bytes(content)
    assert read_machine(tmp_path, tmp_path).memory.bandwidth > 0
    assert engine.calls == 1


def test_an_engine_that_fails_is_asked_again_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = with_engine(monkeypatch, Engine(fails=True))
    assert read_machine(tmp_path, tmp_path).device == ""
    engine.fails, engine.cards = False, (CARD,)
    assert read_machine(tmp_path, tmp_path).device == "Card"


def test_the_largest_graphics_card_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_engine(monkeypatch, Engine(GraphicsCard("Small", 1, 2, True), CARD))
    machine = read_machine(tmp_path, tmp_path)
    assert machine.device == "Card"
    assert (machine.memory.vram_free, machine.memory.vram_total) == (6 << 30, 8 << 30)
    assert not machine.memory.vram_shared


def test_a_card_is_asked_for_its_free_memory_again_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = with_engine(monkeypatch, Engine(CARD))
    monkeypatch.setattr(looking, "_FRESH_SECONDS", -1.0)
    machine = ThisMachine(lambda: tmp_path, tmp_path)
    machine()
    machine()
    assert engine.calls == 1
    monkeypatch.setattr(looking, "_DEVICE_SECONDS", -1.0)
    engine.cards = (msgspec.structs.replace(CARD, free=1 << 30),)
    assert machine().memory.vram_free == 1 << 30


def test_many_questions_at_once_are_answered_from_one_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_engine(monkeypatch, Engine())
    machine = ThisMachine(lambda: tmp_path, tmp_path)
    assert machine() is machine()


def test_bandwidth_is_bounded_by_what_the_threads_work_off() -> None:
    assert 1e8 < measure_bandwidth(1) <= 8e9


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A control group two levels deep, as in a container."""
    (tmp_path / "own").write_text("1:cpu:/else\n0::/outer/inner\n")
    group = tmp_path / "cgroup" / "outer" / "inner"
    group.mkdir(parents=True)
    monkeypatch.setattr(system_memory, "_OWN_GROUP", tmp_path / "own")
    monkeypatch.setattr(system_memory, "_GROUPS", tmp_path / "cgroup")
    (group / "memory.max").write_text("max\n")
    return group


def limit(group: Path, most: int, used: int, files: int) -> None:
    (group / "memory.max").write_text(f"{most}\n")
    (group / "memory.current").write_text(f"{used}\n")
    (group / "memory.stat").write_text(f"anon 1\ninactive_file {files}\nactive_file 9\n")


def test_without_a_limit_all_memory_counts(group: Path) -> None:
    assert system_memory.total_memory() == psutil.virtual_memory().total


def test_the_limit_of_a_container_counts(group: Path) -> None:
    limit(group, 1000, 700, 200)
    assert system_memory.total_memory() == 1000
    assert system_memory.available_memory() == 500


def test_so_does_that_of_the_group_around_it(group: Path) -> None:
    limit(group, 1000, 100, 0)
    limit(group.parent, 800, 750, 0)
    assert system_memory.total_memory() == 800
    assert system_memory.available_memory() == 50


def test_more_used_than_allowed_leaves_nothing(group: Path) -> None:
    limit(group, 1000, 1100, 0)
    assert system_memory.available_memory() == 0


@pytest.mark.parametrize("own", ["", "garbage", "0::/../../etc", "0::/not/there"])
def test_odd_groups_are_no_limit(group: Path, tmp_path: Path, own: str) -> None:
    limit(group, 1000, 0, 0)
    (tmp_path / "own").write_text(own)
    assert system_memory.total_memory() == psutil.virtual_memory().total


def test_a_machine_needs_no_graphics_card() -> None:
    memory = Memory(free=10, total=20)
    assert Machine(memory=memory, cores=4).device == ""
    assert memory.comfortable == 9
    assert memory.utmost == 18


def test_the_latest_look_is_told_at_once_and_with_the_memory_that_is_free_now(
    tmp_path: Path,
) -> None:
    machine = ThisMachine(lambda: tmp_path, tmp_path / "cache")
    first = machine.latest()
    assert first.memory.total > 0
    assert first.memory.bandwidth == 0, "nothing was measured for it"
    looked = machine()
    assert machine.latest().memory.bandwidth == looked.memory.bandwidth > 0
    assert machine.latest().disk_free == looked.disk_free
