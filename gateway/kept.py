"""Answers that cost much and are the same for everybody: made once, kept for some seconds."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from praxis.kit.clock import Clock

T = TypeVar("T")


class Kept(Generic[T]):
    """What `make` returned, kept for `seconds` after it was asked for; those who come meanwhile wait for the same one.

    A failure is told to all who wait for it and is not kept.
    """

    def __init__(self, make: Callable[[], Coroutine[Any, Any, T]], clock: Clock, seconds: float) -> None:
        self._make = make
        self._clock = clock
        self._lasts = timedelta(seconds=seconds)
        self._made: tuple[datetime, asyncio.Task[T]] | None = None

    async def get(self) -> T:
        """Return the kept answer, or a new one."""
        now = self._clock.now()
        if self._made is None or not self._holds(*self._made, now):
            self._made = (now, asyncio.create_task(self._make()))
        return await asyncio.shield(self._made[1])

    def _holds(self, asked_at: datetime, task: asyncio.Task[T], now: datetime) -> bool:
        if not task.done():
            return True
        failed = task.cancelled() or task.exception() is not None
        return not failed and timedelta(0) <= now - asked_at < self._lasts
