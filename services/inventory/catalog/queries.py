"""Reading items and packs."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select

from praxis.kit.locks import sorted_ids
from praxis.kit.unit_of_work import Session
from services.inventory.catalog.domain import ItemUnknown
from services.inventory.catalog.models import Item, ItemPack

_COLUMNS = tuple(column for column in Item.__table__.columns if column.name not in ("practice_id", "changed_at"))
_PACK_COLUMNS = tuple(column for column in ItemPack.__table__.columns if column.name != "practice_id")


async def item(session: Session, item_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one item, locked for change when asked; raises ItemUnknown."""
    statement: Select[Any] = select(*_COLUMNS).where(Item.id == item_id)
    row = await session.one_or_none(statement.with_for_update(key_share=True) if lock else statement)
    if row is None:
        raise ItemUnknown
    return row


async def items(session: Session, item_ids: Iterable[UUID], lock: bool = False) -> dict[UUID, Row[Any]]:
    """Return the known ones of these items by id, locked against another change in id order when asked."""
    statement: Select[Any] = select(*_COLUMNS).where(Item.id.in_(sorted_ids(item_ids))).order_by(Item.id)
    rows = await session.all(statement.with_for_update(key_share=True) if lock else statement)
    return {row.id: row for row in rows}


async def item_page(
    session: Session, kind: str | None, after: tuple[str | int, ...] | None, limit: int
) -> list[Row[Any]]:
    """Return items by SKU, `limit` + 1 at most."""
    statement: Select[Any] = select(*_COLUMNS).order_by(Item.sku).limit(limit + 1)
    if kind:
        statement = statement.where(Item.kind == kind)
    if after:
        statement = statement.where(Item.sku > after[0])
    return await session.all(statement)


async def packs(session: Session, item_id: UUID, after: tuple[str | int, ...] | None, limit: int) -> list[Row[Any]]:
    """Return the packs of an item by name, `limit` + 1 at most."""
    statement: Select[Any] = select(*_PACK_COLUMNS).where(ItemPack.item_id == item_id).order_by(ItemPack.name)
    if after:
        statement = statement.where(ItemPack.name > after[0])
    return await session.all(statement.limit(limit + 1))


async def pack(session: Session, pack_id: UUID) -> Row[Any]:
    """Return one pack that is known to exist."""
    return await session.one(select(*_PACK_COLUMNS).where(ItemPack.id == pack_id))
