"""How many requests one upstream works on at once, and who waits: staff before other systems, each for a bounded time."""

import asyncio
import contextlib
import random
from collections import Counter, deque
from collections.abc import AsyncIterator, Hashable
from dataclasses import dataclass

from praxis.kit.problems import Unavailable


class Overloaded(Unavailable):
    """503: the part works on as much as it can and its waiting room is full, or the wait was over."""

    code = "overloaded"
    title = "Too much is asked of this part just now"


@dataclass(frozen=True, slots=True)
class _Waiting:
    caller: Hashable
    share: int
    turn: asyncio.Future[None]


class WaitingRoom:
    """`running` places to work and `waiting` to wait in line, for two classes of requests.

    One caller works at half of the places at most, at a quarter when not urgent, and waits in line for more while others pass.
    A place given back goes to the longest waiting urgent request, then to the longest waiting other one. An urgent request that
    finds the line full takes the place of the other request that came last.
    """

    def __init__(self, running: int, waiting: int, seconds: float) -> None:
        self._free = running
        self._shares = {True: max(1, running // 2), False: max(1, running // 4)}
        self._held: Counter[Hashable] = Counter()
        self._most_waiting = waiting
        self._seconds = seconds
        self._urgent: deque[_Waiting] = deque()
        self._others: deque[_Waiting] = deque()

    @property
    def waiting(self) -> int:
        """Return how many wait in line."""
        return len(self._urgent) + len(self._others)

    @contextlib.asynccontextmanager
    async def place(self, caller: Hashable, urgent: bool) -> AsyncIterator[None]:
        """Hold a place to work while the block runs; raises Overloaded."""
        await self._enter(caller, urgent)
        try:
            yield
        finally:
            self._leave(caller)

    async def _enter(self, caller: Hashable, urgent: bool) -> None:
        share = self._shares[urgent]
        if self._free and self._held[caller] < share:
            self._take(caller)
            return
        line = self._urgent if urgent else self._others
        self._make_room(urgent)
        entry = _Waiting(caller, share, asyncio.get_running_loop().create_future())
        line.append(entry)
        try:
            async with asyncio.timeout(self._seconds):
                await entry.turn
        except BaseException as error:
            self._give_up(entry, line)
            if isinstance(error, TimeoutError):
                raise _overloaded() from error
            raise

    def _make_room(self, urgent: bool) -> None:
        if self.waiting < self._most_waiting:
            return
        if not (urgent and self._others):
            raise _overloaded()
        last = self._others.pop()
        # One that has just given up is still in line until its task runs; its place is free all the same.
        if not last.turn.done():
            last.turn.set_exception(_overloaded())

    def _give_up(self, entry: _Waiting, line: deque[_Waiting]) -> None:
        turn = entry.turn
        with contextlib.suppress(ValueError):
            line.remove(entry)
        # The turn may have come in the same moment as the end of the wait: then the place is handed on, not lost.
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            self._leave(entry.caller)

    def _take(self, caller: Hashable) -> None:
        self._free -= 1
        self._held[caller] += 1

    def _leave(self, caller: Hashable) -> None:
        self._free += 1
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]
        # One place came free, so one request at most may go on: whoever waits after that is at its share, or no place is free.
        for line in (self._urgent, self._others):
            for entry in line:
                if not entry.turn.done() and self._held[entry.caller] < entry.share:
                    line.remove(entry)
                    self._take(entry.caller)
                    entry.turn.set_result(None)
                    return


def _overloaded() -> Overloaded:
    # Spread out, so that those turned away together do not come back together.
    return Overloaded(retry_after=random.randint(1, 3))
