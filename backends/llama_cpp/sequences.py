"""The sequences in a context, and those that left it: nothing is evaluated twice that is known.

A request gets the sequence that agrees with its prompt for longest. What differs behind that is cut
off if it is next to nothing, else it stays, and what both begin with is shared. Sequences that
nobody uses slow the others down, so they are parked in memory beside the context, and leave that for
files, if there are any.
"""

import itertools
import time
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from backends.llama_cpp.context import Context, NotNumbers, Piece
from backends.llama_cpp.live import Live, cells_of, overlap
from backends.llama_cpp.parked import Parked, ParkedStates, StackKey
from backends.llama_cpp.prefix import common_length
from backends.llama_cpp.reading_plan import STEP_END, UNKNOWN, ReadingPlan
from backends.llama_cpp.state_files import StateFiles
from backends.llama_cpp.state_format import Answer, SavedState

IDLE_CELLS, IDLE_SHARE = 128, 16
"""So many tokens of sequences that nobody uses may stay in the context, or such a share of what is
in use: attention looks at them too, for nothing. 512 beside 1,500 cost an eighth of the speed."""

_LEAST_PARKED = 16
"""Tokens that are evaluated again as quickly as they are put back."""

_LEAST_KEPT = 8
"""Evaluated tokens that are worth a sequence of their own, when a prompt differs there."""

_RESTORE_SHARE = 64
"""To put a token back takes this many times less than to evaluate it."""

_READ_SHARE = 16
"""The same, where it must be read from a file."""


Held = TypeVar("Held", Live, Parked, SavedState)


class Step(NamedTuple):
    """Tokens to evaluate next in a sequence, and of how many of them, from the end, logits.

    `note` says how they are computed, as in `reading_plan`; STEP_END is about the last one.
    """

    live: Live
    tokens: Sequence[int]
    n_logits: int = 1
    note: int = UNKNOWN


class Sequences:
    """Hands out sequences and evaluates them. On the thread of the context."""

    def __init__(self, context: Context, parked: ParkedStates, files: StateFiles | None) -> None:
        self._context = context
        self._parked = parked
        self._files = files
        self._live: list[Live] = []
        self._cells = itertools.count()
        self._uses = itertools.count()

    def begin(
        self,
        key: StackKey,
        tokens: Sequence[int],
        answers: tuple[Answer, ...],
        most: int | None = None,
    ) -> Live | None:
        """A sequence to evaluate the tokens in, which holds as many of the first ones as are known.

        At least the last one is left to evaluate, since its logits are wanted; with `most`, all that
        come after so many. None while all the slots are in use. Give it back with `end`.
        """
        wanted = tokens if most is None else tokens[: most + 1]
        best, known = self._longest_live(key, wanted)
        stored, stored_length = self._longest_parked(key, wanted)
        if stored and stored_length > known + len(stored.tokens) // _RESTORE_SHARE:
            live = self._restored(stored, stored_length)
            if live is not None:
                return self._begun(live, answers)
            best, known = self._longest_live(key, wanted)
        saved, saved_length = self._longest_saved(key, wanted)
        if saved and saved_length > known + len(saved.tokens) // _READ_SHARE:
            live = self._read(key, saved, saved_length)
            if live is not None:
                return self._begun(live, answers)
            best, known = self._longest_live(key, wanted)
        if best is not None and not best.busy and self._may_take_over(best, known):
            best.busy = True
            self._cut(best, known)
            return self._begun(best, answers)
        live = self._fresh(key, keep=best)
        if live is None:
            return None
        if best is not None and known:
            self._context.copy(best.slot, live.slot, known)
            live.tokens, live.cells = best.tokens[:known], best.cells[:known]
            live.notes = best.notes[:known]
        return self._begun(live, answers)

    def begin_alone(
        self,
        key: StackKey,
        tokens: Sequence[int],
        answers: tuple[Answer, ...],
        plan: ReadingPlan,
        most: int | None = None,
    ) -> Live | None:
        """As `begin`, for an answer that must be repeatable, while no other is written.

        The sequence has the context for itself: numbers depend on the cells that tokens lie in, and
        on how many others there are.
        """
        wanted = tokens if most is None else tokens[: most + 1]
        best, known = self._longest_live(key, wanted, plan)
        source, length = self._longest_kept(key, wanted, plan, known)
        if source is not None:
            best = None
        elif best is not None and not best.orderly:
            source, length, best = self._copied(best), known, None
        for live in sorted(self._live, key=lambda live: len(live.tokens)):
            if live is not best:
                self.park(live)
        if best is not None:
            if not self._context.can_cut:
                self.checkpoint(best)
            elif _is_worth_keeping(best.tokens, known):
                self._park_copy(best)
            best.busy = True
            self._cut(best, known)
            return self._begun(best, answers)
        restored = self._restored(source, length) if source is not None else None
        if restored is not None:
            self._put_in_order(restored)
        alone = restored or self._fresh(key)
        return self._begun(alone, answers) if alone is not None else None

    def begin_apart(self) -> Live | None:
        """An empty sequence that is never kept, evaluated without adapters.

        None while all the slots are in use. It may be taken out of the context when others need the
        room, as `holds` tells. Give it back with `drop`.
        """
        live = self._fresh(())
        if live is None:
            return None
        live.apart = True
        return self._begun(live, ())

    def holds(self, live: Live) -> bool:
        """Whether a sequence is still in the context."""
        return live in self._live

    def is_alone(self, live: Live) -> bool:
        """Whether a sequence is the only one in the context."""
        return self._live == [live]

    def drop(self, live: Live) -> None:
        """Forget a sequence, which may have left the context already."""
        if live in self._live:
            self._context.empty(live.slot)
            self._live.remove(live)

    def evaluate(self, steps: Sequence[Step]) -> None:
        """Evaluate tokens; the logits are found by their place among all.

        Raises Aborted, ContextFull, DecodeFailed or NotNumbers, after which the sequences hold what
        they held before, or nothing where that can't be.
        """

        def compute(pieces: Sequence[Piece]) -> None:
            self._context.decode(pieces)
            last = itertools.accumulate(len(piece.tokens) for piece in pieces)
            if not all(self._context.gave_numbers(end - 1) for end in last):
                raise NotNumbers

        self._compute(steps, compute)

    def vectors(self, steps: Sequence[Step]) -> "list[array[float]]":
        """Evaluate tokens; what the model makes of the last one of each step. Raises like `evaluate`."""
        made: list[array[float]] = []
        self._compute(steps, lambda pieces: made.extend(self._context.vectors(pieces)))
        return made

    def cut(self, live: Live, length: int) -> None:
        """Forget the end of a sequence; all of it where it can't be cut."""
        self._cut(live, length)

    def checkpoint(self, live: Live) -> None:
        """Keep the present state of a sequence that can't be cut back to it later."""
        state = self._context.state(live.slot)
        self._keep(Parked(live.key, tuple(live.tokens), (), state, True, bytes(live.notes)))

    def end(self, live: Live) -> None:
        """Nobody uses the sequence any more; it stays as long as it may be of use."""
        live.busy = False
        live.last_used = next(self._uses)

    def park(self, live: Live) -> None:
        """Take a sequence out of the context, to go on with it later."""
        if self._is_worth_parking(live):
            self._park_copy(live)
        self._context.empty(live.slot)
        self._live.remove(live)

    def park_idle(self) -> bool:
        """Park the sequence that was not used for longest; False if all are in use.

        Where nobody else can leave, the youngest of those that are apart is dropped.
        """
        idle = self._idle()
        if idle:
            self.park(idle[0])
            return True
        apart = [live for live in self._live if live.apart]
        if apart:
            self.drop(apart[-1])
        return bool(apart)

    def clean(self) -> None:
        """Take all sequences out of the context and overwrite what lies in it.

        Attention reads free cells too, and has no use for their numbers; but of what is no number
        it gets no number.
        """
        for live in self._live[:]:
            self.park(live)
        self._context.clear()

    def room(self) -> int:
        """Cells that would be free if only the sequences in use were there."""
        busy = [live for live in self._live if live.busy]
        return self._context.n_ctx - cells_of(busy)

    def save(self, deadline: float) -> None:
        """Save what is worth it, the newest first, until the deadline of `time.monotonic`."""
        files = self._files
        if files is None:
            return
        live = sorted(self._live, key=lambda live: live.last_used, reverse=True)
        unsaved = itertools.chain(
            (self._copied(each) for each in live if self._is_worth_parking(each)),
            (parked for parked in self._parked if not parked.checkpoint),
        )
        for parked in unsaved:
            self._save(parked)
            if not files.flush(max(0.0, deadline - time.monotonic())):
                return

    def _compute(self, steps: Sequence[Step], compute: Callable[[Sequence[Piece]], None]) -> None:
        # Who stops one answer must not cost others theirs; a step of single tokens is soon over.
        self._context.abort.is_armed = (
            self._context.can_cut
            or len(steps) == 1
            or sum(len(step.tokens) for step in steps) > len(steps)
        )
        try:
            compute([Piece(s.live.slot, len(s.live.tokens), s.tokens, s.n_logits) for s in steps])
        except Exception:
            for step in steps:
                self._cut(step.live, len(step.live.tokens), force=True)
            raise
        for step in steps:
            self._note(step)
            step.live.tokens.extend(step.tokens)
            step.live.cells.extend(itertools.islice(self._cells, len(step.tokens)))

    def _note(self, step: Step) -> None:
        """Note how a step was computed. Its end is none to go on from if it was not by the plan so far."""
        notes, count, note = step.live.notes, len(step.tokens), step.note
        if note == STEP_END:
            by_plan = step.live.orderly and (not notes or notes[-1] != UNKNOWN)
            notes += bytes([UNKNOWN] * (count - 1) + [STEP_END if by_plan else UNKNOWN])
        else:
            notes += bytes([note] * count)

    def _begun(self, live: Live, answers: tuple[Answer, ...]) -> Live:
        live.answers = answers
        live.last_used = next(self._uses)
        idle = self._idle()
        busy = [other for other in self._live if other.busy]
        in_use = cells_of(busy)
        most = in_use + max(IDLE_CELLS, in_use // IDLE_SHARE)
        while idle and cells_of([*busy, *idle]) > most:
            self.park(idle.pop(0))
        return live

    def _longest_live(
        self, key: StackKey, tokens: Sequence[int], plan: ReadingPlan | None = None
    ) -> tuple[Live | None, int]:
        idle_first = sorted(self._live, key=lambda live: live.busy)
        return self._longest((live for live in idle_first if live.key == key), tokens, plan)

    def _longest_parked(
        self, key: StackKey, tokens: Sequence[int], plan: ReadingPlan | None = None
    ) -> tuple[Parked | None, int]:
        return self._longest((parked for parked in self._parked if parked.key == key), tokens, plan)

    def _longest_saved(
        self, key: StackKey, tokens: Sequence[int], plan: ReadingPlan | None = None
    ) -> tuple[SavedState | None, int]:
        return self._longest(self._files.known(key) if self._files else (), tokens, plan)

    def _longest(
        self, held: Iterable[Held], wanted: Sequence[int], plan: ReadingPlan | None
    ) -> tuple[Held | None, int]:
        """The first of those that can spare most of the wanted tokens, and how many."""
        best, longest = None, 0
        for each in held:
            length = common_length(each.tokens, wanted, len(wanted) - 1)
            if plan is not None:
                length = plan.usable(each.notes, length)
            if length > longest and (self._context.can_cut or length == len(each.tokens)):
                best, longest = each, length
        return best, longest

    def _longest_kept(
        self, key: StackKey, tokens: Sequence[int], plan: ReadingPlan, known: int
    ) -> tuple[Parked | None, int]:
        """What is kept beside the context, where more of it can be used than what is `known`."""
        stored, stored_length = self._longest_parked(key, tokens, plan)
        saved, saved_length = self._longest_saved(key, tokens, plan)
        if saved is not None and saved_length > max(known, stored_length):
            assert self._files is not None
            state = self._files.read(saved)
            if state is not None:
                return Parked(
                    key, saved.tokens, saved.answers, state, notes=saved.notes
                ), saved_length
        return (stored, stored_length) if stored_length > known else (None, 0)

    def _may_take_over(self, live: Live, length: int) -> bool:
        """Whether a prompt that needs that length of it may have a sequence for itself."""
        if not self._context.can_cut:
            if len(live.tokens) >= _LEAST_PARKED:
                self.checkpoint(live)
            return True
        if not _is_worth_keeping(live.tokens, length):
            return True
        if len(self._live) < self._context.n_slots or len(self._idle()) > 1:
            return False
        self._park_copy(live)
        return True

    def _restored(self, stored: Parked, length: int) -> Live | None:
        live = self._fresh(stored.key)
        if live is None:
            return None
        while not self._context.restore(live.slot, stored.state):
            if not self.park_idle():
                self._live.remove(live)
                return None
        live.orderly = False
        live.tokens = list(stored.tokens)
        live.notes = bytearray(stored.notes.ljust(len(live.tokens), bytes([UNKNOWN])))
        live.cells = list(itertools.islice(self._cells, len(live.tokens)))
        if stored.checkpoint or _is_worth_keeping(stored.tokens, length):
            self._parked.touch(stored)
        else:
            self._parked.remove(stored)
        self._cut(live, length)
        return live

    def _read(self, key: StackKey, saved: SavedState, length: int) -> Live | None:
        assert self._files is not None
        state = self._files.read(saved)
        if state is None:
            return None
        stored = Parked(key, saved.tokens, saved.answers, state, notes=saved.notes)
        live = self._restored(stored, length)
        if live is None and not self._live:
            self._files.discard(saved)  # there was room, so it is of no use to anybody
        return live

    def _fresh(self, key: StackKey, keep: Live | None = None) -> Live | None:
        """An empty sequence; one that nobody uses leaves for it, `keep` only as the last."""
        used = {live.slot for live in self._live}
        if len(used) == self._context.n_slots:
            idle = self._idle()
            if not idle:
                return None
            leaving = next((live for live in idle if live is not keep), idle[0])
            used.discard(leaving.slot)
            self.park(leaving)
        slot = next(slot for slot in range(self._context.n_slots) if slot not in used)
        if not self._live:
            self._context.clear(overwrite=False)
        for other in self._live:
            other.orderly = False  # from now on, its next tokens may lie anywhere
        live = Live(slot, key, [], [], orderly=not self._live)
        self._live.append(live)
        return live

    def _cut(self, live: Live, length: int, *, force: bool = False) -> None:
        if length == len(live.tokens) and not force:
            return
        if not self._context.cut(live.slot, length):
            length = 0
        del live.tokens[length:]
        del live.cells[length:]
        del live.notes[length:]

    def _put_in_order(self, live: Live) -> None:
        """Move the tokens of the only sequence into the first cells.

        A state is put back as it lay, and what was cut from it may have lain before the rest.
        """
        state = self._context.state(live.slot)
        self._context.clear(overwrite=False)
        live.orderly = True
        if not self._context.restore(live.slot, state):
            self._cut(live, 0)  # all of it is read again

    def _park_copy(self, live: Live) -> None:
        self._keep(self._copied(live))

    def _copied(self, live: Live) -> Parked:
        state = self._context.state(live.slot)
        return Parked(live.key, tuple(live.tokens), live.answers, state, notes=bytes(live.notes))

    def _keep(self, parked: Parked) -> None:
        for leaving in self._parked.add(parked):
            if not leaving.checkpoint:
                self._save(leaving)

    def _save(self, parked: Parked) -> None:
        if self._files is not None:
            self._files.save(parked.key, parked.tokens, parked.answers, parked.state, parked.notes)

    def _idle(self) -> list[Live]:
        """Those that nobody uses, the one least recently used first."""
        idle = [live for live in self._live if not live.busy]
        return sorted(idle, key=lambda live: live.last_used)

    def _is_worth_parking(self, live: Live) -> bool:
        """Whether it is long enough, and no other sequence holds all of its tokens too."""
        if live.apart or len(live.tokens) < _LEAST_PARKED:
            return False
        return not self._context.can_cut or not any(
            overlap(other, live) == len(live.cells)
            and (len(other.cells), other.slot) > (len(live.cells), live.slot)
            for other in self._live
        )


def _is_worth_keeping(tokens: Sequence[int], length: int) -> bool:
    """Whether more than that length of them is there to come back to."""
    return len(tokens) - length > _LEAST_KEPT
