"""The waiting room: a bounded number works, a bounded number waits, people before systems, and no place is ever lost."""

import asyncio
import random

import pytest

from gateway.proxy.admission import Overloaded, WaitingRoom


class Visitor:
    """A request that holds its place until it is told to go."""

    def __init__(self, room: WaitingRoom, urgent: bool = True, caller: object = None) -> None:
        self._go = asyncio.Event()
        self.works = asyncio.Event()
        self.task = asyncio.create_task(self._visit(room, urgent, caller or self))

    async def _visit(self, room: WaitingRoom, urgent: bool, caller: object) -> None:
        async with room.place(caller, urgent):
            self.works.set()
            await self._go.wait()

    async def leave(self) -> None:
        self._go.set()
        await self.task


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def visitors(room: WaitingRoom, *urgent: bool) -> list[Visitor]:
    found = []
    for each in urgent:
        found.append(Visitor(room, each))
        await settled()
    return found


async def test_places_are_given_until_they_are_gone_and_then_in_order():
    room = WaitingRoom(running=1, waiting=5, seconds=30)
    first, second, third = await visitors(room, True, True, True)
    assert [v.works.is_set() for v in (first, second, third)] == [True, False, False]
    await first.leave()
    await settled()
    assert [v.works.is_set() for v in (second, third)] == [True, False]
    await second.leave()
    await third.leave()


async def test_people_go_before_systems_that_came_earlier():
    room = WaitingRoom(running=1, waiting=5, seconds=30)
    first, system, person = await visitors(room, True, False, True)
    await first.leave()
    await settled()
    assert (system.works.is_set(), person.works.is_set()) == (False, True)
    await person.leave()
    await system.leave()


async def test_a_full_room_turns_away_who_came_last_and_a_person_takes_the_place_of_the_last_system():
    room = WaitingRoom(running=1, waiting=2, seconds=30)
    first, older, newer = await visitors(room, True, False, False)
    [late] = await visitors(room, False)
    with pytest.raises(Overloaded) as refusal:
        await late.task
    assert 1 <= (refusal.value.retry_after or 0) <= 3
    [person] = await visitors(room, True)
    with pytest.raises(Overloaded):
        await newer.task
    [second_person] = await visitors(room, True)
    with pytest.raises(Overloaded):
        await older.task
    [third_person] = await visitors(room, True)
    with pytest.raises(Overloaded):
        await third_person.task
    for visitor in (first, person, second_person):
        await visitor.leave()


async def test_who_waits_too_long_is_turned_away_and_leaves_no_trace():
    room = WaitingRoom(running=1, waiting=2, seconds=0.01)
    [first] = await visitors(room, True)
    with pytest.raises(Overloaded):
        async with room.place("a", urgent=True):
            pass
    assert room.waiting == 0
    await first.leave()
    async with room.place("b", urgent=False):
        pass


@pytest.mark.parametrize(("urgent", "share"), [(True, 4), (False, 2)])
async def test_one_caller_has_a_share_of_the_places_and_waits_for_more_while_others_pass(urgent, share):
    room = WaitingRoom(running=8, waiting=20, seconds=30)
    greedy = [Visitor(room, urgent, caller="greedy") for _ in range(share + 2)]
    await settled()
    assert [v.works.is_set() for v in greedy] == [True] * share + [False] * 2
    [other] = await visitors(room, urgent)
    assert other.works.is_set()
    await greedy[0].leave()
    await settled()
    assert [v.works.is_set() for v in greedy[share:]] == [True, False]
    for visitor in (other, *greedy[1:]):
        await visitor.leave()
    assert (room.waiting, room._free) == (0, 8)


async def test_a_place_passes_over_whoever_has_a_full_share():
    room = WaitingRoom(running=2, waiting=20, seconds=30)
    first, second = Visitor(room, True, caller="greedy"), Visitor(room, True, caller="other")
    third = Visitor(room, True, caller="greedy")
    [system] = await visitors(room, False)
    assert (third.works.is_set(), system.works.is_set()) == (False, False)
    await second.leave()
    await settled()
    assert (third.works.is_set(), system.works.is_set()) == (False, True)
    await first.leave()
    await settled()
    assert third.works.is_set()
    await third.leave()
    await system.leave()


async def test_a_place_that_fails_is_given_back():
    room = WaitingRoom(running=1, waiting=0, seconds=30)
    with pytest.raises(ZeroDivisionError):
        async with room.place("a", urgent=True):
            raise ZeroDivisionError
    async with room.place("a", urgent=True):
        pass


async def test_a_turn_that_comes_as_its_request_is_cancelled_is_handed_on():
    room = WaitingRoom(running=1, waiting=2, seconds=30)
    first, cancelled, next_one = await visitors(room, True, True, True)
    first._go.set()
    while room.waiting == 2:
        await asyncio.sleep(0)
    cancelled.task.cancel()
    await asyncio.gather(cancelled.task, return_exceptions=True)
    await settled()
    assert next_one.works.is_set()
    await next_one.leave()


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_never_more_than_the_places_work_and_all_come_free(seed):
    chance = random.Random(seed)
    room = WaitingRoom(running=3, waiting=4, seconds=30)
    inside = most = 0

    async def visit() -> None:
        nonlocal inside, most
        async with room.place(chance.randrange(6), chance.random() < 0.5):
            inside += 1
            most = max(most, inside)
            try:
                for _ in range(chance.randrange(4)):
                    await asyncio.sleep(0)
            finally:
                inside -= 1

    tasks = []
    for _ in range(200):
        tasks.append(asyncio.create_task(visit()))
        if chance.random() < 0.3:
            chance.choice(tasks).cancel()
        if chance.random() < 0.5:
            await asyncio.sleep(0)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(result) for result in results} <= {type(None), Overloaded, asyncio.CancelledError}
    assert (most, room.waiting, room._free, dict(room._held)) == (3, 0, 3, {})
