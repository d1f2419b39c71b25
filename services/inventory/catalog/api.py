"""Items and packs over HTTP."""

from uuid import UUID

from praxis.kit.http import ExpectedRevision, PageDep, SessionDep, policy, router
from praxis.kit.paging import Page
from services.inventory.catalog import commands, queries
from services.inventory.catalog.domain import ItemKind
from services.inventory.catalog.schemas import AddItem, AddPack, ChangeItem, ItemOut, PackOut

routes = router("items")


@routes.post("/v1/items", status_code=201, **policy("inventory.items.add", "inventory.item:write"))
async def add(body: AddItem, session: SessionDep) -> ItemOut:
    """Add an item to the catalogue."""
    return ItemOut.model_validate(await commands.add_item(session, body))


@routes.get("/v1/items", **policy("inventory.items.list", "inventory.item:read"))
async def find(session: SessionDep, page: PageDep, kind: ItemKind | None = None) -> Page[ItemOut]:
    """List items by SKU."""
    rows = await queries.item_page(session, kind, page.after, page.limit)
    return page.page(rows, ItemOut, lambda row: (row.sku,))


@routes.get("/v1/items/{item_id}", **policy("inventory.items.get", "inventory.item:read"))
async def get(item_id: UUID, session: SessionDep) -> ItemOut:
    """Return one item."""
    row = await queries.item(session, item_id)
    session.touch("item", row.id, row.revision)
    return ItemOut.model_validate(row)


@routes.put("/v1/items/{item_id}", **policy("inventory.items.change", "inventory.item:write"))
async def change(item_id: UUID, body: ChangeItem, session: SessionDep, expected: ExpectedRevision) -> ItemOut:
    """Replace what may change of an item."""
    return ItemOut.model_validate(await commands.change_item(session, item_id, body, expected))


@routes.post("/v1/items/{item_id}/packs", status_code=201, **policy("inventory.item-packs.add", "inventory.item:write"))
async def add_pack(item_id: UUID, body: AddPack, session: SessionDep) -> PackOut:
    """Add a pack in which the item comes."""
    return PackOut.model_validate(await commands.add_pack(session, item_id, body))


@routes.get("/v1/items/{item_id}/packs", **policy("inventory.item-packs.list", "inventory.item:read"))
async def find_packs(item_id: UUID, session: SessionDep, page: PageDep) -> Page[PackOut]:
    """List the packs of an item by name."""
    await queries.item(session, item_id)
    rows = await queries.packs(session, item_id, page.after, page.limit)
    return page.page(rows, PackOut, lambda row: (row.name,))
