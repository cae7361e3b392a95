"""No wrong state ever comes out of the folder, whatever happens to its files."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.backends.llama_cpp.states.saved import (
    OTHER_ENGINE,
    PAYLOAD,
    STACK,
    TOKENS,
    Open,
    branch,
    names,
    only,
    save,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_happens_to_a_file_no_wrong_payload_comes_out_of_it(
    opened: Open, folder: Path, data: st.DataObject
) -> None:
    states = opened()
    save(states)
    before = only(states)
    path = folder / before.name
    intact = path.read_bytes()
    damaged = bytearray(intact)
    places = st.integers(0, 600) | st.integers(0, len(damaged) - 1)
    match data.draw(st.sampled_from(["flip", "cut", "zero", "append", "swap"])):
        case "flip":
            for place in data.draw(st.lists(places, min_size=1, max_size=3, unique=True)):
                damaged[place] ^= data.draw(st.integers(1, 255))
        case "cut":
            del damaged[data.draw(places) :]
        case "zero":
            start = data.draw(places)
            damaged[start : start + 4096] = bytes(len(damaged[start : start + 4096]))
        case "append":
            damaged += data.draw(st.binary(min_size=1, max_size=100))
        case "swap":
            place = data.draw(places)
            damaged = damaged[place:] + damaged[:place]
    path.write_bytes(damaged)
    for fresh in (states, opened()):
        assert fresh.read(before) in ({None} if damaged != intact else {PAYLOAD})
        for state in fresh.known(STACK):
            assert tuple(state.tokens) == TOKENS
            assert fresh.read(state) == PAYLOAD
        assert path.exists() == (damaged == intact)
    states.close()


def test_a_damaged_header_is_removed_when_the_folder_is_looked_at(
    opened: Open, folder: Path
) -> None:
    save(opened())
    (path,) = folder.iterdir()
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    assert not opened().known(STACK)
    assert not path.exists()


def test_a_state_under_the_name_of_another_is_removed(opened: Open, folder: Path) -> None:
    states = opened()
    save(states)
    save(states, branch(1))
    one, other = folder.iterdir()
    data = one.read_bytes()
    other.write_bytes(data)
    assert len(opened().known(STACK)) == 1
    assert names(folder) == {one.name}


def test_what_another_version_of_the_engine_saved_goes_with_the_first_state_of_the_new(
    opened: Open, folder: Path
) -> None:
    save(opened(OTHER_ENGINE))
    stale = names(folder)
    states = opened()
    assert not states.known(STACK)
    save(states)
    assert not names(folder) & stale
    assert states.read(only(states)) == PAYLOAD


def test_a_state_that_is_of_no_use_can_be_discarded(opened: Open, folder: Path) -> None:
    states = opened()
    save(states)
    states.discard(only(states))
    assert not states.known(STACK)
    assert not names(folder)
