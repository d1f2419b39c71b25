"""Places, lots and stock over HTTP."""

from uuid import UUID

from praxis.kit.http import ExpectedRevision, Nothing, PageDep, SessionDep, policy, router
from praxis.kit.paging import Page
from services.inventory.catalog.queries import item
from services.inventory.stock import commands, queries
from services.inventory.stock.domain import summary
from services.inventory.stock.schemas import (
    AddPlace,
    AdjustmentOut,
    AdjustStock,
    IssueOut,
    IssueStock,
    LotOut,
    MovementOut,
    PlaceOut,
    ReceiptOut,
    ReceiveStock,
    StockLineOut,
    StockSummaryOut,
)

routes = router("stock")


@routes.post("/v1/places", status_code=201, **policy("inventory.places.add", "inventory.item:write"))
async def add_place(body: AddPlace, session: SessionDep) -> PlaceOut:
    """Add a place where stock lies."""
    return PlaceOut.model_validate(await commands.add_place(session, body))


@routes.get("/v1/places", **policy("inventory.places.list", "inventory.stock:read"))
async def find_places(session: SessionDep, page: PageDep, location_id: UUID | None = None) -> Page[PlaceOut]:
    """List places by location and name."""
    rows = await queries.place_page(session, location_id, page.after, page.limit)
    return page.page(rows, PlaceOut, lambda row: (str(row.location_id), row.name, str(row.id)))


@routes.get("/v1/places/{place_id}", **policy("inventory.places.get", "inventory.stock:read"))
async def get_place(place_id: UUID, session: SessionDep) -> PlaceOut:
    """Return one place."""
    return PlaceOut.model_validate(await queries.place(session, place_id))


@routes.get("/v1/lots/{lot_id}", **policy("inventory.lots.get", "inventory.stock:read"))
async def get_lot(lot_id: UUID, session: SessionDep) -> LotOut:
    """Return one lot."""
    row = await queries.lot(session, lot_id)
    session.touch("lot", row.id, row.revision)
    return LotOut.model_validate(row)


@routes.post("/v1/lots/{lot_id}/hold", **policy("inventory.lots.hold", "inventory.stock:write"))
async def hold(lot_id: UUID, body: Nothing, session: SessionDep, expected: ExpectedRevision) -> LotOut:
    """Keep a lot from being used until it is released."""
    return LotOut.model_validate(await commands.hold_lot(session, lot_id, expected))


@routes.post("/v1/lots/{lot_id}/release", **policy("inventory.lots.release", "inventory.stock:write"))
async def release(lot_id: UUID, body: Nothing, session: SessionDep, expected: ExpectedRevision) -> LotOut:
    """Allow a held lot to be used again."""
    return LotOut.model_validate(await commands.release_lot(session, lot_id, expected))


@routes.post(
    "/v1/receipts", status_code=201, **policy("inventory.receipts.post", "inventory.stock:write", key="required")
)
async def receive(body: ReceiveStock, session: SessionDep) -> ReceiptOut:
    """Post a delivery."""
    return await commands.receive_stock(session, body)


@routes.post(
    "/v1/adjustments", status_code=201, **policy("inventory.adjustments.post", "inventory.stock:write", key="required")
)
async def adjust(body: AdjustStock, session: SessionDep) -> AdjustmentOut:
    """Correct the units of a lot in a place."""
    return await commands.adjust_stock(session, body)


@routes.post("/v1/issues", status_code=201, **policy("inventory.issues.post", "inventory.stock:write", key="required"))
async def issue(body: IssueStock, session: SessionDep) -> IssueOut:
    """Take units off the shelf for use, first expired first."""
    return await commands.issue_stock(session, body)


@routes.get("/v1/stock", **policy("inventory.stock.list", "inventory.stock:read"))
async def find_stock(
    session: SessionDep, page: PageDep, item_id: UUID | None = None, place_id: UUID | None = None
) -> Page[StockLineOut]:
    """List what is on hand per lot and place, per item first expired first."""
    rows = await queries.stock_page(session, item_id, place_id, page.after, page.limit)
    return page.page(rows, StockLineOut, queries.stock_key)


@routes.get("/v1/stock/{item_id}", **policy("inventory.stock.get", "inventory.stock:read"))
async def get_stock(item_id: UUID, session: SessionDep) -> StockSummaryOut:
    """Return how much of an item is on hand, usable, expired and held."""
    await item(session, item_id)
    today = await queries.practice_day(session, session.now)
    holdings = [tuple(row) for row in await queries.item_holdings(session, item_id)]
    return StockSummaryOut(item_id=item_id, **summary(holdings, today))


@routes.get("/v1/movements", **policy("inventory.movements.list", "inventory.stock:read"))
async def find_movements(
    session: SessionDep, page: PageDep, item_id: UUID | None = None, lot_id: UUID | None = None
) -> Page[MovementOut]:
    """List movements, the newest first."""
    rows = await queries.movements(session, item_id, lot_id, page.after, page.limit)
    return page.page(rows, MovementOut, lambda row: (str(row.id),))
