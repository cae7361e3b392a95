"""Who may be at the engine: several who share it, or one alone; the others wait in line."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_WAIT_POLL_SECONDS = 0.1


class _Ticket:
    """Somebody's place in the line."""


class EngineLine:
    """First come, first served, from any thread.

    Users share the engine while there is room for them. Whoever is alone there changes it; nobody
    comes in meanwhile.

    Attributes:
        changed: guards the line, and what its owner keeps beside it; notified at each change.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._waiting: list[_Ticket] = []
        self._users = 0
        self._alone = False

    def enter(
        self,
        room: Callable[[], int],
        *,
        given_up: Callable[[], bool],
        on_wait: Callable[[], None],
    ) -> bool | None:
        """Wait for one's turn: True as a user, False alone. None: given up, and not in.

        `room` says how many users the engine as it is now can have, of those who want what this one
        does: with none, the first in line comes in alone once all users have left. Both it and
        `given_up` are called with `changed` held. `on_wait` is called about ten times a second,
        however much happens in the line meanwhile.
        """
        with self._place() as ticket:
            told = time.monotonic()
            while True:
                with self.changed:
                    if given_up():
                        return None
                    if self._waiting[0] is ticket and not self._alone:
                        places = room()
                        if self._users < places:
                            self._users += 1
                            return True
                        if not self._users and not places:
                            self._alone = True
                            return False
                    left = told + _WAIT_POLL_SECONDS - time.monotonic()
                    if left > 0:
                        self.changed.wait(left)
                        continue
                told = time.monotonic()
                on_wait()

    def enter_alone(self) -> None:
        """Wait for one's turn, and until all users have left."""
        with self._place() as ticket, self.changed:
            self.changed.wait_for(
                lambda: self._waiting[0] is ticket and not self._users and not self._alone
            )
            self._alone = True

    def slip_in_alone(self, wanted: Callable[[], bool]) -> bool:
        """Be alone there if nobody is, nor waits, and it is `wanted`, asked with `changed` held."""
        with self.changed:
            if self._waiting or self._users or self._alone or not wanted():
                return False
            self._alone = True
            return True

    def stay(self) -> None:
        """Be a user from now on, after having been alone."""
        with self.changed:
            self._users += 1
            self._end_alone()

    def leave(self) -> bool:
        """Leave, as a user. True for the last one, who is alone there now."""
        with self.changed:
            self._users -= 1
            self._alone = not self._users
            self.changed.notify_all()
            return self._alone

    def leave_alone(self) -> None:
        """Leave, after having been alone."""
        with self.changed:
            self._end_alone()

    def wait_until_nobody_is_alone(self, seconds: float) -> None:
        with self.changed:
            self.changed.wait_for(lambda: not self._alone, seconds)

    def _end_alone(self) -> None:
        self._alone = False
        self.changed.notify_all()

    @contextmanager
    def _place(self) -> Iterator[_Ticket]:
        ticket = _Ticket()
        with self.changed:
            self._waiting.append(ticket)
        try:
            yield ticket
        finally:
            with self.changed:
                self._waiting.remove(ticket)
                self.changed.notify_all()
