"""Changing items and packs."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, update

from praxis.kit.http import require_revision
from praxis.kit.ids import new_id
from praxis.kit.unit_of_work import Session
from services.inventory.catalog import queries
from services.inventory.catalog.domain import gtin_14, require_traceable
from services.inventory.catalog.models import Item, ItemPack
from services.inventory.catalog.schemas import AddItem, AddPack, ChangeItem


async def add_item(session: Session, body: AddItem) -> Row[Any]:
    """Add an item; raises SkuTaken, GtinTaken, and Invalid for a wrong GTIN or an untracked drug."""
    require_traceable(body.kind, body.tracking)
    item_id = new_id()
    own = {"id": item_id, "revision": 1, "status": "active", "changed_at": session.now, "gtin": gtin_14(body.gtin)}
    await session.execute(insert(Item).values({**body.model_dump(), **own}))
    return await _shown(session, item_id)


async def change_item(session: Session, item_id: UUID, body: ChangeItem, expected: int | None) -> Row[Any]:
    """Replace what may change of an item; raises ItemUnknown, Stale, GtinTaken and Invalid for a wrong GTIN."""
    row = await queries.item(session, item_id, lock=True)
    require_revision(row.revision, expected)
    own = {"revision": row.revision + 1, "changed_at": session.now, "gtin": gtin_14(body.gtin)}
    await session.execute(update(Item).where(Item.id == item_id).values({**body.model_dump(), **own}))
    return await _shown(session, item_id)


async def add_pack(session: Session, item_id: UUID, body: AddPack) -> Row[Any]:
    """Add a pack to an item; raises ItemUnknown, PackNameTaken, GtinTaken and Invalid for a wrong GTIN."""
    await queries.item(session, item_id)
    pack_id = new_id()
    values = {**body.model_dump(), "id": pack_id, "item_id": item_id, "gtin": gtin_14(body.gtin)}
    await session.execute(insert(ItemPack).values(values))
    session.touch("item-pack", pack_id)
    return await queries.pack(session, pack_id)


async def _shown(session: Session, item_id: UUID) -> Row[Any]:
    row = await queries.item(session, item_id)
    session.touch("item", row.id, row.revision)
    return row
