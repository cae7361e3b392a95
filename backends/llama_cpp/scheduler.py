"""Which tokens are evaluated next: one batch a step, made of all that runs.

Each request that generates has its next token in every batch, and prompts are read in the room that
is left: in small pieces while somebody waits for tokens, else in whole batches. Requests with other
adapters can't be in one batch, and take turns.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence

from backends.errors import BackendError, BadAdapter, ModelLoadError
from backends.llama_cpp.context import Aborted, Context, ContextFull, NotNumbers
from backends.llama_cpp.live import Live
from backends.llama_cpp.parked import StackKey
from backends.llama_cpp.reading_plan import GENERATED, UNKNOWN, ReadingPlan
from backends.llama_cpp.running import Running
from backends.llama_cpp.sequences import Sequences, Step
from backends.protocol import FinishReason

_TURN_SECONDS = 0.15
_PIECE_SECONDS = 0.1
"""How long a piece of a prompt may hold up the tokens of others."""
_SMALLEST_PIECE = 16
_FIRST_PIECE = 64
_ROOM_TO_GO_ON = 64
_NEW_SHARE = 0.3


class Scheduler:
    """Runs requests together. On the thread of the context.

    `apply_stack` puts the adapters of a key in force.
    """

    def __init__(
        self, context: Context, sequences: Sequences, apply_stack: Callable[[StackKey], None]
    ) -> None:
        self._context = context
        self._sequences = sequences
        self._apply_stack = apply_stack
        self._waiting: deque[Running] = deque()
        self._running: list[Running] = []  # the oldest is the first
        self._stack: StackKey = ()
        self._turn_began = 0.0
        self._prompt_pace = _PIECE_SECONDS / _FIRST_PIECE  # seconds a token

    @property
    def is_idle(self) -> bool:
        return not self._running and not self._waiting

    @property
    def piece_tokens(self) -> int:
        """Tokens that may be read for others now without holding up an answer for long."""
        if any(running.generates for running in self._running):
            return min(self._context.n_batch, self._piece_tokens())
        return self._context.n_batch

    def add(self, running: Running) -> None:
        self._waiting.insert(self._end_of_line(running), running)

    def cancel(self, job: int) -> None:
        """End a request, wherever it is; one that has ended already is no matter."""
        for running in [*self._running, *self._waiting]:
            if running.job == job:
                running.finish("cancelled")
                self._leave(running)

    def cancel_all(self) -> None:
        for running in [*self._running, *self._waiting]:
            self.cancel(running.job)

    def clean(self) -> None:
        """Let all begin again in a clean context: in this one lies what is no number."""
        for running in reversed(self._running[:]):
            self._put_back(running)
        self._sequences.clean()

    def step(self) -> None:
        """Evaluate one batch and hand out what came of it."""
        self._admit()
        turn = self._turn()
        self._end_full(turn)
        steps = self._compose([running for running in turn if running.live])
        if not steps:
            return
        try:
            began = time.perf_counter()
            self._sequences.evaluate([step for _, step in steps])
        except Aborted:
            self._begin_again()  # whom it was about will be told by an order
            return
        except ContextFull:
            self._make_room()
            self._begin_again()
            return
        except NotNumbers:
            self._find_culprit([running for running, _ in steps])
            return
        seconds = time.perf_counter() - began
        self._note_pace([step for _, step in steps], seconds)
        self._hand_out(steps, seconds)

    def _end_of_line(self, running: Running) -> int:
        """Its place among those that wait: who lets others go first stands behind all of them."""
        if running.is_background:
            return len(self._waiting)
        return sum(not each.is_background for each in self._waiting)

    def _admit(self) -> None:
        """Let in those that wait, in their order, as long as there is room.

        Those in the background leave a slot free for the others, and make room for them.
        """
        while self._waiting:
            running = self._waiting[0]
            background = [each for each in self._running if each.is_background]
            if running.is_background and len(background) >= max(1, self._context.n_slots - 1):
                return
            if self._running and len(running.tokens) + _ROOM_TO_GO_ON > self._sequences.room():
                if running.is_background or not background:
                    return
                self._put_back(background[-1])
                continue
            live = self._begun(running)
            if live is None:  # every slot is taken
                if running.is_background or not background:
                    return
                self._put_back(background[-1])
                continue
            self._waiting.popleft()
            self._running.append(running)
            self._running.sort(key=lambda running: running.job)
            running.begin(live)

    def _begun(self, running: Running) -> Live | None:
        wanted = running.key, running.tokens, running.prompt_answers
        if running.plan is not None and not self._running and len(self._waiting) == 1:
            return self._sequences.begin_alone(*wanted, running.plan, running.most_known)
        return self._sequences.begin(*wanted, running.most_known)

    def _turn(self) -> Sequence[Running]:
        """Those whose adapters are in force now."""
        keys = list(dict.fromkeys(running.key for running in self._running))
        if not keys:
            return ()
        now = time.perf_counter()
        at = keys.index(self._stack) if self._stack in keys else -1
        if at < 0 or (len(keys) > 1 and now - self._turn_began > _TURN_SECONDS):
            self._stack = keys[(at + 1) % len(keys)]
            self._turn_began = now
        self._apply_stack(self._stack)  # texts that are embedded in between need none
        turn = [running for running in self._running if running.key == self._stack]
        return [running for running in turn if running.is_suspect][:1] or turn

    def _end_full(self, turn: Sequence[Running]) -> None:
        """End the answers that have come to the end of the context."""
        for running in turn:
            if running.live and len(running.live.tokens) >= self._context.n_ctx:
                running.finish("length")
                self._leave(running)

    def _compose(self, turn: Sequence[Running]) -> list[tuple[Running, Step]]:
        steps = []
        readers = []
        for running in turn:
            if running.generates:
                steps.append((running, self._guessing(running)))
            else:
                readers.append(running)
        room = min(self._context.n_batch - len(steps), self.piece_tokens)
        counts = self._within_logits(self._shared_out(room, readers))
        return steps + [
            (running, _step(running, count, self._note(running, count)))
            for running, count in counts.items()
        ]

    def _shared_out(self, room: int, readers: Sequence[Running]) -> dict[Running, int]:
        """How many tokens which of the readers may read now, of so many in all.

        Those in the background come behind the others. Among equals, whoever has least left goes
        first: with equal shares, all would wait as long as the last. Once
        somebody's first token can come, it isn't held up by much more. The oldest reader has its share
        in any case, so that it isn't overtaken for ever.
        """
        enough = room - self._piece_tokens()
        counts = dict.fromkeys(readers, 0)
        for running in readers[:1]:
            share = min(room, max(1, room // len(readers)))
            counts[running] = min(share, self._until_station(running))
        room -= sum(counts.values())
        for running in sorted(readers, key=lambda each: (each.is_background, each.n_pending)):
            more = min(room, self._until_station(running) - counts[running])
            counts[running] += more
            room -= more
            if counts[running] == running.n_pending and room <= enough:
                break
        return {running: count for running, count in counts.items() if count}

    def _within_logits(self, counts: dict[Running, int]) -> dict[Running, int]:
        """The same, less where the logits of every token are wanted, which take memory."""
        left = self._context.n_logits
        bounded = {}
        for running, count in counts.items():
            if running.is_scored:
                count = min(count, left)
                left -= count
            if count:
                bounded[running] = count
        return bounded

    def _guessing(self, running: Running) -> Step:
        """The next token, and a guess of what follows, unless others would have to wait for it."""
        live = running.live
        assert live is not None
        draft: Sequence[int] = ()
        if len(self._running) == 1 and self._context.can_cut:
            draft = running.draft(
                min(self._context.n_batch, self._context.n_ctx - len(live.tokens)) - 1
            )
        return Step(live, [running.tokens[-1], *draft], 1 + len(draft), GENERATED)

    def _until_station(self, running: Running) -> int:
        """Tokens to read until the state must be kept, where it can't be cut back, or the end.

        Who must be repeatable, and is alone, reads by a plan.
        """
        assert running.live is not None
        start = len(running.live.tokens)
        plan = self._plan_of(running)
        if plan is not None:
            return plan.step_end(start) - start or running.n_pending
        if self._context.can_cut or start >= running.before_last:
            return running.n_pending
        return running.before_last - start

    def _plan_of(self, running: Running) -> ReadingPlan | None:
        return running.plan if len(self._running) == 1 else None

    def _note(self, running: Running, count: int) -> int:
        """The note for the next tokens that it reads."""
        assert running.live is not None
        start = len(running.live.tokens)
        plan = self._plan_of(running)
        return plan.note(start, start + count) if plan else UNKNOWN

    def _piece_tokens(self) -> int:
        return max(_SMALLEST_PIECE, int(_PIECE_SECONDS / self._prompt_pace))

    def _note_pace(self, steps: Sequence[Step], seconds: float) -> None:
        count = sum(len(step.tokens) for step in steps)
        if count >= _SMALLEST_PIECE:
            self._prompt_pace += _NEW_SHARE * (seconds / count - self._prompt_pace)

    def _hand_out(self, steps: Sequence[tuple[Running, Step]], seconds: float) -> None:
        place = 0
        for running, step in steps:
            place += len(step.tokens)
            running.is_suspect = False
            if running.is_scored:
                count = len(step.tokens)
                running.note_read(place - count, count, self._context.logits)
                step = step._replace(n_logits=1)
            running.tell_progress()
            if running.n_pending > 0:
                if not self._context.can_cut and len(step.live.tokens) == running.before_last:
                    self._sequences.checkpoint(step.live)
                continue
            try:
                reason = self._choose(running, step, place - step.n_logits, seconds)
            except BackendError as error:
                running.fail(error)
                self._leave(running)
                continue
            if reason is not None:
                running.finish(reason)
                self._leave(running)

    def _choose(
        self, running: Running, step: Step, place: int, seconds: float
    ) -> FinishReason | None:
        """Choose a token, and further ones as long as what was guessed is right."""
        draft = step.tokens[len(step.tokens) - step.n_logits + 1 :]
        right = 0
        while True:
            known = len(running.tokens)
            reason = running.choose(self._context.handle, place + right)
            if right == len(draft) or running.tokens[known:] != [draft[right]]:
                break
            right += 1
            if reason is not None:
                break
        if len(step.tokens) == step.n_logits:
            running.note_draft(len(draft), right, seconds)
        self._sequences.cut(step.live, len(step.live.tokens) - len(draft) + right)
        return reason

    def _make_room(self) -> None:
        """Take out what nobody uses, then the youngest request, which goes on later.

        One in the background goes before the others.
        """
        if self._sequences.park_idle():
            return
        if len(self._running) == 1:
            running = self._running[0]
            running.finish("length")
            self._leave(running)
            return
        background = [each for each in self._running if each.is_background]
        self._put_back((background or self._running)[-1])

    def _find_culprit(self, suspects: Sequence[Running]) -> None:
        """Let all begin again in a clean context, the suspects each alone, or end the one that was."""
        for running in suspects:
            if running.is_suspect:
                running.fail(_no_numbers(running))
                self._leave(running)
            running.is_suspect = True
        self.clean()

    def _begin_again(self) -> None:
        """Let those begin again whose state was lost, because it can't be cut back."""
        for running in reversed(self._running[:]):
            if running.live is not None and not running.live.tokens:
                self._put_back(running)

    def _put_back(self, running: Running) -> None:
        assert running.live is not None
        self._sequences.park(running.live)
        running.live = None
        self._running.remove(running)
        others = sum(not each.is_background for each in self._waiting)
        self._waiting.insert(others if running.is_background else 0, running)

    def _leave(self, running: Running) -> None:
        if running in self._running:
            self._running.remove(running)
        if running in self._waiting:
            self._waiting.remove(running)
        if running.live is not None:
            self._sequences.end(running.live)
            running.live = None


def _step(running: Running, count: int, note: int) -> Step:
    live = running.live
    assert live is not None
    start = len(live.tokens)
    tokens = running.tokens[start : start + count]
    return Step(live, tokens, len(tokens) if running.is_scored else 1, note)


def _no_numbers(running: Running) -> BackendError:
    if running.key:
        return BadAdapter(
            "The model gives no usable answers with these adapters.",
            "What they add is too much for it: a computation gave numbers that are none.",
            "Lower their strength, or remove one.",
        )
    return ModelLoadError(
        "The model could not go on.",
        "A computation gave numbers that are none.",
        "Ask in other words, or choose another quantization of the model.",
    )
