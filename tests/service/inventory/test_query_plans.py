"""Hot queries use their index under row-level security: EXPLAIN as the app role on a practice with some thousand lots."""

from datetime import date
from uuid import UUID

import pytest_asyncio

from praxis.kit.testing import Harness
from services.inventory.stock.queries import locked_holdings, stock_page
from tests.support.inventory import Shelf, open_shelf
from tests.support.plans import Asked, analyze, conditions, copy_rows
from tests.support.servers import Servers

EACH_OF_MANY_LOTS = "items i, generate_series(1, 40) n where i.id <> it.item_id"
EACH_LOT_ONCE = "lots l where l.id <> it.lot_id"


@pytest_asyncio.fixture(scope="module", loop_scope="session", name="shelf")
async def full_shelf(inventory: Harness, servers: Servers) -> Shelf:
    shelf = await open_shelf(await inventory.practice())
    await shelf.receive(await shelf.item(), 5)
    await copy_rows(shelf.practice, "items", "generate_series(1, 60) n", id="gen_random_uuid()", sku="'S-' || n")
    await copy_rows(
        shelf.practice, "lots", EACH_OF_MANY_LOTS,
        id="gen_random_uuid()", item_id="i.id", lot_code="'L' || n", expires_on="it.expires_on + n",
    )  # fmt: skip
    await copy_rows(
        shelf.practice, "movements", EACH_LOT_ONCE,
        id="gen_random_uuid()", document_id="gen_random_uuid()", item_id="l.item_id", lot_id="l.id",
    )  # fmt: skip
    await analyze(servers, "inventory")
    return shelf


async def test_the_lots_to_take_from_are_found_and_locked_without_reading_others(shelf: Shelf):
    asked = Asked()
    [row] = await shelf.practice.sql("select id, item_id from lots where lot_code = 'A1'")
    await locked_holdings(asked.session, [row["item_id"]], [UUID(shelf.place_id)], date(2027, 2, 1), [row["id"]])
    candidates, lots, balances = [await conditions(shelf.practice, question) for question in asked.statements]
    assert "item_id = ANY" in candidates[0]
    assert "item_id" not in candidates[1]
    assert "(id = ANY" in lots[0]
    assert lots[1].strip("; ") == ""
    assert "lot_id = ANY" in balances[0]
    assert "lot_id" not in balances[1]


async def test_the_stock_of_an_item_is_listed_without_reading_that_of_others(shelf: Shelf):
    asked = Asked()
    [row] = await shelf.practice.sql("select item_id from lots where lot_code = 'A1'")
    await stock_page(asked.session, row["item_id"], None, None, 50)
    index, rest = await conditions(shelf.practice, asked.statements[0])
    assert "item_id =" in index
    assert "item_id" not in rest
