"""What is kept for some seconds: made once, and a failure not at all."""

import asyncio
from datetime import UTC, datetime

import pytest

from gateway.kept import Kept
from praxis.kit.clock import StoppedClock


class Maker:
    def __init__(self, *outcomes: object) -> None:
        self._outcomes = iter(outcomes)

    async def __call__(self) -> object:
        await asyncio.sleep(0)
        outcome = next(self._outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(datetime(2027, 2, 1, tzinfo=UTC))


async def test_those_who_ask_together_and_soon_after_get_the_same(clock: StoppedClock):
    kept = Kept(Maker("first", "second"), clock, 5)
    assert await asyncio.gather(kept.get(), kept.get()) == ["first", "first"]
    clock.advance(seconds=4)
    assert await kept.get() == "first"
    clock.advance(seconds=1)
    assert await kept.get() == "second"


async def test_a_failure_is_told_and_not_kept(clock: StoppedClock):
    kept = Kept(Maker(ZeroDivisionError(), "well"), clock, 5)
    assert [type(told) for told in await asyncio.gather(kept.get(), kept.get(), return_exceptions=True)] == [
        ZeroDivisionError,
        ZeroDivisionError,
    ]
    assert await kept.get() == "well"


async def test_whoever_gives_up_waiting_takes_it_from_nobody(clock: StoppedClock):
    kept = Kept(Maker("first"), clock, 5)
    gone, waiting = asyncio.create_task(kept.get()), asyncio.create_task(kept.get())
    await asyncio.sleep(0)
    gone.cancel()
    assert await waiting == "first"
