"""Reading kits and usage."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, or_, select

from praxis.kit.practices import practice
from praxis.kit.unit_of_work import Session
from services.inventory.stock.queries import unreversed_uses
from services.inventory.usage import models
from services.inventory.usage.domain import AUTO, CONFIRM, KitUnknown, UsageUnknown, Use
from services.inventory.usage.models import Kit, KitTrigger, KitVersion, Usage, UsageNeed
from services.inventory.usage.schemas import KitLineOut, KitOut, QuantityOut, UsageLineOut, UsageOut

_USAGE_COLUMNS = tuple(column for column in Usage.__table__.columns if column.name not in ("practice_id", "changed_at"))


def _present_kits() -> Select[Any]:
    columns: tuple[Any, ...] = (Kit.id, Kit.revision, Kit.code, Kit.name, KitVersion.number, KitVersion.valid_from)
    same = and_(KitVersion.practice_id == Kit.practice_id, KitVersion.kit_id == Kit.id)
    return select(*columns).join(KitVersion, same).where(KitVersion.valid_to.is_(None))


async def kit(session: Session, kit_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one kit with the number and start of its present version, locked when asked; raises KitUnknown."""
    statement = _present_kits().where(Kit.id == kit_id)
    row = await session.one_or_none(statement.with_for_update(of=Kit, key_share=True) if lock else statement)
    if row is None:
        raise KitUnknown
    return row


async def kits(session: Session, after: tuple[str | int, ...] | None, limit: int) -> list[Row[Any]]:
    """Return kits by code, `limit` + 1 at most."""
    statement = _present_kits().order_by(Kit.code).limit(limit + 1)
    return await session.all(statement.where(Kit.code > after[0]) if after else statement)


async def shown_kits(session: Session, rows: Sequence[Row[Any]]) -> list[KitOut]:
    """Return kits as answers, with their present lines by item and triggers by code."""
    lines: dict[UUID, list[KitLineOut]] = defaultdict(list)
    triggers: dict[UUID, list[str]] = defaultdict(list)
    line, numbers = models.KitLine, {row.id: row.number for row in rows}
    found = select(line.kit_id, line.number, line.item_id, line.quantity, line.mode).where(line.kit_id.in_(numbers))
    for row in await session.all(found.order_by(line.item_id)):
        if row.number == numbers[row.kit_id]:
            lines[row.kit_id].append(KitLineOut.model_validate(row))
    present = select(KitTrigger.kit_id, KitTrigger.code).where(
        KitTrigger.kit_id.in_(numbers), KitTrigger.valid_to.is_(None)
    )
    for row in await session.all(present.order_by(KitTrigger.code)):
        triggers[row.kit_id].append(row.code)
    return [KitOut(**_head(row), lines=lines[row.id], triggers=triggers[row.id]) for row in rows]


def _head(row: Row[Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("id", "revision", "code", "name", "valid_from")}


async def needs(session: Session, codes: Mapping[str, int], at: datetime) -> Counter[tuple[UUID, str]]:
    """Return how many units of each item, by mode, the kits that were valid at `at` ask for: each line times its code's count."""
    line = models.KitLine
    same = and_(
        line.practice_id == KitTrigger.practice_id, line.kit_id == KitTrigger.kit_id, line.number == KitTrigger.number
    )
    valid = and_(KitTrigger.valid_from <= at, or_(KitTrigger.valid_to.is_(None), KitTrigger.valid_to > at))
    statement = select(KitTrigger.code, line.item_id, line.mode, line.quantity).join(line, same)
    asked: Counter[tuple[UUID, str]] = Counter()
    for row in await session.all(statement.where(KitTrigger.code.in_(codes), valid)):
        asked[row.item_id, row.mode] += row.quantity * codes[row.code]
    return asked


async def usage(session: Session, usage_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one usage record, locked when asked; raises UsageUnknown."""
    statement: Select[Any] = select(*_USAGE_COLUMNS).where(Usage.id == usage_id)
    row = await session.one_or_none(statement.with_for_update(key_share=True) if lock else statement)
    if row is None:
        raise UsageUnknown
    return row


async def usages_of(session: Session, visit_id: UUID) -> list[Row[Any]]:
    """Return the usage record of a visit, or nothing."""
    return await session.all(select(*_USAGE_COLUMNS).where(Usage.visit_id == visit_id))


async def uses(session: Session, usage_id: UUID) -> list[Use]:
    """Return what the visit used up and did not give back, by movement."""
    return [
        Use(row.id, row.item_id, row.lot_id, row.source_place_id, row.expires_on, row.received_at, row.remaining)
        for row in await unreversed_uses(session, usage_id)
    ]


async def usage_needs(session: Session, usage_id: UUID, revision: int) -> list[Row[Any]]:
    """Return what was asked for and granted at one revision, by item and mode."""
    columns = (UsageNeed.item_id, UsageNeed.mode, UsageNeed.requested, UsageNeed.granted)
    statement = select(*columns).where(UsageNeed.usage_id == usage_id, UsageNeed.revision == revision)
    return await session.all(statement.order_by(UsageNeed.item_id, UsageNeed.mode))


async def net_lines(session: Session, usage_id: UUID) -> list[UsageLineOut]:
    """Return the net units per lot, by item and then first expired first."""
    rows = await unreversed_uses(session, usage_id)
    quantities: Counter[UUID] = Counter()
    for row in rows:
        quantities[row.lot_id] += row.remaining
    return [
        UsageLineOut(
            item_id=row.item_id,
            lot_id=row.lot_id,
            lot_code=row.lot_code,
            expires_on=row.expires_on,
            quantity=quantities[row.lot_id],
            unit_cost_micros=row.unit_cost_micros,
        )
        for row in {row.lot_id: row for row in rows}.values()
    ]


async def shown_usage(session: Session, row: Row[Any]) -> UsageOut:
    """Return a usage record as an answer."""
    asked = await usage_needs(session, row.id, row.revision)
    missing = [(need, need.requested - need.granted) for need in asked if need.requested > need.granted]
    quantities = {
        mode: [QuantityOut(item_id=n.item_id, quantity=q) for n, q in missing if n.mode == mode]
        for mode in (AUTO, CONFIRM)
    }
    return UsageOut(
        id=row.id,
        visit_id=row.visit_id,
        revision=row.revision,
        location_id=row.location_id,
        occurred_at=row.occurred_at,
        lines=await net_lines(session, row.id),
        shortfalls=quantities[AUTO],
        to_confirm=quantities[CONFIRM],
        cost_cents=row.cost_cents,
        currency=(await practice(session)).currency,
    )
