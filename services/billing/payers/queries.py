"""Reading payers, fees and providers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, or_, select, tuple_

from praxis.kit.unit_of_work import Session
from services.billing.payers.domain import BillingProviderUnset, FeeScheduleUnknown, PayerUnknown
from services.billing.payers.models import BillingProvider, FeeItem, FeeSchedule, Payer, RenderingProvider
from services.billing.payers.schemas import FeeOut, FeeScheduleOut

_PAYER = tuple(c for c in Payer.__table__.columns if c.name not in ("practice_id", "changed_at"))
_SCHEDULE = tuple(c for c in FeeSchedule.__table__.columns if c.name not in ("practice_id", "changed_at"))


@dataclass(frozen=True, slots=True)
class FeeTable:
    """Unit prices in cents of one schedule by code and modifier; the empty modifier prices the code without one."""

    name: str
    fees: Mapping[tuple[str, str], int]


async def payer(session: Session, payer_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one payer, locked for change when asked; raises PayerUnknown."""
    statement: Select[Any] = select(*_PAYER).where(Payer.id == payer_id)
    row = await session.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        raise PayerUnknown
    return row


async def payers(session: Session, after: tuple[str | int, ...] | None, limit: int) -> list[Row[Any]]:
    """Return payers by name and id, `limit` + 1 at most."""
    statement: Select[Any] = select(*_PAYER).order_by(Payer.name, Payer.id).limit(limit + 1)
    if after:
        statement = statement.where(tuple_(Payer.name, Payer.id) > tuple_(after[0], UUID(str(after[1]))))
    return await session.all(statement)


async def fee_schedule(session: Session, schedule_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one fee schedule without its items, locked for change when asked; raises FeeScheduleUnknown."""
    statement: Select[Any] = select(*_SCHEDULE).where(FeeSchedule.id == schedule_id)
    row = await session.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        raise FeeScheduleUnknown
    return row


async def fee_schedules(session: Session, after: tuple[str | int, ...] | None, limit: int) -> list[Row[Any]]:
    """Return fee schedules by first valid day and id, `limit` + 1 at most."""
    statement: Select[Any] = select(*_SCHEDULE).order_by(FeeSchedule.valid_from, FeeSchedule.id).limit(limit + 1)
    if after:
        place = (date.fromisoformat(str(after[0])), UUID(str(after[1])))
        statement = statement.where(tuple_(FeeSchedule.valid_from, FeeSchedule.id) > tuple_(*place))
    return await session.all(statement)


async def fee_schedule_shown(session: Session, row: Row[Any]) -> FeeScheduleOut:
    """Return the schedule with its prices."""
    statement = select(FeeItem.hcpcs_code, FeeItem.modifier, FeeItem.charge_cents).where(
        FeeItem.fee_schedule_id == row.id
    )
    items = await session.all(statement.order_by(FeeItem.hcpcs_code, FeeItem.modifier))
    fees = [FeeOut(hcpcs_code=i.hcpcs_code, modifier=i.modifier or None, charge_cents=i.charge_cents) for i in items]
    return FeeScheduleOut.model_validate({**row._mapping, "items": fees})


async def fee_tables(session: Session, payer_id: UUID | None, on: date, codes: Collection[str]) -> list[FeeTable]:
    """Return the unit prices of `codes` valid on a day: the payer's schedule first, then the default one."""
    schedules = await session.all(
        select(FeeSchedule.id, FeeSchedule.name)
        .where(or_(FeeSchedule.payer_id == payer_id, FeeSchedule.payer_id.is_(None)))
        .where(FeeSchedule.valid_from <= on, or_(FeeSchedule.valid_until.is_(None), FeeSchedule.valid_until >= on))
        .order_by(FeeSchedule.payer_id.asc().nulls_last())
    )
    return [FeeTable(schedule.name, await _fees(session, schedule.id, codes)) for schedule in schedules]


async def _fees(session: Session, schedule_id: UUID, codes: Collection[str]) -> dict[tuple[str, str], int]:
    statement = select(FeeItem.hcpcs_code, FeeItem.modifier, FeeItem.charge_cents)
    rows = await session.all(statement.where(FeeItem.fee_schedule_id == schedule_id, FeeItem.hcpcs_code.in_(codes)))
    return {(row.hcpcs_code, row.modifier): row.charge_cents for row in rows}


async def billing_provider(session: Session, lock: bool = False) -> Row[Any]:
    """Return the practice's billing provider, locked for change when asked; raises BillingProviderUnset."""
    row = await billing_provider_or_none(session, lock)
    if row is None:
        raise BillingProviderUnset
    return row


async def billing_provider_or_none(session: Session, lock: bool = False) -> Row[Any] | None:
    """Return the practice's billing provider, or None before it is set."""
    statement: Select[Any] = select(*BillingProvider.__table__.columns)
    return await session.one_or_none(statement.with_for_update() if lock else statement)


async def rendering_provider(session: Session, staff_member_id: UUID) -> Row[Any] | None:
    """Return a staff member as last announced, or None when nothing was heard of the person yet."""
    statement: Select[Any] = select(*RenderingProvider.__table__.columns)
    return await session.one_or_none(statement.where(RenderingProvider.id == staff_member_id))
