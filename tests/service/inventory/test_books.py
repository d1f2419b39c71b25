"""What the database refuses whoever asks: written balances, changed movements, too much taken back, unusable lots used."""

from typing import Any

import asyncpg
import pytest

from praxis.kit.ids import new_id
from praxis.kit.testing import Harness
from tests.support.inventory import Shelf, drift, open_shelf

MOVE = """
insert into movements (id, item_id, lot_id, quantity, source, source_place_id, target, target_place_id, reason,
                       occurred_at, recorded_at, document, document_id, document_revision, line, reverses)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'by-hand', $9, $9, 'issue', $10, 1, 1, $11)
"""


@pytest.fixture
async def shelf(inventory: Harness) -> Shelf:
    return await open_shelf(await inventory.practice())


async def move(shelf: Shelf, item: str, lot: str, quantity: int, **sides: Any) -> Any:
    """Add a movement by SQL as the app role, from the shelf to use unless told otherwise; return its id."""
    movement_id = new_id()
    side = {"source": "place", "source_place_id": shelf.place_id, "target": "used", "target_place_id": None, **sides}
    at = sides.get("at", shelf.practice.clock.now())
    await shelf.practice.sql(
        MOVE, movement_id, item, lot, quantity, side["source"], side["source_place_id"], side["target"],
        side["target_place_id"], at, new_id(), sides.get("reverses"),
    )  # fmt: skip
    return movement_id


async def back(shelf: Shelf, item: str, lot: str, quantity: int, original: Any) -> Any:
    """Take a use back to the shelf by SQL."""
    sides = {"source": "used", "source_place_id": None, "target": "place", "target_place_id": shelf.place_id}
    return await move(shelf, item, lot, quantity, **sides, reverses=original)


@pytest.mark.parametrize(
    "statement",
    [
        "update balances set on_hand = 1000",
        "insert into balances select practice_id, lot_id, gen_random_uuid(), item_id, 5 from balances",
        "delete from balances",
        "update reversals set reversed = 1",
        "delete from reversals",
        "update movements set quantity = 1",
        "delete from movements",
        "truncate movements",
        "alter table movements disable trigger movements_post",
        "update lots set expires_on = null",
        "update lots set unit_cost_micros = 0",
        "select require_usable(practice_id, lot_id, place_id, '2027-01-01') from balances",
    ],
)
async def test_the_app_role_cannot_write_the_books(shelf: Shelf, statement):
    await shelf.receive(await shelf.item(), 5)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await shelf.practice.sql(statement)
    assert list((await shelf.on_hand()).values()) == [5]


async def test_a_movement_by_sql_is_carried_to_the_balance_and_never_below_zero(shelf: Shelf):
    item = await shelf.item()
    lot = await shelf.receive(item, 5)
    await move(shelf, item, lot, 2)
    with pytest.raises(asyncpg.CheckViolationError, match="balances_not_negative"):
        await move(shelf, item, lot, 4)
    with pytest.raises(asyncpg.CheckViolationError, match="balances_not_negative"):
        await move(shelf, item, lot, 1, source_place_id=await shelf.place("Empty"))
    assert await shelf.on_hand() == {(lot, shelf.place_id): 3}
    assert await drift(shelf.practice) == []


async def test_a_use_is_taken_back_in_parts_up_to_the_whole(shelf: Shelf):
    item = await shelf.item()
    lot = await shelf.receive(item, 5)
    used = await move(shelf, item, lot, 4)
    await back(shelf, item, lot, 3, used)
    with pytest.raises(asyncpg.CheckViolationError, match="reversals_at_most_original"):
        await back(shelf, item, lot, 2, used)
    await back(shelf, item, lot, 1, used)
    assert await shelf.on_hand() == {(lot, shelf.place_id): 5}
    assert await drift(shelf.practice) == []


async def test_more_than_the_whole_is_not_taken_back_at_once(shelf: Shelf):
    item = await shelf.item()
    lot = await shelf.receive(item, 5)
    used = await move(shelf, item, lot, 1)
    with pytest.raises(asyncpg.CheckViolationError, match="reversals_at_most_original"):
        await back(shelf, item, lot, 2, used)


async def test_a_reversal_takes_back_the_same_lot_from_where_it_went(shelf: Shelf):
    item = await shelf.item()
    lot, other = await shelf.receive(item, 5, "A1"), await shelf.receive(item, 5, "B1")
    used = await move(shelf, item, lot, 1)
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="movements_reverses"):
        await back(shelf, item, other, 1, used)
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="movements_reverses"):
        await move(shelf, item, lot, 1, reverses=used)


async def test_a_held_expired_or_quarantined_lot_is_not_used_even_by_sql(shelf: Shelf):
    item = await shelf.item()
    cage = await shelf.place("Cage", kind="quarantine")
    held, expired = await shelf.receive(item, 5, "H"), await shelf.receive(item, 5, "E", expires_on="2027-02-01")
    caged = await shelf.receive(item, 5, "C", place_id=cage)
    await shelf.practice.post(f"/v1/lots/{held}/hold")
    await move(shelf, item, expired, 1)
    shelf.practice.clock.advance(hours=15)
    for lot, place in ((held, shelf.place_id), (expired, shelf.place_id), (caged, cage)):
        with pytest.raises(asyncpg.CheckViolationError):
            await move(shelf, item, lot, 1, source_place_id=place)
        await move(shelf, item, lot, 1, source_place_id=place, target="waste")
    assert await drift(shelf.practice) == []


async def test_a_movement_needs_a_place_on_one_side_and_none_from_another_practice(inventory: Harness):
    here, there = await open_shelf(await inventory.practice()), await open_shelf(await inventory.practice())
    item = await here.item()
    lot = await here.receive(item, 5)
    with pytest.raises(asyncpg.CheckViolationError, match="movements_both_virtual"):
        await move(here, item, lot, 1, source="supplier", source_place_id=None)
    with pytest.raises(asyncpg.CheckViolationError, match="movements_nowhere"):
        await move(here, item, lot, 1, target="place", target_place_id=here.place_id)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await move(here, item, lot, 1, target="place", target_place_id=there.place_id)
    with pytest.raises(asyncpg.PostgresError):
        await move(there, item, lot, 1)
    assert await here.on_hand() == {(lot, here.place_id): 5}


async def test_one_effect_is_posted_once(shelf: Shelf):
    item = await shelf.item()
    lot = await shelf.receive(item, 5)
    again = (
        MOVE.replace("$10", "(select document_id from movements)").replace("'issue'", "'receipt'").replace("$11", "$10")
    )
    with pytest.raises(asyncpg.UniqueViolationError, match="movements_effect"):
        await shelf.practice.sql(
            again, new_id(), item, lot, 1, "place", shelf.place_id, "waste", None, shelf.practice.clock.now(), None
        )
