"""Reading coverages."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, literal, or_, select, tuple_, union_all

from praxis.kit.unit_of_work import Session
from services.billing.coverage.domain import INSURED, MEMBER_ID, CoverageUnknown
from services.billing.coverage.models import Coverage, Patient
from services.billing.coverage.schemas import CoverageOut, Insured

_COLUMNS = tuple(
    c for c in Coverage.__table__.columns if c.name not in ("practice_id", "changed_at", "member_id_index")
)


async def coverage(session: Session, coverage_id: UUID, lock: bool = False) -> Row[Any]:
    """Return one coverage, locked for change when asked; raises CoverageUnknown."""
    statement: Select[Any] = select(*_COLUMNS).where(Coverage.id == coverage_id)
    row = await session.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        raise CoverageUnknown
    return row


async def coverages(
    session: Session, patient_id: UUID, after: tuple[str | int, ...] | None, limit: int
) -> list[Row[Any]]:
    """Return a patient's coverages by first valid day and id, `limit` + 1 at most."""
    statement: Select[Any] = select(*_COLUMNS).where(Coverage.patient_id == patient_id)
    if after:
        place = (date.fromisoformat(str(after[0])), UUID(str(after[1])))
        statement = statement.where(tuple_(Coverage.valid_from, Coverage.id) > tuple_(*place))
    return await session.all(statement.order_by(Coverage.valid_from, Coverage.id).limit(limit + 1))


async def active_primary(session: Session, patient_id: UUID, on: date) -> Row[Any] | None:
    """Return the primary coverage valid on a day, or None.

    Records that were merged count as one person; of two that would then apply, the patient's own record's wins.
    """
    # Asked for first: behind the policy coalesce() counts as leaky, and an OR of both would read every coverage.
    person = await merged_into(session, patient_id) or patient_id
    records = union_all(select(literal(person)), select(Patient.id).where(Patient.merged_into == person))
    statement = (
        select(*_COLUMNS)
        .where(Coverage.patient_id.in_(records), Coverage.rank == "primary")
        .where(Coverage.valid_from <= on, or_(Coverage.valid_until.is_(None), Coverage.valid_until >= on))
        .order_by((Coverage.patient_id == patient_id).desc(), Coverage.id)
        .limit(1)
    )
    return await session.one_or_none(statement)


async def merged_into(session: Session, patient_id: UUID) -> UUID | None:
    """Return the record that replaced this patient's, or None."""
    found: UUID | None = await session.scalar(select(Patient.merged_into).where(Patient.id == patient_id))
    return found


def shown(session: Session, row: Row[Any]) -> CoverageOut:
    """Return the coverage with its sealed parts readable."""
    insured = Insured.model_validate_json(session.unseal(INSURED, row.insured_sealed))
    member_id = session.unseal(MEMBER_ID, row.member_id_sealed)
    return CoverageOut.model_validate(
        {**row._mapping, "member_id": member_id, "subscriber": insured.subscriber, "patient": insured.patient}
    )
