"""Changing payers, fees and the billing provider."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, update

from praxis.kit.http import require_revision
from praxis.kit.ids import derived_id, new_id
from praxis.kit.money import CURRENCY
from praxis.kit.unit_of_work import Session
from services.billing.payers.domain import EIN, require_npi, require_single_fees
from services.billing.payers.models import BillingProvider, FeeItem, FeeSchedule, Payer
from services.billing.payers.queries import billing_provider, billing_provider_or_none, fee_schedule, payer
from services.billing.payers.schemas import Fee, PutBillingProvider, PutFeeSchedule, PutPayer


async def add_payer(session: Session, body: PutPayer) -> Row[Any]:
    """Add a payer; raises PayerKnown."""
    payer_id = new_id()
    values = {**body.model_dump(), "id": payer_id, "revision": 1, "changed_at": session.now}
    await session.execute(insert(Payer).values(values))
    return await _touched_payer(session, payer_id)


async def change_payer(session: Session, payer_id: UUID, body: PutPayer, expected: int | None) -> Row[Any]:
    """Replace a payer's record; raises PayerUnknown, Stale and PayerKnown."""
    row = await payer(session, payer_id, lock=True)
    require_revision(row.revision, expected)
    changed = {**body.model_dump(), "revision": row.revision + 1, "changed_at": session.now}
    await session.execute(update(Payer).where(Payer.id == payer_id).values(changed))
    return await _touched_payer(session, payer_id)


async def _touched_payer(session: Session, payer_id: UUID) -> Row[Any]:
    row = await payer(session, payer_id)
    session.touch("payer", row.id, row.revision)
    return row


async def add_fee_schedule(session: Session, body: PutFeeSchedule) -> Row[Any]:
    """Add a price list; raises NamedPayerUnknown, FeeSchedulesOverlap and Invalid for a code priced twice."""
    _require_single_fees(body)
    schedule_id = new_id()
    values = {
        **body.model_dump(exclude={"items"}),
        "id": schedule_id,
        "revision": 1,
        "currency": CURRENCY,
        "changed_at": session.now,
    }
    await session.execute(insert(FeeSchedule).values(values))
    await _store_fees(session, schedule_id, body.items)
    return await _touched_schedule(session, schedule_id)


async def change_fee_schedule(
    session: Session, schedule_id: UUID, body: PutFeeSchedule, expected: int | None
) -> Row[Any]:
    """Replace a price list and all its prices; signed charges keep theirs. Raises as `add_fee_schedule`, and Stale."""
    _require_single_fees(body)
    row = await fee_schedule(session, schedule_id, lock=True)
    require_revision(row.revision, expected)
    changed = {**body.model_dump(exclude={"items"}), "revision": row.revision + 1, "changed_at": session.now}
    await session.execute(update(FeeSchedule).where(FeeSchedule.id == schedule_id).values(changed))
    await session.execute(delete(FeeItem).where(FeeItem.fee_schedule_id == schedule_id))
    await _store_fees(session, schedule_id, body.items)
    return await _touched_schedule(session, schedule_id)


def _require_single_fees(body: PutFeeSchedule) -> None:
    require_single_fees((fee.hcpcs_code, fee.modifier) for fee in body.items)


async def _store_fees(session: Session, schedule_id: UUID, fees: tuple[Fee, ...]) -> None:
    if fees:
        rows = [{**fee.model_dump(), "modifier": fee.modifier or "", "fee_schedule_id": schedule_id} for fee in fees]
        await session.execute(insert(FeeItem), rows)


async def _touched_schedule(session: Session, schedule_id: UUID) -> Row[Any]:
    row = await fee_schedule(session, schedule_id)
    session.touch("fee-schedule", row.id, row.revision)
    return row


async def set_billing_provider(session: Session, body: PutBillingProvider, expected: int | None) -> Row[Any]:
    """Set or replace the identity under which the practice bills; the revision before the first is 0. Raises Stale."""
    require_npi(body.npi, "/npi")
    present = await billing_provider_or_none(session, lock=True)
    revision = present.revision if present else 0
    require_revision(revision, expected)
    values = {
        **body.model_dump(exclude={"ein"}),
        "ein_sealed": session.seal(EIN, body.ein),
        "ein_ending": body.ein[-4:],
        "revision": revision + 1,
        "changed_at": session.now,
    }
    await session.execute((update(BillingProvider) if present else insert(BillingProvider)).values(values))
    row = await billing_provider(session)
    session.touch("billing-provider", derived_id(session.practice_id, "billing-provider"), row.revision)
    return row
