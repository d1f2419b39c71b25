"""Reading charge sheets."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select

from praxis.kit.money import CURRENCY
from praxis.kit.unit_of_work import Session
from services.billing.charges.domain import DIAGNOSES, ChargeSheetUnknown, dotted_icd, suggested_lines
from services.billing.charges.models import ChargeLine, ChargeSheet, SignedCharge, VisitSupplies
from services.billing.charges.schemas import ChargeLineOut, ChargeSheetOut, SuppliesOut

_COLUMNS = tuple(c for c in ChargeSheet.__table__.columns if c.name not in ("practice_id", "changed_at"))
_LINE = tuple(c for c in ChargeLine.__table__.columns if c.name not in ("practice_id", "charge_sheet_id", "version"))
_SIGNED = (
    SignedCharge.service_on,
    SignedCharge.rendered_by,
    SignedCharge.self_pay_reason,
    SignedCharge.total_cents,
    SignedCharge.currency,
)


async def charge_sheet(session: Session, sheet_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one charge sheet, locked for change when asked; raises ChargeSheetUnknown."""
    statement: Select[Any] = select(*_COLUMNS).where(ChargeSheet.id == sheet_id)
    row = await session.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        raise ChargeSheetUnknown
    return row


async def charge_sheets(
    session: Session, state: str | None, visit_id: UUID | None, after: tuple[str | int, ...] | None, limit: int
) -> list[Row[Any]]:
    """Return charge sheets by id, `limit` + 1 at most."""
    statement: Select[Any] = select(*_COLUMNS).order_by(ChargeSheet.id).limit(limit + 1)
    if state:
        statement = statement.where(ChargeSheet.state == state)
    if visit_id:
        statement = statement.where(ChargeSheet.visit_id == visit_id)
    if after:
        statement = statement.where(ChargeSheet.id > UUID(str(after[0])))
    return await session.all(statement)


async def charge_lines(session: Session, sheet_id: UUID, version: int) -> list[Row[Any]]:
    """Return the lines of one version of a sheet in their order."""
    statement = select(*_LINE).where(ChargeLine.charge_sheet_id == sheet_id, ChargeLine.version == version)
    return await session.all(statement.order_by(ChargeLine.number))


async def signed_charge(session: Session, sheet_id: UUID, version: int) -> Row[Any] | None:
    """Return the signature under one version of a sheet, or None before it is signed."""
    statement = select(*_SIGNED).where(SignedCharge.charge_sheet_id == sheet_id, SignedCharge.version == version)
    return await session.one_or_none(statement)


def diagnoses(session: Session, row: Row[Any]) -> tuple[str, ...]:
    """Return the diagnoses of a sheet without dots, the principal one first; none before it is coded."""
    return tuple(json.loads(session.unseal(DIAGNOSES, row.diagnoses_sealed))) if row.diagnoses_sealed else ()


async def shown(session: Session, row: Row[Any]) -> ChargeSheetOut:
    """Return the sheet with its lines, supplies and readable diagnoses."""
    lines = await charge_lines(session, row.id, row.version)
    signed = await signed_charge(session, row.id, row.version)
    return ChargeSheetOut.model_validate(
        {
            **row._mapping,
            "diagnoses": [dotted_icd(code) for code in diagnoses(session, row)],
            "lines": [ChargeLineOut.model_validate(line) for line in lines],
            "supplies": await _supplies(session, row.visit_id),
            "service_on": signed.service_on if signed else None,
            "total_cents": signed.total_cents if signed else None,
            "currency": signed.currency if signed else CURRENCY,
        }
    )


async def _supplies(session: Session, visit_id: UUID) -> SuppliesOut | None:
    columns = (VisitSupplies.lines, VisitSupplies.cost_cents, VisitSupplies.currency)
    row = await session.one_or_none(select(*columns).where(VisitSupplies.visit_id == visit_id))
    if row is None:
        return None
    return SuppliesOut.model_validate({**row._mapping, "suggested_lines": suggested_lines(row.lines)})
