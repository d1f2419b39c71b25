"""Reading places, lots, balances and movements, and locking lots in their one order."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Row, Select, Uuid, and_, any_, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from praxis.kit.clock import local_date
from praxis.kit.locks import sorted_ids
from praxis.kit.practices import practice_time_zone
from praxis.kit.unit_of_work import Session
from services.inventory.stock.domain import (
    QUARANTINE,
    Holding,
    LotUnknown,
    PlaceUnknown,
    is_usable,
)
from services.inventory.stock.models import Balance, Lot, Movement, Place, Reversal

After = tuple[str | int, ...] | None

NO_EXPIRY = date(9999, 12, 31)

_PLACE_COLUMNS = tuple(column for column in Place.__table__.columns if column.name != "practice_id")
_LOT_COLUMNS = tuple(column for column in Lot.__table__.columns if column.name not in ("practice_id", "changed_at"))
_MOVEMENT_COLUMNS = tuple(
    column for column in Movement.__table__.columns if column.name not in ("practice_id", "line", "document_revision")
)
_FEFO = (Lot.item_id, Lot.expires_on.asc().nulls_last(), Lot.received_at, Lot.id)


async def practice_day(session: Session, at: datetime) -> date:
    """Return the calendar day it is in the practice at this instant; expiry dates are judged by it."""
    return local_date(at, await practice_time_zone(session))


async def place(session: Session, place_id: UUID) -> Row[Any]:
    """Return one place; raises PlaceUnknown."""
    row = await session.one_or_none(select(*_PLACE_COLUMNS).where(Place.id == place_id))
    if row is None:
        raise PlaceUnknown
    return row


async def places(session: Session, place_ids: Iterable[UUID]) -> dict[UUID, Row[Any]]:
    """Return the known ones of these places by id."""
    rows = await session.all(select(*_PLACE_COLUMNS).where(Place.id.in_(sorted_ids(place_ids))))
    return {row.id: row for row in rows}


async def place_page(session: Session, location_id: UUID | None, after: After, limit: int) -> list[Row[Any]]:
    """Return places by location, name and id, `limit` + 1 at most."""
    order = (Place.location_id, Place.name, Place.id)
    statement: Select[Any] = select(*_PLACE_COLUMNS).order_by(*order).limit(limit + 1)
    if location_id:
        statement = statement.where(Place.location_id == location_id)
    if after:
        values = (UUID(str(after[0])), after[1], UUID(str(after[2])))
        statement = statement.where(tuple_(*order) > tuple_(*values))
    return await session.all(statement)


async def stock_places(session: Session, location_id: UUID) -> list[UUID]:
    """Return the places of a location from which stock may be used."""
    return await session.scalars(select(Place.id).where(Place.location_id == location_id, Place.kind == "stock"))


async def quarantine_places(session: Session, location_id: UUID) -> list[UUID]:
    """Return the quarantine places of a location by id."""
    found = select(Place.id).where(Place.location_id == location_id, Place.kind == QUARANTINE)
    return await session.scalars(found.order_by(Place.id))


async def lot(session: Session, lot_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one lot, locked when asked; raises LotUnknown."""
    statement: Select[Any] = select(*_LOT_COLUMNS).where(Lot.id == lot_id)
    row = await session.one_or_none(statement.with_for_update(key_share=True) if lock else statement)
    if row is None:
        raise LotUnknown
    return row


async def lots(session: Session, lot_ids: Iterable[UUID]) -> dict[UUID, Row[Any]]:
    """Return the known ones of these lots by id."""
    rows = await session.all(select(*_LOT_COLUMNS).where(Lot.id.in_(sorted_ids(lot_ids))))
    return {row.id: row for row in rows}


async def lots_coded(session: Session, item_ids: Collection[UUID], codes: Collection[str]) -> list[Row[Any]]:
    """Return the lots of these items with one of these codes."""
    return await session.all(select(*_LOT_COLUMNS).where(Lot.item_id.in_(item_ids), Lot.lot_code.in_(codes)))


async def lock_lots(session: Session, lot_ids: Collection[UUID]) -> list[Row[Any]]:
    """Lock lots by item, then first expired first, which is the one order for all; return them in it.

    Skipping locked rows instead would refuse what is there and take later lots before earlier ones.
    """
    # Weaker than FOR UPDATE: it stands against itself, but not against the foreign key checks of other movements.
    statement: Select[Any] = select(*_LOT_COLUMNS).where(_among(Lot.id, lot_ids)).order_by(*_FEFO)
    return await session.all(statement.with_for_update(key_share=True))


async def locked_holdings(
    session: Session, item_ids: Collection[UUID], place_ids: Collection[UUID], today: date, also: Collection[UUID] = ()
) -> dict[UUID, list[Holding]]:
    """Lock the lots of these items that lie in these places, and the lots `also`; return item -> what is usable on `today`.

    Balances are read again after the wait for the locks, and only of the lots that were locked: one that came in meanwhile
    belongs to the next request. No statement joins, so that no plan depends on how many rows PostgreSQL believes there are.
    """
    there = and_(_among(Balance.place_id, place_ids), Balance.on_hand > 0)
    held = await session.scalars(select(Balance.lot_id).where(_among(Balance.item_id, item_ids), there).distinct())
    locked = await lock_lots(session, [*held, *also])
    usable = {row.id: row for row in locked if row.item_id in item_ids and is_usable(row.status, row.expires_on, today)}
    columns = (Balance.lot_id, Balance.place_id, Balance.on_hand)
    found: dict[UUID, list[Holding]] = defaultdict(list)
    for row in await session.all(select(*columns).where(_among(Balance.lot_id, usable), there)):
        lot = usable[row.lot_id]
        holding = Holding(lot.item_id, lot.id, row.place_id, lot.expires_on, lot.received_at, row.on_hand)
        found[lot.item_id].append(holding)
    return found


def _among(column: InstrumentedAttribute[UUID], ids: Iterable[UUID]) -> ColumnElement[bool]:
    # One array parameter: the statement keeps its text, and its plan, whatever the number of ids.
    return column == any_(literal(list(ids), ARRAY(Uuid)))


def _balances(*columns: Any) -> Select[Any]:
    return select(*columns).join(Lot, and_(Lot.practice_id == Balance.practice_id, Lot.id == Balance.lot_id))


async def on_hand(session: Session, place_id: UUID, *, item_id: UUID | None = None, lot_id: UUID | None = None) -> int:
    """Return the units of an item or of a lot in a place, usable or not."""
    statement = select(func.coalesce(func.sum(Balance.on_hand), 0)).where(Balance.place_id == place_id)
    if item_id:
        statement = statement.where(Balance.item_id == item_id)
    if lot_id:
        statement = statement.where(Balance.lot_id == lot_id)
    return int(await session.scalar(statement))


async def stock_page(
    session: Session, item_id: UUID | None, place_id: UUID | None, after: After, limit: int
) -> list[Row[Any]]:
    """Return what is on hand by item, then first expired first, then place; `limit` + 1 rows at most."""
    expiry = func.coalesce(Lot.expires_on, literal(NO_EXPIRY))
    order = (Balance.item_id, expiry, Lot.received_at, Balance.lot_id, Balance.place_id)
    columns = (Lot.lot_code, Lot.expires_on, Lot.received_at, Lot.status, Lot.unit_cost_micros)
    statement = _balances(Balance.item_id, Balance.lot_id, Balance.place_id, Balance.on_hand, *columns)
    statement = statement.where(Balance.on_hand > 0).order_by(*order).limit(limit + 1)
    if item_id:
        statement = statement.where(Balance.item_id == item_id)
    if place_id:
        statement = statement.where(Balance.place_id == place_id)
    if after:
        statement = statement.where(tuple_(*order) > tuple_(*_stock_place(after)))
    return await session.all(statement)


def stock_key(row: Row[Any]) -> tuple[str, ...]:
    """Return the sort values of a row of `stock_page`."""
    expiry = row.expires_on or NO_EXPIRY
    return str(row.item_id), expiry.isoformat(), row.received_at.isoformat(), str(row.lot_id), str(row.place_id)


def _stock_place(after: tuple[str | int, ...]) -> tuple[Any, ...]:
    item_id, expiry, received, lot_id, place_id = map(str, after)
    return UUID(item_id), date.fromisoformat(expiry), datetime.fromisoformat(received), UUID(lot_id), UUID(place_id)


async def item_holdings(session: Session, item_id: UUID) -> list[Row[Any]]:
    """Return every balance of an item above zero with its lot's status and expiry and its place's kind."""
    statement = _balances(Balance.on_hand, Lot.status, Lot.expires_on, Place.kind).where(Balance.item_id == item_id)
    same_place = and_(Place.practice_id == Balance.practice_id, Place.id == Balance.place_id)
    return await session.all(statement.join(Place, same_place).where(Balance.on_hand > 0))


async def movements(
    session: Session, item_id: UUID | None, lot_id: UUID | None, after: After, limit: int
) -> list[Row[Any]]:
    """Return movements, the newest first, `limit` + 1 at most."""
    statement: Select[Any] = select(*_MOVEMENT_COLUMNS).order_by(Movement.id.desc()).limit(limit + 1)
    if item_id:
        statement = statement.where(Movement.item_id == item_id)
    if lot_id:
        statement = statement.where(Movement.lot_id == lot_id)
    if after:
        statement = statement.where(Movement.id < UUID(str(after[0])))
    return await session.all(statement)


async def unreversed_uses(session: Session, document_id: UUID) -> list[Row[Any]]:
    """Return what a document used up and did not take back: per movement its lot, place and `remaining` units above zero."""
    taken_back = func.coalesce(Reversal.reversed, 0)
    same = and_(Reversal.practice_id == Movement.practice_id, Reversal.movement_id == Movement.id)
    same_lot = and_(Lot.practice_id == Movement.practice_id, Lot.id == Movement.lot_id)
    columns = (Movement.id, Movement.item_id, Movement.lot_id, Movement.source_place_id)
    facts = (Lot.lot_code, Lot.expires_on, Lot.received_at, Lot.unit_cost_micros)
    remaining = (Movement.quantity - taken_back).label("remaining")
    statement = select(*columns, *facts, remaining).join(Lot, same_lot).outerjoin(Reversal, same)
    uses = (Movement.document_id == document_id, Movement.target == "used", Movement.quantity > taken_back)
    return await session.all(statement.where(*uses).order_by(*_FEFO, Movement.id))
