"""How many requests one upstream works on at once, and who waits: staff before other systems, each for a bounded time."""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import AsyncIterator

from praxis.kit.problems import Unavailable


class Overloaded(Unavailable):
    """503: the part works on as much as it can and its waiting room is full, or the wait was over."""

    code = "overloaded"
    title = "Too much is asked of this part just now"


class WaitingRoom:
    """`running` places to work and `waiting` to wait in line, for two classes of requests.

    A place given back goes to the longest waiting urgent request, then to the longest waiting other one. An urgent request that
    finds the line full takes the place of the other request that came last.
    """

    def __init__(self, running: int, waiting: int, seconds: float) -> None:
        self._free = running
        self._most_waiting = waiting
        self._seconds = seconds
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """Return how many wait in line."""
        return len(self._urgent) + len(self._others)

    @contextlib.asynccontextmanager
    async def place(self, urgent: bool) -> AsyncIterator[None]:
        """Hold a place to work while the block runs; raises Overloaded."""
        await self._enter(urgent)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, urgent: bool) -> None:
        if self._free:
            self._free -= 1
            return
        line = self._urgent if urgent else self._others
        self._make_room(urgent)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            async with asyncio.timeout(self._seconds):
                await turn
        except BaseException as error:
            self._give_up(turn, line)
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
        if not last.done():
            last.set_exception(_overloaded())

    def _give_up(self, turn: asyncio.Future[None], line: deque[asyncio.Future[None]]) -> None:
        with contextlib.suppress(ValueError):
            line.remove(turn)
        # The turn may have come in the same moment as the end of the wait: then the place is handed on, not lost.
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            self._leave()

    def _leave(self) -> None:
        for line in (self._urgent, self._others):
            while line:
                turn = line.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1


def _overloaded() -> Overloaded:
    # Spread out, so that those turned away together do not come back together.
    return Overloaded(retry_after=random.randint(1, 3))
