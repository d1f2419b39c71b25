"""Many hands on one shelf: nothing is given twice, refused falsely, taken out of order or left hanging."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable

import httpx
import pytest

from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from tests.support.inventory import Shelf, drift, open_shelf

CLIENTS = 8


@pytest.fixture
async def shelf(inventory: Harness) -> Shelf:
    return await open_shelf(await inventory.practice())


async def at_once(requests: Iterable[Awaitable[httpx.Response]]) -> list[httpx.Response]:
    """Send all requests, from so many clients that most wait for another."""
    turn = asyncio.Semaphore(CLIENTS)

    async def send(request: Awaitable[httpx.Response]) -> httpx.Response:
        async with turn:
            return await request

    return await asyncio.gather(*map(send, requests))


async def no_deadlock(shelf: Shelf) -> None:
    """Assert that PostgreSQL never had to break a ring of waiting transactions, here or in an earlier test."""
    [counted] = await shelf.practice.sql("select deadlocks from pg_stat_database where datname = current_database()")
    assert counted["deadlocks"] == 0


async def test_500_units_serve_exactly_500_of_800_attempts(shelf: Shelf):
    item = await shelf.item()
    await shelf.receive(item, 500)
    replies = await at_once([shelf.issue(item) for _ in range(800)])
    assert Counter(reply.status_code for reply in replies) == {201: 500, 409: 300}
    assert {reply.json()["code"] for reply in replies if reply.status_code == 409} == {"not-enough-stock"}
    assert await shelf.on_hand() == {}
    [books] = await shelf.practice.sql(
        "select sum(quantity) filter (where source = 'place') as gone, sum(quantity) filter (where target = 'place') as come "
        "from movements"
    )
    assert (books["come"], books["gone"]) == (500, 500)
    assert await drift(shelf.practice) == []


async def test_no_later_lot_is_taken_while_an_earlier_one_has_stock(shelf: Shelf):
    item = await shelf.item()
    lots = [await shelf.receive(item, 10, f"L{n}", expires_on=f"2027-0{n}-28") for n in (6, 3, 5, 4, 7)]
    earliest_first = [lots[place] for place in (1, 3, 2, 0, 4)]
    replies = await at_once([shelf.issue(item) for _ in range(80)])
    assert Counter(reply.status_code for reply in replies) == {201: 50, 409: 30}
    # Ids are made under the lock of the lot that gives, ascending in one process: their order is the order of giving.
    rows = await shelf.practice.sql("select lot_id from movements where target = 'used' order by id")
    taken = [str(row["lot_id"]) for row in rows]
    assert taken == [lot for lot in earliest_first for _ in range(10)]
    assert await drift(shelf.practice) == []


async def test_orders_of_two_items_in_either_order_never_deadlock(shelf: Shelf):
    first, second = await shelf.item("A"), await shelf.item("B")
    for item in (first, second):
        for lot in ("X", "Y"):
            await shelf.receive(item, 70, lot)
    forward = [shelf.issue_lines((first, 1), (second, 1)) for _ in range(80)]
    backward = [shelf.issue_lines((second, 1), (first, 1)) for _ in range(80)]
    replies = await at_once([request for pair in zip(forward, backward, strict=True) for request in pair])
    assert Counter(reply.status_code for reply in replies) == {201: 140, 409: 20}
    assert {reply.json()["code"] for reply in replies if reply.status_code == 409} == {"not-enough-stock"}
    await no_deadlock(shelf)
    assert await drift(shelf.practice) == []


async def test_deliveries_and_issues_of_the_same_lots_never_deadlock(shelf: Shelf):
    items = sorted([await shelf.item(f"ITEM-{number}") for number in range(20)])
    for item in items:
        await shelf.receive(item, 100, "X")
    backward = [{"item_id": item, "quantity": 1, "lot_code": code} for item in reversed(items) for code in ("X", "NEW")]
    receipts = [shelf.try_receive(*(reversed(backward) if number == 0 else backward)) for number in range(12)]
    issues = [shelf.issue_lines(*((item, 1) for item in items)) for _ in range(24)]
    orders = zip(receipts, issues[::2], issues[1::2], strict=True)
    replies = await at_once([request for three in orders for request in three])
    assert Counter(reply.status_code for reply in replies) == {201: 36}
    assert sum((await shelf.on_hand()).values()) == 20 * (100 + 2 * 12 - 24)
    [lots] = await shelf.practice.sql("select count(*) from lots")
    assert lots["count"] == 40
    await no_deadlock(shelf)
    assert await drift(shelf.practice) == []


async def test_the_last_unit_goes_to_one_of_many(shelf: Shelf):
    item = await shelf.item()
    await shelf.receive(item, 1)
    replies = await at_once([shelf.issue(item) for _ in range(64)])
    assert Counter(reply.status_code for reply in replies) == {201: 1, 409: 63}
    assert await shelf.on_hand() == {}


async def test_one_key_sent_50_times_moves_once_and_answers_alike(shelf: Shelf):
    item = await shelf.item()
    lot = await shelf.receive(item, 50)
    key = str(new_id())
    replies = await at_once([shelf.issue(item, 2, key=key) for _ in range(50)])
    assert {(reply.status_code, reply.content) for reply in replies} == {(201, replies[0].content)}
    assert await shelf.on_hand() == {(lot, shelf.place_id): 48}
    assert (await shelf.issue(item, 3, key=key)).json()["code"] == "idempotency-key-reused"


async def test_a_hold_decided_meanwhile_stops_every_later_issue(shelf: Shelf):
    item = await shelf.item()
    lot = await shelf.receive(item, 100)
    hold = shelf.practice.post(f"/v1/lots/{lot}/hold")
    replies = await at_once([*(shelf.issue(item) for _ in range(20)), hold, *(shelf.issue(item) for _ in range(40))])
    granted = Counter(reply.status_code for reply in replies)
    assert set(granted) == {200, 201, 409}
    assert await shelf.on_hand() == {(lot, shelf.place_id): 100 - granted[201]}
    assert (await shelf.issue(item)).json()["usable"] == 0
